//! What was tried and why it was refused: the reasons that go with a partial answer.

use std::fmt;
use std::path::{Path, PathBuf};

/// A file that was looked at and not used, or only in part, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The file.
    pub path: PathBuf,
    /// What is the matter with it, as the end of a sentence: `its build id is … instead of …`.
    pub what: String,
}

impl Finding {
    pub(super) fn new(path: &Path, what: impl Into<String>) -> Finding {
        Finding {
            path: path.to_owned(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}
