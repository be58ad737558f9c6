//! `cpyjit doctor`: looks at all that must fit together, from the debugger to the CPython.

mod ask;
mod debugger;
mod python;

use super::installation::{Debugger, Installation};
use crate::command::{self, Failure, Reply, TextStyle};
use crate::listing::{Data, DoctorCheck, DoctorData, DoctorSubject, Report, SubjectKind};
use debugger::Examined;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  cpyjit doctor                          the debuggers and CPythons on PATH
  cpyjit doctor --gdb ~/gdb/bin/gdb      only this GDB, besides the LLDB on PATH
  cpyjit doctor --python ./python        a CPython of your own
  cpyjit doctor --json                   for scripts

Each debugger is started twice: bare, to load cpyjit into it, and as you start it, with your init files. \
A debugger that is neither named nor set up (`cpyjit install`) is no problem as long as another one is.
Exit status: 0, 1 if there is a problem, 2 for a wrong call.";

/// Check that debuggers, cpyjit and CPython fit together
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    /// Look at this GDB instead of the one on PATH (may be repeated)
    #[arg(long, value_name = "PATH")]
    gdb: Vec<PathBuf>,

    /// Look at this LLDB instead of the one on PATH (may be repeated)
    #[arg(long, value_name = "PATH")]
    lldb: Vec<PathBuf>,

    /// Look at this CPython instead of those on PATH (may be repeated)
    #[arg(long, value_name = "PATH")]
    python: Vec<PathBuf>,

    /// Print one JSON document instead of text
    #[arg(long)]
    pub json: bool,
}

impl Doctor {
    /// Looks at everything.
    pub fn run(&self, own_file: Option<&Path>, style: TextStyle) -> Result<Reply, Failure> {
        let installation = Installation::of(own_file)?;
        let mut subjects = vec![own(&installation)];
        let debuggers = self.debuggers(&installation);
        let directories: Vec<PathBuf> = (debuggers.iter())
            .flat_map(|one| one.debug_directories.iter().cloned())
            .filter(|directory| directory.is_absolute())
            .collect();
        subjects.extend(debuggers.into_iter().map(|one| one.subject));
        subjects.extend(python::examine_all(&self.python, &directories));
        let report = Report {
            target: None,
            data: Data::Doctor(DoctorData {
                version: env!("CARGO_PKG_VERSION"),
                subjects,
            }),
            findings: Vec::new(),
        };
        Ok(command::tell(&report, self.json, style))
    }

    /// Looks at the debuggers; problems of those that nobody asked for are remarks.
    fn debuggers(&self, installation: &Installation) -> Vec<Examined> {
        let mut all = Vec::new();
        for (debugger, named) in [(Debugger::Gdb, &self.gdb), (Debugger::Lldb, &self.lldb)] {
            let found: Vec<PathBuf> = match named.as_slice() {
                [] => debugger.on_path().into_iter().collect(),
                named => named.to_vec(),
            };
            let examined = found
                .iter()
                .map(|path| debugger::examine(debugger, path, installation));
            all.extend(examined.map(|examined| (examined, !named.is_empty())));
            if found.is_empty() {
                all.push((debugger::absent(debugger), false));
            }
        }
        let is_wanted = |(examined, named): &(Examined, bool)| *named || examined.is_set_up;
        let is_there = |(examined, _): &(Examined, bool)| examined.subject.path.is_some();
        let somebody_is_wanted = all.iter().any(is_wanted);
        let somebody_is_there = all.iter().any(is_there);
        for one in &mut all {
            let others_do = somebody_is_wanted || (somebody_is_there && !is_there(one));
            if others_do && !is_wanted(one) {
                debugger::demote(&mut one.0.subject);
            }
        }
        all.into_iter().map(|(examined, _)| examined).collect()
    }
}

/// This cpyjit itself.
fn own(installation: &Installation) -> DoctorSubject {
    let extension = installation.extension();
    let mut checks = vec![match extension.metadata() {
        Ok(metadata) => {
            let size = metadata.len() as f64 / 1e6;
            DoctorCheck::ok(
                "extension",
                format!("{} ({size:.1} MB)", extension.display()),
            )
        }
        Err(error) => {
            DoctorCheck::problem("extension", format!("{}: {error}", extension.display()))
                .advice("install cpyjit again; in the source tree, scripts/build makes it")
        }
    }];
    if let Some(named) = std::env::var_os("CPYJIT_EXTENSION") {
        let what = format!(
            "CPYJIT_EXTENSION is set: debuggers load {}",
            named.display()
        );
        checks.push(DoctorCheck::note("environment", what));
    }
    DoctorSubject {
        kind: SubjectKind::Installation,
        path: Some(installation.directory().display().to_string()),
        checks,
    }
}
