//! Whether there are such uops at all.

use super::Wanted;
use crate::cpython::{CPython, UopKind};
use crate::error::{Error, Result};
use crate::session::Session;

/// As many similar names are told.
const MOST_SIMILAR: usize = 3;

/// How similar a name must be to be worth telling, of 1.
const SIMILAR: f64 = 0.8;

impl Wanted {
    /// An error, with what may have been meant, if no executor can ever have such a uop. A CPython that is not there yet
    /// cannot be asked.
    pub fn check(&self, session: &Session) -> Result<()> {
        let Ok(python) = session.python() else {
            return Ok(());
        };
        let text = self.uop.text();
        let named = |(_, kind): &(u16, &UopKind)| self.uop.allows(kind);
        let mut kinds = python.uops.iter().filter(named).peekable();
        if kinds.peek().is_none() {
            return Err(Error::NotFound {
                message: format!("CPython {} has no uop {text}", python.offsets.version()),
                hint: Some(similar(python, &text)),
            });
        }
        match kinds.any(|(_, kind)| !kind.stencil.emit.is_null()) {
            true => Ok(()),
            false => Err(Error::NotFound {
                message: format!(
                    "the JIT of this CPython makes no code for {text}: it stands in no executor"
                ),
                hint: None,
            }),
        }
    }
}

fn similar(python: &CPython, wanted: &str) -> String {
    let wanted = wanted.to_uppercase();
    let names = python.uops.iter().map(|(_, kind)| &*kind.base);
    let mut scored: Vec<(f64, &str)> = names
        .map(|name| (strsim::jaro_winkler(&wanted, name), name))
        .filter(|(score, _)| *score >= SIMILAR)
        .collect();
    scored.sort_by(|(one, a), (other, b)| other.total_cmp(one).then(a.cmp(b)));
    scored.dedup_by(|(_, one), (_, other)| one == other);
    let names: Vec<&str> = scored
        .iter()
        .take(MOST_SIMILAR)
        .map(|(_, name)| *name)
        .collect();
    match names.is_empty() {
        true => "uop names begin with an underscore; patterns have * and ? (_GUARD_*)".to_owned(),
        false => format!("similar: {}", names.join(", ")),
    }
}
