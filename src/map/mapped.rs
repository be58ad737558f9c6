//! An executor with all that the map tells of it.

use super::activations::TraceFrame;
use super::origin::{Origins, origins};
use super::{CodeMap, Origin, Place, Sources};
use crate::address::{Address, Range, UopIndex};
use crate::cpython::{CodeObject, Executor, Uop};
use crate::disasm::Architecture;
use std::sync::Arc;

/// An executor, the map of its code and where each of its uops comes from.
#[derive(Clone, Debug)]
pub struct MappedExecutor {
    /// The executor.
    pub executor: Executor,
    /// Its allocation.
    pub map: CodeMap,
    /// The origin of each uop.
    pub origins: Vec<Origin>,
    /// The frames that its trace runs in.
    pub frames: Vec<TraceFrame>,
    /// How many uops the main part of the trace has; behind it are the stubs.
    pub body: usize,
    /// What does not add up.
    pub findings: Vec<String>,
}

impl MappedExecutor {
    /// Maps `executor`; `entry` is the code object in which its trace begins, where that is known from elsewhere.
    pub fn new(
        sources: Sources<'_>,
        architecture: Architecture,
        executor: Executor,
        entry: Option<Arc<CodeObject>>,
    ) -> MappedExecutor {
        let map = CodeMap::new(&sources.python.uops, architecture, &executor);
        let Origins {
            origins,
            frames,
            body,
            mut findings,
        } = origins(sources, &executor, entry);
        findings.extend(map.findings.iter().cloned());
        findings.extend(contradictions(sources, &executor));
        MappedExecutor {
            executor,
            map,
            origins,
            frames,
            body,
            findings,
        }
    }

    /// The uops with their origins, in the order of the trace.
    pub fn uops(&self) -> impl Iterator<Item = (UopIndex, &Uop, &Origin)> {
        (0..)
            .map(UopIndex)
            .zip(self.executor.uops.iter().zip(&self.origins))
            .map(|(index, (uop, origin))| (index, uop, origin))
    }

    /// The code object in which the trace begins.
    pub fn function(&self) -> Option<&Arc<CodeObject>> {
        self.origins.first()?.code.as_ref()
    }

    /// Whether `address` is in the allocation.
    pub fn contains(&self, address: Address) -> bool {
        Range::new(self.executor.jit_code, self.executor.jit_size).contains(address)
    }

    /// Where `address` is in the allocation.
    pub fn locate(&self, address: Address) -> Option<Place> {
        self.map.locate(address)
    }

    /// The index of the exit whose record is at `address`.
    pub fn exit_index(&self, address: Address) -> Option<u32> {
        let index = self
            .executor
            .exits
            .iter()
            .position(|exit| exit.address == address)?;
        u32::try_from(index).ok()
    }
}

/// What an executor says of itself that cannot be.
fn contradictions(sources: Sources<'_>, executor: &Executor) -> Vec<String> {
    let mut findings = Vec::new();
    let count = executor.uops.len();
    for (index, uop) in executor.uops.iter().enumerate() {
        for target in [uop.jumps.jump, uop.jumps.error].into_iter().flatten() {
            if target.0 as usize >= count {
                findings.push(format!(
                    "uop {index} jumps to uop {target}, but the trace has {count}"
                ));
            }
        }
    }
    if executor.code.is_null() {
        return findings;
    }
    if sources
        .codes
        .get(sources.python, sources.reader, executor.code)
        .is_none()
    {
        findings.push(format!(
            "vm_data.code is {}, where there is no code object",
            executor.code
        ));
    } else if executor.entry.is_none() {
        findings
            .push("vm_data.index is negative: where bytecode enters it is not known".to_owned());
    }
    findings
}
