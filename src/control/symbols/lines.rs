//! Places of breakpoints at lines of Python that are none.
//!
//! For a line without code debuggers take the next one that has some, as it should be for a comment. A trace only has the
//! lines that it ran: the next one of these may be another branch or another function.

use super::{Met, Shown, Symbols};
use crate::address::Address;
use crate::symbols::Function;

/// The place that a debugger has given to a breakpoint at a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinePlace<'a> {
    /// Where it is.
    pub address: Address,
    /// The file, with or without its folder.
    pub file: &'a str,
    /// The line that the breakpoint is for.
    pub asked: u32,
    /// The line that the place is of.
    pub got: u32,
}

impl Symbols {
    /// Why a place is not of the line that was asked for: bytecode that is not in this code comes before it. None if it is
    /// right, as behind a comment, and of places of which nothing is known.
    pub fn misplaced(&self, place: LinePlace<'_>) -> Option<String> {
        let shown = self.shown_at(place.address)?;
        let of_line = |function: &&Function| {
            let file = base_name(&function.filename) == base_name(place.file);
            file && function.lines.binary_search(&place.got).is_ok()
        };
        let functions = shown.functions.iter().map(AsRef::as_ref);
        let mut candidates = functions.filter(of_line).peekable();
        candidates.peek()?;
        if candidates.any(|function| first_line_from(function, place.asked) == Some(place.got)) {
            return None;
        }
        Some(format!(
            "{} has no code of {}:{}; the place at line {} that is taken instead is disabled",
            shown.name,
            base_name(place.file),
            place.asked,
            place.got
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

    /// Symbols of one executor that runs in `count`, and in `leaf`, which is called there.
    fn symbols() -> Symbols {
        let function = |name: &str, firstlineno, lines: &[u32]| {
            Arc::new(Function {
                code: Address(0x100),
                name: name.to_owned(),
                filename: "/src/demo.py".into(),
                firstlineno,
                lines: lines.to_vec(),
                variables: Vec::new(),
            })
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
            functions: vec![
                function("count", 14, &[14, 15, 16, 18, 19]),
                function("leaf", 22, &[22, 24]),
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

    fn misplaced(asked: u32, got: u32) -> bool {
        let place = LinePlace {
            address: Address(START.0 + 0x10),
            file: "demo.py",
            asked,
            got,
        };
        symbols().misplaced(place).is_some()
    }

    #[test]
    fn a_line_without_bytecode_is_that_of_the_next_one() {
        assert!(!misplaced(18, 18));
        assert!(!misplaced(17, 18));
        assert!(!misplaced(23, 24));
    }

    #[test]
    fn a_line_that_the_trace_has_not_run_is_no_other() {
        assert!(misplaced(15, 16));
        assert!(misplaced(17, 19));
        assert!(misplaced(19, 24), "of another function");
        assert!(misplaced(21, 24), "before the function");
    }

    #[test]
    fn nothing_is_said_of_what_is_not_known() {
        let place = LinePlace {
            address: Address(START.0 + 0x1000),
            file: "/elsewhere/demo.py",
            asked: 15,
            got: 16,
        };
        assert_eq!(symbols().misplaced(place), None, "other code");
        let file = "other.py";
        let inside = LinePlace {
            address: START,
            file,
            ..place
        };
        assert_eq!(symbols().misplaced(inside), None, "another file");
        let inside = LinePlace {
            address: START,
            ..place
        };
        assert_eq!(
            symbols().misplaced(inside).as_deref(),
            Some(
                "count.16-1.uops has no code of demo.py:15; the place at line 16 that is taken instead is disabled"
            )
        );
    }
}
