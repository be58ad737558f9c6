//! What a page shows beside the listings: the functions that their uops come from.

use super::Session;
use crate::error::Result;
use crate::listing::{
    BytecodeData, CodeRef, ExecutorListing, Finding, PageData, PageFunction, SourceFile,
};
use crate::target::Kind;
use std::collections::HashSet;
use std::time::SystemTime;

/// More lines than a reader looks through; the code of a generated module can have a million.
const MOST_LINES: i32 = 5_000;

/// Bytecode instructions on one page; a browser takes seconds for more, and a damaged target can claim millions.
const MOST_INSTRUCTIONS: usize = 200_000;

impl Session {
    /// The rest of a page of these listings, and what was odd about it. Listings of a part of their executor get its
    /// exits.
    pub fn page(&self, listings: &mut [ExecutorListing]) -> Result<(PageData, Vec<Finding>)> {
        for one in listings.iter_mut().filter(|one| one.exits.is_none()) {
            let of_one = self.exits(&[one.executor.address])?;
            one.exits = of_one.into_iter().next().map(|found| found.exits);
        }
        let mut findings = Vec::new();
        let marks = self.exit_marks()?;
        let started = self.started();
        let mut room = MOST_INSTRUCTIONS;
        let functions = codes(listings)
            .into_iter()
            .map(|code| {
                let bytecode = self.bytecode_with(code.object, &marks);
                let bytecode = match bytecode.map_err(|error| error.to_string()) {
                    Ok((data, odd)) => {
                        findings.extend(odd);
                        fitting(data, &mut room)
                    }
                    Err(reason) => Err(reason),
                };
                self.page_function(code, bytecode, started)
            })
            .collect();
        Ok((PageData { functions }, findings))
    }

    fn page_function(
        &self,
        code: CodeRef,
        bytecode: Result<BytecodeData, String>,
        started: Option<SystemTime>,
    ) -> PageFunction {
        let lines = bytecode.as_ref().ok().and_then(Lines::of);
        let file = self.sources.file(&code.filename);
        let doubt = match (&file, &lines) {
            (None, _) => Some(format!("{} cannot be read here", code.filename)),
            (Some(file), Some(lines)) => doubt(file, lines, &code, started),
            (Some(_), None) => Some("the bytecode tells no lines".to_owned()),
        };
        let numbered = |file: &SourceFile, lines: Lines| -> Vec<(i32, String)> {
            let numbers = lines.first..=lines.last;
            let text = numbers.map(|line| Some((line, file.line(line)?.to_owned())));
            text.map_while(|line| line).collect()
        };
        PageFunction {
            source: file
                .zip(lines)
                .map(|(file, lines)| numbered(&file, lines))
                .unwrap_or_default(),
            source_doubt: doubt,
            code,
            bytecode,
        }
    }

    /// When the process began to run; `None` of a core, and of a process of another machine.
    fn started(&self) -> Option<SystemTime> {
        let description = self.description();
        let executable = description.files.first()?;
        match description.kind {
            Kind::Core => None,
            #[cfg(target_os = "linux")]
            _ => crate::target::started(description.pid?, &executable.path),
            #[cfg(not(target_os = "linux"))]
            _ => None,
        }
    }
}

fn fitting(data: BytecodeData, room: &mut usize) -> Result<BytecodeData, String> {
    let count = data.instructions.len();
    *room = room.checked_sub(count).ok_or_else(|| {
        format!("{count} instructions are too many for this page; jit-bytecode shows them")
    })?;
    Ok(data)
}

/// The code objects that the uops come from, each once.
fn codes(listings: &[ExecutorListing]) -> Vec<CodeRef> {
    let mut seen = HashSet::new();
    let rows = listings.iter().flat_map(|listing| &listing.uops);
    rows.filter_map(|row| row.code.as_ref())
        .filter(|code| seen.insert(code.object))
        .cloned()
        .collect()
}

/// The lines of a function.
#[derive(Clone, Copy)]
struct Lines {
    first: i32,
    /// The first behind the one with `def`.
    body: i32,
    last: i32,
}

impl Lines {
    fn of(data: &BytecodeData) -> Option<Lines> {
        let lines = || data.instructions.iter().filter_map(|row| row.line);
        let first = lines()
            .chain([data.firstlineno])
            .filter(|line| *line > 0)
            .min()?;
        let last = lines().max().unwrap_or(first);
        Some(Lines {
            first,
            body: lines()
                .filter(|line| *line > data.firstlineno)
                .min()
                .unwrap_or(first),
            last: last.min(first.saturating_add(MOST_LINES)).max(first),
        })
    }
}

/// What speaks against the file's being what the process runs.
fn doubt(
    file: &SourceFile,
    lines: &Lines,
    code: &CodeRef,
    started: Option<SystemTime>,
) -> Option<String> {
    let name = code.qualname.rsplit('.').next().unwrap_or_default();
    // Others (`<lambda>`, names that a program made up) stand in no source.
    let is_named = !name.is_empty() && name.chars().all(in_identifier);
    let mut head = (lines.first..=lines.body).filter_map(|line| file.line(line));
    if file.line(lines.last).is_none() {
        return Some(
            "the file is shorter than the function: it is not what the process runs".to_owned(),
        );
    }
    if is_named && !head.any(|line| defines(line, name)) {
        return Some(format!(
            "line {} of the file does not define {name}: it may not be what the process runs",
            lines.first
        ));
    }
    let is_newer = file.changed.zip(started).is_some_and(|(a, b)| a > b);
    is_newer.then(|| {
        "the file was changed after the process started: it may not be what the process runs"
            .to_owned()
    })
}

/// Whether a line begins a function or class of this name.
fn defines(line: &str, name: &str) -> bool {
    ["def ", "class "].iter().any(|word| {
        line.split(word).skip(1).any(|rest| {
            let rest = rest.trim_start();
            let behind = rest.strip_prefix(name);
            behind.is_some_and(|behind| !behind.starts_with(in_identifier))
        })
    })
}

fn in_identifier(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::defines;

    #[test]
    fn finds_definitions() {
        assert!(defines("    async def f(x):", "f"));
        assert!(defines("class  C:", "C"));
        assert!(defines("def g[T](x): return x", "g"));
        assert!(!defines("def ff(x):", "f"));
        assert!(!defines("undefined f", "f"));
        assert!(!defines("x = f()", "f"));
    }
}
