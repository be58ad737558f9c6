//! The exits of executors, with what takes them and where they lead.

use super::Session;
use crate::address::{Address, UopIndex};
use crate::cpython::{Exit, Found};
use crate::disasm::Syntax;
use crate::error::Result;
use crate::listing::{
    ExecutorExits, ExecutorHeader, ExitRecordKind, ExitRow, Finding, Link, Temperature, UopName,
    UopRow, executor_header,
};
use crate::map::{MappedExecutor, guards_branch};
use std::collections::HashMap;

impl Session {
    /// The exits of these executors.
    pub fn exits(&self, executors: &[Address]) -> Result<Vec<ExecutorExits>> {
        let links = self.links()?;
        let mut disassembler = self.disassembler(Syntax::default())?;
        let mut builder = self.builder(&mut disassembler, None)?;
        let mut all = Vec::new();
        for address in executors {
            let mapped = self.mapped(*address)?;
            let uops: Vec<UopRow> = mapped
                .uops()
                .map(|(index, uop, origin)| builder.row(&mapped, index, uop, origin))
                .collect();
            let stubs = Stubs::of(&mapped, &uops);
            all.push(ExecutorExits {
                executor: self.header_of(&mapped)?,
                exits: rows(&mapped, &stubs, &links),
                findings: findings(&mapped, &stubs),
            });
        }
        Ok(all)
    }

    /// The exits of one executor, of which these are all uops. Only the executors that they lead to are read.
    pub(super) fn exits_of(
        &self,
        mapped: &MappedExecutor,
        uops: &[UopRow],
    ) -> Result<Vec<ExitRow>> {
        let mut links = HashMap::new();
        for exit in &mapped.executor.exits {
            if !exit.executor.is_null() && !links.contains_key(&exit.executor) {
                links.insert(exit.executor, self.link(exit.executor)?);
            }
        }
        Ok(rows(mapped, &Stubs::of(mapped, uops), &links))
    }

    /// What can be said of an executor that an exit leads to; `None` if it is cold, or none of this CPython's.
    fn link(&self, address: Address) -> Result<Option<Link>> {
        if self.at_stop.is_cold(self.sources()?, address)? {
            return Ok(None);
        }
        let header = self.known(address, false)?;
        if header.found.is_empty() || header.found.contains(&Found::Cold) {
            return Ok(None);
        }
        Ok(Some(match self.mapped(address) {
            Ok(mapped) => link_to(executor_header(
                self.python()?,
                &mapped.executor,
                mapped.function().map(AsRef::as_ref),
                &header,
            )),
            Err(_) => unread(address, header.index),
        }))
    }

    /// What can be said of each executor that an exit may lead to; `None` for cold ones.
    fn links(&self) -> Result<HashMap<Address, Option<Link>>> {
        let headers = self.headers()?;
        let mut links: HashMap<Address, Option<Link>> = self
            .executors()?
            .iter()
            .map(|known| {
                let cold = known.header.found.contains(&Found::Cold);
                let unread = unread(known.address, known.header.index);
                (known.address, (!cold).then_some(unread))
            })
            .collect();
        for header in headers {
            if let Some(Some(link)) = links.get_mut(&header.address) {
                *link = link_to(header);
            }
        }
        Ok(links)
    }
}

fn link_to(header: ExecutorHeader) -> Link {
    Link {
        executor: header.address,
        index: header.index,
        qualname: header.qualname,
        entry: header.entry,
        chain_depth: header.chain_depth,
        valid: Some(header.state.valid),
    }
}

/// An executor that cannot be read.
fn unread(address: Address, index: Option<u32>) -> Link {
    Link {
        executor: address,
        index,
        qualname: None,
        entry: None,
        chain_depth: None,
        valid: None,
    }
}

/// The uops that carry out exits, by the exit record that their operand names.
struct Stubs<'r> {
    by_record: HashMap<Address, &'r UopRow>,
    /// By stub, the uops that jump to it.
    callers: HashMap<UopIndex, Vec<&'r UopRow>>,
}

impl<'r> Stubs<'r> {
    fn of(mapped: &MappedExecutor, uops: &'r [UopRow]) -> Stubs<'r> {
        let mut stubs = Stubs {
            by_record: HashMap::new(),
            callers: HashMap::new(),
        };
        for row in uops {
            if !row.is_stub {
                for stub in [row.jump_target, row.error_target].into_iter().flatten() {
                    stubs.callers.entry(stub).or_default().push(row);
                }
            }
            let record = Address(row.operand0.0);
            let is_exit = matches!(&*row.base, "_EXIT_TRACE" | "_DYNAMIC_EXIT");
            if is_exit && mapped.exit_index(record).is_some() {
                stubs.by_record.entry(record).or_insert(row);
            }
        }
        stubs
    }

    /// The uops that take the exit of this one: those that jump there, or the last uop of the trace itself.
    fn callers(&self, stub: &'r UopRow) -> Vec<&'r UopRow> {
        match stub.is_stub {
            true => self.callers.get(&stub.index).cloned().unwrap_or_default(),
            false => vec![stub],
        }
    }
}

fn rows(
    mapped: &MappedExecutor,
    stubs: &Stubs<'_>,
    links: &HashMap<Address, Option<Link>>,
) -> Vec<ExitRow> {
    let exits = (0..).zip(&mapped.executor.exits);
    exits
        .map(|(index, exit)| row(index, exit, stubs, links))
        .collect()
}

fn row(
    index: u32,
    exit: &Exit,
    stubs: &Stubs<'_>,
    links: &HashMap<Address, Option<Link>>,
) -> ExitRow {
    let stub = stubs.by_record.get(&exit.address).copied();
    let callers = stub.map_or_else(Vec::new, |stub| stubs.callers(stub));
    let linked_to = match exit.executor.is_null() {
        true => None,
        false => links.get(&exit.executor).cloned().flatten(),
    };
    ExitRow {
        index,
        address: exit.address,
        kind: kind(exit, stub, &callers),
        stub: stub.map(|stub| stub.index),
        uops: callers.iter().map(|row| name(row)).collect(),
        target: exit.target,
        code: stub.and_then(|stub| stub.code.clone()),
        bytecode: stub.and_then(|stub| stub.bytecode.clone()),
        line: stub.and_then(|stub| stub.line),
        depth: stub.map_or(0, |stub| stub.depth),
        temperature: exit.temperature.map(Temperature::from),
        linked_to,
    }
}

fn kind(exit: &Exit, stub: Option<&UopRow>, callers: &[&UopRow]) -> ExitRecordKind {
    match stub {
        Some(stub) if &*stub.base == "_DYNAMIC_EXIT" => ExitRecordKind::Dynamic,
        Some(stub) if !stub.is_stub => ExitRecordKind::End,
        // 3.14 does not mark them; there the names of the guards tell.
        _ if exit.is_control_flow || callers.iter().any(|row| guards_branch(&row.base)) => {
            ExitRecordKind::ControlFlow
        }
        _ => ExitRecordKind::Side,
    }
}

fn name(row: &UopRow) -> UopName {
    UopName {
        index: row.index,
        name: row.name.clone(),
    }
}

fn findings(mapped: &MappedExecutor, stubs: &Stubs<'_>) -> Vec<Finding> {
    let address = mapped.executor.address;
    let own = mapped.findings.iter();
    let mut findings: Vec<Finding> = own
        .map(|what| Finding::warning(what.clone()).at(address))
        .collect();
    for (index, exit) in mapped.executor.exits.iter().enumerate() {
        if !stubs.by_record.contains_key(&exit.address) {
            let what = format!("no uop of the trace carries out exit {index}");
            findings.push(Finding::warning(what).at(exit.address));
        }
    }
    findings
}
