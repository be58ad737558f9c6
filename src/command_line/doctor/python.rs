//! Looks at the CPythons that may be debugged: their JIT, and what tells their layouts.

use super::ask::{ask, directories_of_programs, is_program};
use crate::image::{Cache, DebugSearch, Image};
use crate::layout::Table;
use crate::listing::{DoctorCheck, DoctorSubject, SubjectKind};
use crate::target::FileSearch;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest CPython whose JIT is read.
const OLDEST: [u32; 2] = [3, 14];

/// How many programs called `python…` are asked.
const MOST: usize = 32;

/// The structure whose layout matters most.
const STRUCTURE: &str = "_PyExecutorObject";

/// What the probe tells.
#[derive(Deserialize)]
struct Answer {
    cpython: bool,
    version: Vec<u32>,
    debug: bool,
    compiled_in: bool,
    switched_on: bool,
    file: PathBuf,
}

impl Answer {
    fn release(&self) -> &[u32] {
        self.version.get(..2).unwrap_or_default()
    }

    /// The release as in `PY_VERSION_HEX`, without the last figures.
    fn version_hex(&self) -> u64 {
        match self.release() {
            [major, minor] => u64::from(*major) << 24 | u64::from(*minor) << 16,
            _ => 0,
        }
    }

    fn is_new_enough(&self) -> bool {
        self.cpython && self.release() >= OLDEST.as_slice()
    }

    fn has_jit(&self) -> bool {
        self.is_new_enough() && self.compiled_in
    }
}

/// Looks at these, or at all on `PATH` and in the virtual environment that are new enough.
pub fn examine_all(named: &[PathBuf], debug_directories: &[PathBuf]) -> Vec<DoctorSubject> {
    if !named.is_empty() {
        return named
            .iter()
            .map(|path| examine_named(path, debug_directories))
            .collect();
    }
    let mut seen = BTreeSet::new();
    let mut with_jit = false;
    let mut subjects = Vec::new();
    for path in candidates() {
        let Ok(answer) = question(&path) else {
            continue;
        };
        if answer.is_new_enough() && seen.insert(answer.file.clone()) {
            with_jit |= answer.has_jit();
            subjects.push(subject(
                &path,
                checks(&answer, debug_directories, DoctorCheck::note),
            ));
        }
    }
    if !with_jit {
        let what = "no CPython 3.14 or newer that has a JIT is on PATH";
        let check = DoctorCheck::problem("JIT", what).advice("name one with --python PATH");
        subjects.push(DoctorSubject {
            kind: SubjectKind::Cpython,
            path: None,
            checks: vec![check],
        });
    }
    subjects
}

fn subject(path: &Path, checks: Vec<DoctorCheck>) -> DoctorSubject {
    DoctorSubject {
        kind: SubjectKind::Cpython,
        path: Some(path.display().to_string()),
        checks,
    }
}

fn examine_named(path: &Path, debug_directories: &[PathBuf]) -> DoctorSubject {
    let checks = match question(path) {
        Ok(answer) => checks(&answer, debug_directories, DoctorCheck::problem),
        Err(what) => vec![DoctorCheck::problem(
            "version",
            format!("it does not run as a Python: {what}"),
        )],
    };
    subject(path, checks)
}

/// Programs that may be a CPython which is new enough: that of the virtual environment, and those on `PATH`.
fn candidates() -> Vec<PathBuf> {
    let own = std::env::var_os("VIRTUAL_ENV").map(|own| PathBuf::from(own).join("bin/python"));
    let mut found: Vec<PathBuf> = own.into_iter().collect();
    for directory in directories_of_programs() {
        let entries = directory.read_dir().into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| may_be_new_enough(name)).collect();
        names.sort_unstable();
        found.extend(names.into_iter().map(|name| directory.join(name)));
    }
    let mut seen = BTreeSet::new();
    found.retain(|path| {
        is_program(path) && seen.insert(path.canonicalize().unwrap_or(path.clone()))
    });
    found.truncate(MOST);
    found
}

/// `python`, `python3`, `python3.14` and newer, and the debug builds of these.
fn may_be_new_enough(name: &str) -> bool {
    let Some(version) = name.strip_prefix("python") else {
        return false;
    };
    if version.is_empty() || version == "3" {
        return true;
    }
    let minor = version
        .strip_prefix("3.")
        .map(|minor| minor.trim_end_matches(['d', 't']));
    minor
        .and_then(|minor| minor.parse().ok())
        .is_some_and(|minor: u32| [3, minor] >= OLDEST)
}

fn question(path: &Path) -> Result<Answer, String> {
    let mut command = Command::new(path);
    // Those of a debugger's or another Python's own; PYTHON_JIT counts.
    for variable in ["PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP"] {
        command.env_remove(variable);
    }
    ask(command.args(["-S", "-c", include_str!("python_probe.py")]))?.answer()
}

fn checks(
    answer: &Answer,
    debug_directories: &[PathBuf],
    lacking: fn(&'static str, String) -> DoctorCheck,
) -> Vec<DoctorCheck> {
    let version: Vec<String> = answer.version.iter().map(ToString::to_string).collect();
    let version = version.join(".");
    if !answer.is_new_enough() {
        let name = if answer.cpython {
            ""
        } else {
            ", and no CPython"
        };
        let check = lacking("version", format!("{version}{name}"));
        return vec![check.advice("cpyjit reads the JIT of CPython 3.14 and newer")];
    }
    let mut checks = vec![DoctorCheck::ok("version", version)];
    if !answer.compiled_in {
        let check = lacking("JIT", "it was built without".to_owned());
        checks.push(check.advice("use one that was configured with --enable-experimental-jit"));
        return checks;
    }
    checks.push(DoctorCheck::ok(
        "JIT",
        match answer.switched_on {
            true => "compiled in and switched on",
            false => "compiled in, switched off: start programs with PYTHON_JIT=1",
        },
    ));
    checks.push(symbols(answer, debug_directories));
    checks
}

/// Where the layouts of its structures come from.
fn symbols(answer: &Answer, debug_directories: &[PathBuf]) -> DoctorCheck {
    let image = match open(&answer.file, debug_directories) {
        Ok(image) => image,
        Err(error) => return DoctorCheck::problem("symbols", error.to_string()),
    };
    if image.shapes(&[STRUCTURE]).find(STRUCTURE).is_some() {
        let file = image.debug_path().unwrap_or(image.path());
        return DoctorCheck::ok(
            "symbols",
            format!("debug information in {}", file.display()),
        );
    }
    let id = image
        .build_id()
        .map_or("none".to_owned(), ToString::to_string);
    let what = format!(
        "no debug information for {} (build id {id})",
        answer.file.display()
    );
    let table = (image.machine().architecture())
        .and_then(|architecture| Table::of_build(answer.version_hex(), architecture, answer.debug));
    match table.is_some() {
        true => DoctorCheck::ok("symbols", format!("{what}; the built-in layouts do")),
        false => DoctorCheck::problem("symbols", what).advice(how_to_get_them()),
    }
}

fn open(file: &Path, debug_directories: &[PathBuf]) -> Result<Image, crate::error::Error> {
    let mut search = DebugSearch {
        debug_directories: debug_directories.to_vec(),
        ..DebugSearch::default()
    };
    let cache = Cache::from_environment();
    let image = Image::open(file, &search, &cache)?;
    let (None, Some(id)) = (image.debug_path(), image.build_id()) else {
        return Ok(image);
    };
    let fetched = FileSearch::debuginfod_caches()
        .into_iter()
        .map(|cache| cache.join(id.to_string()).join("debuginfo"));
    search.debug_files = fetched.filter(|file| file.is_file()).collect();
    match search.debug_files.is_empty() {
        true => Ok(image),
        false => Image::open(file, &search, &cache),
    }
}

fn how_to_get_them() -> &'static str {
    match std::env::var_os("DEBUGINFOD_URLS").is_some_and(|urls| !urls.is_empty()) {
        true => {
            "install its -dbg package, or let the debugger fetch them: `set debuginfod enabled on` in GDB"
        }
        false => "install its -dbg package, or name a debuginfod server in DEBUGINFOD_URLS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_that_may_have_a_jit_are_asked() {
        for name in [
            "python",
            "python3",
            "python3.14",
            "python3.15d",
            "python3.20",
            "python3.14t",
        ] {
            assert!(may_be_new_enough(name), "{name}");
        }
        for name in [
            "python2",
            "python3.13",
            "python3-config",
            "python3.15-config",
            "pythonw",
            "ipython3",
        ] {
            assert!(!may_be_new_enough(name), "{name}");
        }
    }

    #[test]
    fn what_lacks_is_a_problem_only_of_the_one_that_was_named() {
        let answer = |minor, compiled_in| Answer {
            cpython: true,
            version: vec![3, minor, 0],
            debug: false,
            compiled_in,
            switched_on: false,
            file: PathBuf::from("/nowhere"),
        };
        let states = |answer: &Answer| {
            let checks = checks(answer, &[], DoctorCheck::note).into_iter();
            checks
                .map(|check| format!("{} {:?}", check.name, check.state))
                .collect::<Vec<_>>()
        };
        assert_eq!(answer(15, true).version_hex(), 0x030f_0000);
        assert_eq!(states(&answer(13, false)), ["version Note"]);
        assert_eq!(states(&answer(14, false)), ["version Ok", "JIT Note"]);
        assert_eq!(
            states(&answer(15, true)),
            ["version Ok", "JIT Ok", "symbols Problem"]
        );
        assert!(
            examine_named(Path::new("/bin/true"), &[]).checks[0]
                .what
                .contains("printed nothing")
        );
    }
}
