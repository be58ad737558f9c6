//! What is said and what is to be done.

use super::Action;
use crate::listing::Finding;

/// The answer to a command of the user, or to something that has happened.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Lines to be printed.
    pub lines: Vec<String>,
    /// What was missing or odd.
    pub findings: Vec<Finding>,
    /// What the front-end is to do.
    pub actions: Vec<Action>,
    /// Whether the target is to stay stopped, where that is the question.
    pub stop: bool,
}

impl Told {
    /// Only something to do.
    pub fn to_do(actions: Vec<Action>) -> Told {
        Told {
            actions,
            ..Told::default()
        }
    }

    /// With what another part has to say and to do, behind this.
    pub fn and(mut self, other: Told) -> Told {
        self.lines.extend(other.lines);
        self.findings.extend(other.findings);
        self.actions.extend(other.actions);
        self.stop |= other.stop;
        self
    }
}
