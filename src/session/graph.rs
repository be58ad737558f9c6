//! All executors and the exits that link them.

use super::Session;
use crate::address::{Address, BytecodeOffset};
use crate::cpython::Found;
use crate::error::Result;
use crate::listing::{Drawing, ExecutorExits, ExitRow, GraphData, GraphLink, GraphNode, Hottest};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

impl Session {
    /// The graph of all executors, or of those that can be reached from `start`. Cold executors, which stand for exits
    /// without one, are left out.
    pub fn graph(&self, start: Option<Address>) -> Result<GraphData> {
        let mut addresses: Vec<Address> = self
            .executors()?
            .iter()
            .filter(|known| known.executor.is_ok() && !known.header.found.contains(&Found::Cold))
            .map(|known| known.address)
            .collect();
        addresses.extend(start.filter(|start| !addresses.contains(start)));
        let mut exits = self.exits(&addresses)?;
        if let Some(start) = start {
            let wanted = reachable(&exits, start);
            exits.retain(|one| wanted.contains(&one.executor.address));
        }
        let links: Vec<GraphLink> = exits.iter().flat_map(links_of).collect();
        let joined = links.iter().flat_map(|link| [link.from, link.to]).collect();
        let before = exits.len();
        exits.retain(|one| Some(one.executor.address) == start || is_of_interest(one, &joined));
        let left_out = (before - exits.len()) as u64;
        Ok(GraphData {
            executors: exits
                .into_iter()
                .map(|one| self.node(one))
                .collect::<Result<_>>()?,
            links,
            left_out,
            drawing: Drawing::default(),
        })
    }

    fn node(&self, one: ExecutorExits) -> Result<GraphNode> {
        let mapped = self.mapped(one.executor.address)?;
        let python = self.python()?;
        let loops = mapped.executor.uops.iter().take(mapped.body).any(|uop| {
            let kind = python.uops.kind(uop.opcode);
            kind.is_some_and(|kind| &*kind.base == "_JUMP_TO_TOP")
        });
        let offset = one.executor.entry.map(|entry| entry.bytecode_offset);
        let cold = || one.exits.iter().filter(|exit| exit.linked_to.is_none());
        Ok(GraphNode {
            entry_opname: self.opname_at(mapped.executor.code, offset)?,
            loops,
            cold_exits: cold().count() as u64,
            hottest: hottest(cold()),
            executor: one.executor,
        })
    }

    /// The name of the instruction at an offset of a code object.
    fn opname_at(&self, code: Address, offset: Option<BytecodeOffset>) -> Result<Option<Arc<str>>> {
        let Some(offset) = offset.filter(|_| !code.is_null()) else {
            return Ok(None);
        };
        let sources = self.sources()?;
        let code = sources.codes.get(sources.python, sources.reader, code);
        Ok(code.and_then(|code| code.instruction(offset)?.name.clone()))
    }
}

/// Whether it can still run, or is joined with one that can. The others are many on 3.14, which never frees some.
fn is_of_interest(one: &ExecutorExits, joined: &HashSet<Address>) -> bool {
    let executor = &one.executor;
    let state = &executor.state;
    state.valid
        || state.pending_deletion
        || !state.running_in.is_empty()
        || joined.contains(&executor.address)
}

/// Where all count the same, none is the hottest.
fn hottest<'e>(cold: impl Iterator<Item = &'e ExitRow>) -> Option<Hottest> {
    let counts: Vec<Hottest> = cold.filter_map(hotness).collect();
    let first = counts.iter().copied().min_by_key(|one| one.left)?;
    let differ = counts.iter().any(|one| one.left != first.left);
    (differ || counts.len() == 1).then_some(first)
}

fn hotness(exit: &ExitRow) -> Option<Hottest> {
    let counter = exit
        .temperature
        .filter(|counter| counter.unreachable == Some(false))?;
    Some(Hottest {
        exit: exit.index,
        left: counter.value?,
    })
}

fn links_of(one: &ExecutorExits) -> impl Iterator<Item = GraphLink> {
    one.exits.iter().filter_map(|exit| {
        Some(GraphLink {
            from: one.executor.address,
            exit: exit.index,
            to: exit.linked_to.as_ref()?.executor,
            kind: exit.kind,
            code: exit.code.clone(),
            bytecode: exit.bytecode.clone(),
            line: exit.line,
        })
    })
}

/// The executors to which links lead from `start`, itself included.
fn reachable(all: &[ExecutorExits], start: Address) -> HashSet<Address> {
    let by_address: HashMap<Address, &ExecutorExits> =
        all.iter().map(|one| (one.executor.address, one)).collect();
    let mut seen = HashSet::from([start]);
    let mut next = vec![start];
    while let Some(address) = next.pop() {
        let Some(one) = by_address.get(&address) else {
            continue;
        };
        let targets = one.exits.iter().flat_map(|exit| &exit.linked_to);
        next.extend(
            targets
                .map(|link| link.executor)
                .filter(|target| seen.insert(*target)),
        );
    }
    seen
}
