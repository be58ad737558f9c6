//! The long search for executors that neither the lists nor the threads nor exits lead to.

use super::Known;
use super::executors::AtStop;
use super::registered::RegisteredCode;
use super::search::Search;
use crate::address::Address;
use crate::cpython::{CPython, Found, Registration, Tracked};
use crate::error::Result;
use crate::listing::Finding;
use crate::target::Reader;
use std::collections::BTreeSet;

/// All that a long search found.
#[derive(Default)]
pub struct Thorough {
    /// The executors, those that were known before it first.
    pub executors: Vec<Known>,
    /// What kept it from being complete.
    pub findings: Vec<Finding>,
}

impl Thorough {
    /// Goes on where [`AtStop::executors`] ends.
    pub fn search(stop: &AtStop, python: &CPython, reader: Reader<'_>) -> Result<Thorough> {
        let near = stop.executors(python, reader)?.to_vec();
        let mut search = Search::resume(python, reader, near);
        let mut codes: BTreeSet<Address> = search.codes().collect();
        for thread in stop.threads(python, reader)? {
            codes.extend(&thread.codes);
        }
        stop.codes()
            .prefetch(python, reader, &codes.iter().copied().collect::<Vec<_>>());
        search.add_slots(&codes);
        search.follow_exits();
        let mut findings = Vec::new();
        if !ask_registrations(stop, python, reader, &mut search, &mut findings) {
            for interpreter in stop.interpreters(python, reader)? {
                ask_collector(
                    python,
                    reader,
                    interpreter.address,
                    &mut search,
                    &mut findings,
                );
            }
            search.follow_exits();
        }
        Ok(Thorough {
            executors: search.known,
            findings,
        })
    }
}

/// Whether the registrations prove that all executors are known.
fn ask_registrations(
    stop: &AtStop,
    python: &CPython,
    reader: Reader<'_>,
    search: &mut Search<'_>,
    findings: &mut Vec<Finding>,
) -> bool {
    let Some(registered) = stop.registrations(python, reader) else {
        return false;
    };
    findings.extend(registered.findings.iter().map(Finding::warning));
    let unknown = search.note_registered(&registered.entries);
    let own = unknown
        .iter()
        .filter(|registration| RegisteredCode::read(reader, registration).is_ok());
    let (making, lost): (Vec<&Registration>, Vec<&Registration>) =
        own.partition(|registration| registered.current == Some(registration.entry));
    findings.extend(making.iter().map(|registration| {
        Finding::note("an executor is being compiled at this moment: its code is here already")
            .at(registration.code)
    }));
    findings.extend(lost.iter().map(|registration| {
        Finding::warning(
            "code of an executor is registered for debuggers here, but no executor with it was found",
        )
        .at(registration.code)
    }));
    registered.findings.is_empty() && lost.is_empty()
}

fn ask_collector(
    python: &CPython,
    reader: Reader<'_>,
    interpreter: Address,
    search: &mut Search<'_>,
    findings: &mut Vec<Finding>,
) {
    match Tracked::read(python, reader, interpreter, None) {
        Ok(tracked) => {
            for executor in tracked.executors {
                search.add(executor, Found::Gc);
            }
            findings.extend(tracked.findings.iter().map(Finding::warning));
        }
        Err(error) => findings.push(Finding::warning(format!(
            "invalid executors that only the garbage collector knows are left out: {error}"
        ))),
    }
}
