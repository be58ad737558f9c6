//! Places of breakpoints at lines of Python that are none.
//!
//! For a line without code debuggers take the next one that has some, as it should be for a comment. A trace only has the
//! lines that it ran: the next one of these may be another branch or another function.

use super::{Met, Shown, Symbols};
use crate::address::Address;
use crate::symbols::{Function, PythonLine};

impl Symbols {
    /// Why the place that a debugger has given to a breakpoint at a line of Python is not of that line: bytecode that is
    /// not in this code comes before it. None if it is right, as behind a comment, and of places of which nothing is known.
    pub fn misplaced(&self, address: Address, asked: u32) -> Option<String> {
        let shown = self.shown_at(address)?;
        let got = line_at(&shown.lines, address)?;
        let mut functions = shown.functions.iter();
        let function = functions.find(|function| function.code == got.code)?;
        if got.line == asked || first_line_from(function, asked) == Some(got.line) {
            return None;
        }
        Some(format!(
            "{} has no code of {}:{asked}; the place at line {} that is taken instead is disabled",
            shown.name,
            base_name(&function.filename),
            got.line
        ))
    }

    fn shown_at(&self, address: Address) -> Option<&Shown> {
        let (_, met): (_, &Met) = self.met.range(..=address).next_back()?;
        met.listing
            .as_ref()
            .ok()
            .filter(|_| met.code.range.contains(address))
    }
}

/// That of a piece of code, or of the next one that has any: what comes before the first line is a part of it.
fn line_at(lines: &[PythonLine], address: Address) -> Option<PythonLine> {
    let before = lines.partition_point(|line| line.range.end() <= address);
    lines.get(before).copied()
}

/// The first line of a function with bytecode from a line of it on.
fn first_line_from(function: &Function, line: u32) -> Option<u32> {
    let lines = &function.lines;
    let start = u32::try_from(function.firstlineno).ok()?;
    let next = lines.get(lines.partition_point(|with_code| *with_code < line));
    next.copied().filter(|_| start <= line)
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::super::{Again, Code};
    use super::*;
    use crate::address::Range;
    use std::sync::Arc;

    const START: Address = Address(0x7000);
    const COUNT: Address = Address(0x100);
    const LEAF: Address = Address(0x200);

    /// Symbols of one executor that runs in `count`, and in `leaf`, which is called there: at 0x20 line 16, at 0x30 18, at
    /// 0x40 24, at 0x50 19.
    fn symbols() -> Symbols {
        let function = |code, name: &str, firstlineno, lines: &[u32]| {
            Arc::new(Function {
                code,
                name: name.to_owned(),
                filename: "/src/demo.py".into(),
                firstlineno,
                lines: lines.to_vec(),
                variables: Vec::new(),
            })
        };
        let line = |offset, line, code| PythonLine {
            range: Range::new(Address(START.0 + offset), 0x10),
            line,
            code,
        };
        let code = Code {
            executor: Address(0x1000),
            trace: Address(0x1100),
            range: Range::new(START, 0x1000),
        };
        let again = Again {
            code,
            number: 1,
            hash: 0,
        };
        let shown = Shown {
            file: 1,
            name: "count.16-1.uops".to_owned(),
            lines: vec![
                line(0x20, 16, COUNT),
                line(0x30, 18, COUNT),
                line(0x40, 24, LEAF),
                line(0x50, 19, COUNT),
            ],
            functions: vec![
                function(COUNT, "count", 14, &[14, 15, 16, 18, 19]),
                function(LEAF, "leaf", 22, &[22, 24]),
            ],
            again,
        };
        let met = Met {
            code,
            identity: None,
            listing: Ok(shown),
        };
        Symbols {
            met: [(START, met)].into(),
            ..Symbols::default()
        }
    }

    fn misplaced(offset: u64, asked: u32) -> bool {
        let symbols = symbols();
        symbols
            .misplaced(Address(START.0 + offset), asked)
            .is_some()
    }

    #[test]
    fn a_line_without_bytecode_is_that_of_the_next_one() {
        assert!(!misplaced(0x30, 18));
        assert!(!misplaced(0x30, 17));
        assert!(!misplaced(0x40, 23));
    }

    #[test]
    fn a_line_that_the_trace_has_not_run_is_no_other() {
        assert!(misplaced(0x20, 15));
        assert!(misplaced(0x50, 17));
        assert!(misplaced(0x40, 19), "of another function");
        assert!(misplaced(0x40, 21), "before the function");
    }

    #[test]
    fn what_comes_before_the_first_line_is_a_part_of_it() {
        assert!(!misplaced(0x10, 16));
        assert!(misplaced(0x10, 15));
    }

    #[test]
    fn nothing_is_said_of_what_is_not_known() {
        assert!(!misplaced(0x60, 15), "code of no line");
        assert!(!misplaced(0x1000, 15), "other code");
    }

    #[test]
    fn it_is_said_which_line_was_taken() {
        let reason = symbols().misplaced(Address(START.0 + 0x20), 15);
        assert_eq!(
            reason.as_deref(),
            Some(
                "count.16-1.uops has no code of demo.py:15; the place at line 16 that is taken instead is disabled"
            )
        );
    }
}
