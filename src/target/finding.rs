//! Something odd about a target, found while it was opened or read.

/// What is odd, and what to do about it. The layers above put it into their reports.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Finding {
    /// What it is, in a sentence.
    pub what: String,
    /// What to do, if something can be done.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding without advice.
    pub fn new(what: impl Into<String>) -> Finding {
        Finding {
            what: what.into(),
            hint: None,
        }
    }

    /// The same, with what to do.
    pub fn hint(self, hint: impl Into<String>) -> Finding {
        Finding {
            hint: Some(hint.into()),
            ..self
        }
    }
}
