//! The report of `cpyjit doctor`: what was looked at, and how it is.

use serde::Serialize;

/// Everything that was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct DoctorData {
    /// The version of this cpyjit.
    pub version: &'static str,
    /// The installation, the debuggers and the CPythons.
    pub subjects: Vec<DoctorSubject>,
}

impl DoctorData {
    /// How many checks found a problem.
    pub fn problems(&self) -> u64 {
        let checks = self.subjects.iter().flat_map(|subject| &subject.checks);
        let problems = checks.filter(|check| check.state == Health::Problem);
        u64::try_from(problems.count()).unwrap_or(u64::MAX)
    }
}

/// Something that was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DoctorSubject {
    /// What it is.
    pub kind: SubjectKind,
    /// Where it is; none if there is no such thing.
    pub path: Option<String>,
    /// What was checked, in this order.
    pub checks: Vec<DoctorCheck>,
}

/// What was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectKind {
    /// cpyjit itself.
    Installation,
    /// A GDB.
    Gdb,
    /// An LLDB.
    Lldb,
    /// A CPython that may be debugged.
    Cpython,
}

/// One check.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DoctorCheck {
    /// Of what.
    pub name: &'static str,
    /// How it is.
    pub state: Health,
    /// What was found.
    pub what: String,
    /// What to do.
    pub advice: Option<String>,
}

impl DoctorCheck {
    /// As it should be.
    pub fn ok(name: &'static str, what: impl Into<String>) -> DoctorCheck {
        DoctorCheck {
            name,
            state: Health::Ok,
            what: what.into(),
            advice: None,
        }
    }

    /// Something is missing that nobody asked for.
    pub fn note(name: &'static str, what: impl Into<String>) -> DoctorCheck {
        DoctorCheck {
            state: Health::Note,
            ..DoctorCheck::ok(name, what)
        }
    }

    /// Something does not work.
    pub fn problem(name: &'static str, what: impl Into<String>) -> DoctorCheck {
        DoctorCheck {
            state: Health::Problem,
            ..DoctorCheck::ok(name, what)
        }
    }

    /// The same, with what to do.
    pub fn advice(self, advice: impl Into<String>) -> DoctorCheck {
        DoctorCheck {
            advice: Some(advice.into()),
            ..self
        }
    }
}

/// How something is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Ok,
    /// Not there, and not needed.
    Note,
    /// Something will not work.
    Problem,
}
