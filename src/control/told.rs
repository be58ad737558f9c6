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
}
