//! Listings of executors, and of the parts of them that are asked for.

use super::freed::only_remains;
use super::provenance::HoleFinder;
use super::{Known, Session, pattern};
use crate::address::{Address, UopIndex};
use crate::cpython::{CPython, Executor};
use crate::error::{Error, Result};
use crate::listing::{
    Detail, ExecutorHeader, ExecutorListing, Finding, Provenance, executor_header,
};
use crate::map::{MappedExecutor, Place};

/// Which uops of an executor are wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    /// Which of them all.
    pub uops: Uops,
    /// Whether stubs are among them.
    pub stubs: bool,
}

/// A choice of uops.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Uops {
    /// All.
    All,
    /// From this index to that one, both included.
    Range(u32, u32),
    /// Those whose name or base name matches this pattern.
    Named(String),
    /// So many on each side of the one that contains the address.
    Around(Address, u32),
}

impl Session {
    /// What is said of each of [`Session::executors`] that can be read, in the order of their numbers.
    pub fn headers(&self) -> Result<Vec<ExecutorHeader>> {
        self.headers_among(self.executors()?)
    }

    /// The same of [`Session::all_executors`].
    pub fn all_headers(&self) -> Result<Vec<ExecutorHeader>> {
        self.headers_among(self.all_executors()?)
    }

    fn headers_among(&self, executors: &[Known]) -> Result<Vec<ExecutorHeader>> {
        let mut headers = Vec::new();
        for known in executors {
            if let Ok(executor) = &known.executor {
                headers.push(self.header_of_listed(known, executor)?);
            }
        }
        Ok(headers)
    }

    /// An executor that bytecode enters names its function itself; only for others the map is needed.
    fn header_of_listed(&self, known: &Known, executor: &Executor) -> Result<ExecutorHeader> {
        let sources = self.sources()?;
        let named = |code| {
            let (python, reader) = (sources.python, sources.reader);
            let generation = || self.at_stop.generation(python, reader);
            let is_useful = executor.state.valid && reader.keeps_lasting();
            let generation = is_useful.then(generation).flatten();
            sources
                .codes
                .named(python, reader, code, generation.as_deref())
        };
        let function = (!executor.code.is_null())
            .then(|| named(executor.code))
            .flatten();
        let function = match function {
            Some(code) => Some(code),
            None => self.mapped(known.address)?.function().cloned(),
        };
        Ok(executor_header(
            sources.python,
            executor,
            function.as_deref(),
            &known.header,
        ))
    }

    /// What is said of the executor at `address`, which need not be in any list.
    pub fn header(&self, address: Address) -> Result<ExecutorHeader> {
        self.header_of(&*self.mapped(address)?)
    }

    pub(super) fn header_of(&self, mapped: &MappedExecutor) -> Result<ExecutorHeader> {
        let header = self.known(mapped.executor.address, true)?;
        let function = mapped.function().map(AsRef::as_ref);
        Ok(executor_header(
            self.python()?,
            &mapped.executor,
            function,
            &header,
        ))
    }

    /// The listings of these executors.
    pub fn listings(
        &self,
        executors: &[Address],
        selection: &Selection,
        detail: Detail,
    ) -> Result<Vec<ExecutorListing>> {
        let mut disassembler = self.disassembler(detail.syntax)?;
        let mut annotator = self.annotator()?;
        let mut builder = self.builder(&mut disassembler, annotator.as_mut())?;
        let python = builder.python;
        let mut holes = HoleFinder::new(self);
        executors
            .iter()
            .map(|address| {
                let mapped = self.mapped(*address)?;
                let uops = resolve(&selection.uops, &mapped)?;
                let header = self.known(*address, detail.parents)?;
                let wanted = |index: UopIndex| {
                    (selection.stubs || (index.0 as usize) < mapped.body)
                        && chosen(&uops, python, &mapped, index)
                };
                let holes = match detail.instructions && detail.notes {
                    true => holes.holes(&mapped, wanted),
                    false => Vec::new(),
                };
                let rebuilt = detail.verify.then(|| self.rebuilt(&mapped));
                let provenance = Provenance {
                    holes: &holes,
                    rebuilt: rebuilt.as_ref().and_then(|rebuilt| rebuilt.as_deref().ok()),
                };
                let mut listing = builder.listing(&mapped, &header, provenance, detail, wanted);
                if detail.exits && listing.is_whole() {
                    listing.exits = Some(self.exits_of(&mapped, &listing.uops)?);
                }
                if let Some(rebuilt) = rebuilt {
                    let rebuilt = rebuilt.as_deref().map_err(String::as_str);
                    listing.findings.extend(self.verified(&mapped, rebuilt));
                }
                let remains = only_remains(&mapped.executor, &header.found);
                listing
                    .findings
                    .extend(remains.map(|what| Finding::warning(what).at(*address)));
                Ok(listing)
            })
            .collect()
    }

    /// Whether a uop of the main part of the executor at `address` comes from this line of a file whose name `is_file`.
    pub fn contains_line(
        &self,
        address: Address,
        is_file: impl Fn(&str) -> bool,
        line: i32,
    ) -> Result<bool> {
        let mapped = self.mapped(address)?;
        Ok(mapped.origins.iter().take(mapped.body).any(|origin| {
            origin.line() == Some(line)
                && origin
                    .code
                    .as_ref()
                    .is_some_and(|code| is_file(&code.filename))
        }))
    }

    /// The base names of all uops that this CPython has.
    pub fn uop_names(&self) -> Result<Vec<String>> {
        let mut names: Vec<String> = self
            .python()?
            .uops
            .iter()
            .map(|(_, kind)| kind.base.to_string())
            .collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}

/// The uops around an address become a range.
fn resolve(uops: &Uops, mapped: &MappedExecutor) -> Result<Uops> {
    let Uops::Around(address, window) = uops else {
        return Ok(uops.clone());
    };
    match mapped.locate(*address) {
        Some(Place::Uop(UopIndex(index), _)) => Ok(Uops::Range(
            index.saturating_sub(*window),
            index.saturating_add(*window),
        )),
        _ => Err(Error::NotFound {
            message: format!(
                "{address} is in no uop of executor {}",
                mapped.executor.address
            ),
            hint: Some("jit-where ADDRESS tells what it is".to_owned()),
        }),
    }
}

fn chosen(uops: &Uops, python: &CPython, mapped: &MappedExecutor, index: UopIndex) -> bool {
    match uops {
        Uops::All | Uops::Around(..) => true,
        Uops::Range(from, to) => (*from..=*to).contains(&index.0),
        Uops::Named(name) => mapped
            .executor
            .uops
            .get(index.0 as usize)
            .and_then(|uop| python.uops.kind(uop.opcode))
            .is_some_and(|kind| {
                pattern::matches(name, &kind.name) || pattern::matches(name, &kind.base)
            }),
    }
}
