//! What a command gives back: text, and what the front-end is to do.

use crate::control;
use crate::error::Error;
use crate::listing::{Data, Finding, Report, Severity, TargetFacts};
use crate::render::harmless;

/// The answer of a command.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reply {
    /// To be printed as it is.
    pub text: String,
    /// Whether the command failed; the text then says why.
    pub failed: bool,
    /// The exit status on the command line: 0, 1, or 2 for a wrong call.
    pub status: u8,
    /// What the front-end is to do.
    pub actions: Vec<Action>,
    /// Whether the target is to stay stopped, where that was the question.
    pub stop: bool,
}

/// Something that only the front-end can do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Write a file.
    WriteFile {
        /// Where, as the user wrote it.
        path: String,
        /// What.
        content: String,
    },
    /// Steer the target.
    Control(control::Action),
}

/// Why a command failed: the reason first, then what else helps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The reason, and for instance the choices that there are.
    pub findings: Vec<Finding>,
    /// Whether the call was wrong rather than the target.
    pub usage: bool,
}

impl Failure {
    /// A failure for this reason.
    pub fn new(what: impl Into<String>) -> Failure {
        let finding = Finding {
            severity: Severity::Error,
            ..Finding::warning(what)
        };
        Failure {
            findings: vec![finding],
            usage: false,
        }
    }

    /// The same, with what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        if let Some(first) = self.findings.first_mut() {
            first.hint = Some(hint.into());
        }
        self
    }

    /// A wrong call.
    pub fn usage(what: impl Into<String>) -> Failure {
        Failure {
            usage: true,
            ..Failure::new(what)
        }
    }

    /// A target that cannot be read because it is running.
    pub fn running() -> Failure {
        Failure::new("the target is running")
            .hint("interrupt it first; its memory changes while it is read")
    }

    /// The reason and what to do, in one line without control characters.
    pub fn sentence(&self) -> String {
        let errors = self.findings.iter();
        let sentences: Vec<String> = errors
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| match &finding.hint {
                Some(hint) => format!("{} ({hint})", finding.what),
                None => finding.what.clone(),
            })
            .collect();
        harmless(&sentences.join("; "))
    }

    /// The report of a failed command.
    pub fn report(self, target: Option<TargetFacts>) -> Report {
        Report {
            target,
            data: Data::Error {},
            findings: self.findings,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let message = error.to_string();
        match error {
            Error::Usage { hint, .. } => with_hint(Failure::usage(message), hint),
            Error::NotFound { hint, .. } => with_hint(Failure::new(message), hint),
            Error::Memory { fault, .. } => {
                let mut failure = Failure::new(message);
                if let Some(first) = failure.findings.first_mut() {
                    first.address = Some(fault.address);
                }
                failure
            }
            _ => Failure::new(message),
        }
    }
}

fn with_hint(failure: Failure, hint: Option<String>) -> Failure {
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
