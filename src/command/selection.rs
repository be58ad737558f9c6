//! Which uops of a listing are wanted.

use super::executor::literal;
use super::reply::Failure;
use crate::address::Address;
use crate::session::{Selection, Session, Uops};
use clap::Args;

/// Options that choose uops.
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Only these uops: indices (`12`, `3..9`, `40..`), or a name or pattern (`_GUARD_*`)
    #[arg(long, value_name = "UOPS")]
    pub uops: Option<String>,

    /// Only the uops around this address (`$pc`)
    #[arg(long, value_name = "ADDRESS", conflicts_with = "uops")]
    pub around: Option<String>,

    /// How many uops on each side of the one that --around names
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub window: u32,

    /// Leave out the stubs behind the main part of the trace
    #[arg(long)]
    pub no_stubs: bool,
}

impl Options {
    /// What is wanted.
    pub fn selection(&self, session: &Session) -> Result<Selection, Failure> {
        let uops = match (&self.uops, &self.around) {
            (Some(text), _) => parse(text)?,
            (None, Some(text)) => Uops::Around(address(session, text)?, self.window),
            (None, None) => Uops::All,
        };
        Ok(Selection {
            uops,
            stubs: !self.no_stubs,
        })
    }
}

/// A number or an expression of the debugger.
pub(super) fn address(session: &Session, text: &str) -> Result<Address, Failure> {
    match literal(text) {
        Some(address) => Ok(address),
        None => session
            .evaluate(text)
            .map_err(|reason| Failure::new(format!("{text} is no address: {}", reason.trim()))),
    }
}

fn parse(text: &str) -> Result<Uops, Failure> {
    if text.starts_with(['_', '*', '?']) {
        return Ok(Uops::Named(text.to_owned()));
    }
    let range = match text.split_once("..") {
        Some((from, to)) => number(from, 0).zip(number(to, u32::MAX)),
        None => number(text, 0).map(|one| (one, one)),
    };
    range
        .filter(|_| text != "..")
        .map(|(from, to)| Uops::Range(from, to))
        .ok_or_else(|| {
            Failure::usage(format!("{text} names no uops"))
                .hint("write an index (12), a range (3..9, 40..) or a name (_GUARD_*)")
        })
}

fn number(text: &str, empty: u32) -> Option<u32> {
    match text {
        "" => Some(empty),
        _ => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Uops, parse};

    fn range(text: &str) -> Option<(u32, u32)> {
        match parse(text).ok()? {
            Uops::Range(from, to) => Some((from, to)),
            _ => None,
        }
    }

    #[test]
    fn understands_ranges() {
        assert_eq!(range("12"), Some((12, 12)));
        assert_eq!(range("3..9"), Some((3, 9)));
        assert_eq!(range("40.."), Some((40, u32::MAX)));
        assert_eq!(range("..4"), Some((0, 4)));
        assert_eq!(range(".."), None);
        assert_eq!(range("x"), None);
        assert_eq!(range("1..2..3"), None);
        assert!(matches!(parse("_GUARD_*"), Ok(Uops::Named(_))));
    }
}
