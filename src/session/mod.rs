//! One target at one stop: everything is read when it is first asked for, and forgotten when the target runs.

mod backtrace;
mod bytecode;
mod check_rows;
mod code_bytes;
mod code_events;
mod described;
mod emitters;
mod evidence;
mod executors;
mod exits;
mod freed;
mod graph;
mod info;
mod linkage;
mod listings;
mod page;
pub mod pattern;
mod place;
mod program;
mod provenance;
mod registered;
mod running;
mod search;
mod stack;
mod steps;
mod symbols;
mod thorough;
mod unwinding;
mod verify;

pub use backtrace::Extent;
pub use bytecode::Function;
pub use code_events::{CompileEvent, FreeEvent, InvalidateEvent};
pub use executors::Known;
pub use listings::{Selection, Uops};
pub use program::Program;
pub use stack::StackRequest;
pub use unwinding::{CodeRegion, NamedCaller};

use crate::address::Address;
use crate::cpython::{CPython, Executor};
use crate::disasm::{Disassembler, Syntax};
use crate::error::{Error, Result};
use crate::image::Cache;
use crate::listing::{Annotator, Finding, Header, ListingBuilder, SourceFiles, TargetFacts};
use crate::map::{MappedExecutor, Sources};
use crate::platform::Architecture;
use crate::restitch::Builtins;
use crate::target::{
    CachedMemory, Description, Evaluate, FrameRegisters, Memory, Reader, Stop, ThreadRegisters,
};
use crate::unwind::Modules;
use executors::AtStop;
use std::cell::{OnceCell, RefCell, RefMut};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// A target.
pub struct Session {
    memory: CachedMemory,
    evaluate: Box<dyn Evaluate>,
    description: Description,
    cache: Cache,
    /// What stays the same as long as the same files are loaded. Only success is kept: what is missing now (the
    /// interpreter has not started, its library is not loaded yet) may be there at the next stop.
    program: OnceCell<Program>,
    disassemblers: RefCell<HashMap<Syntax, Disassembler>>,
    /// Made with the first remark; nothing in it for a CPython whose registers are not understood.
    annotator: RefCell<Option<Option<Annotator>>>,
    at_stop: AtStop,
    sources: SourceFiles,
    unwinding: unwinding::Unwinding,
    symbols: symbols::Learnt,
    /// The files that stacks may lead through.
    modules: OnceCell<Modules>,
    /// Whether the file of CPython was found to be the one that is loaded.
    build: OnceCell<()>,
    /// What emitters call of other files.
    builtins: OnceCell<Builtins>,
    rebuilt: RefCell<emitters::Kept>,
    forms: RefCell<provenance::Forms>,
    stop: Stop,
    /// Of the selected frame; no event tells of another one, so each command asks anew.
    registers: OnceCell<Result<FrameRegisters, String>>,
}

impl Session {
    /// A session on the target that `description` describes.
    pub fn new(
        memory: Box<dyn Memory>,
        evaluate: Box<dyn Evaluate>,
        description: Description,
    ) -> Session {
        Session {
            memory: match description.packet {
                Some(packet) => CachedMemory::remote(memory, packet),
                None => CachedMemory::new(memory),
            },
            evaluate,
            description,
            cache: Cache::from_environment(),
            program: OnceCell::new(),
            disassemblers: RefCell::default(),
            annotator: RefCell::default(),
            at_stop: AtStop::default(),
            sources: SourceFiles::default(),
            unwinding: unwinding::Unwinding::default(),
            symbols: symbols::Learnt::default(),
            modules: OnceCell::new(),
            build: OnceCell::new(),
            builtins: OnceCell::new(),
            rebuilt: RefCell::default(),
            forms: RefCell::default(),
            stop: Stop::default(),
            registers: OnceCell::new(),
        }
    }

    /// The same, keeping what it finds out about files there instead of where the user's environment says.
    pub fn with_cache(self, cache: Cache) -> Session {
        Session { cache, ..self }
    }

    /// The same, with layouts and tables that are known already.
    pub fn with_program(self, program: Program) -> Session {
        Session {
            program: OnceCell::from(program),
            ..self
        }
    }

    /// Forgets what the target may have changed.
    pub fn invalidate(&mut self) {
        self.memory.clear();
        self.unwinding.invalidate();
        self.symbols.invalidate();
        self.registers = OnceCell::new();
        self.at_stop = AtStop::default();
        self.rebuilt.take();
        self.sources = SourceFiles::default();
        if let Some(Some(annotator)) = self.annotator.get_mut() {
            annotator.invalidate();
        }
    }

    /// Forgets also what the target itself cannot change: somebody has written into it.
    pub fn invalidate_all(&mut self) {
        self.invalidate();
        self.memory.clear_all();
    }

    /// Takes `text` for the source file of this name until the target runs: what was typed at a prompt is in no file.
    pub fn give_source(&self, filename: &str, text: &str) {
        self.sources.give(filename, text);
    }

    /// Tells what is selected at this stop.
    pub fn select(&mut self, stop: Stop) {
        self.stop = stop;
        self.registers = OnceCell::new();
    }

    /// What is selected at this stop.
    pub fn stop(&self) -> Stop {
        self.stop
    }

    /// The target as the front-end described it.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The memory of the target.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader::new(&self.memory)
    }

    /// Requests that went to the front-end for memory.
    pub fn memory_requests(&self) -> u64 {
        self.memory.requests()
    }

    /// The value of an expression of the user.
    pub fn evaluate(&self, expression: &str) -> Result<Address, String> {
        self.evaluate.evaluate(expression)
    }

    /// The registers of the selected frame.
    ///
    /// # Errors
    /// A sentence that says why they are not known.
    pub fn registers(&self) -> Result<&FrameRegisters, String> {
        let read = || {
            let name = &self.description.architecture;
            let architecture = Architecture::of_debugger(name)
                .ok_or_else(|| format!("the registers of {name} are not understood"))?;
            self.evaluate.registers(architecture)
        };
        self.registers
            .get_or_init(read)
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The registers of the innermost frames of the selected thread or of all.
    fn evaluate_registers(
        &self,
        architecture: Architecture,
        all: bool,
    ) -> Result<Vec<ThreadRegisters>, String> {
        self.evaluate.threads(architecture, all)
    }

    /// The CPython in the target and the files that it was found in.
    pub fn program(&self) -> Result<&Program> {
        if let Some(program) = self.program.get() {
            return Ok(program);
        }
        let program = Program::find(
            &self.description,
            self.evaluate.as_ref(),
            self.reader(),
            &self.cache,
        )?;
        Ok(self.program.get_or_init(|| program))
    }

    /// The CPython in the target, if it has a JIT.
    pub(crate) fn python(&self) -> Result<&CPython> {
        self.program()?.python()
    }

    /// What the reports say of the target.
    pub fn facts(&self) -> Option<TargetFacts> {
        let program = self.program().ok();
        Some(TargetFacts {
            cpython: program.map(|program| program.offsets.version()),
            arch: match program {
                Some(program) => program.architecture.name().to_owned(),
                None => self.description.architecture.clone(),
            },
            kind: self.description.kind.word(),
            pid: self.description.pid,
            debug_build: program
                .and_then(|program| program.python().ok())
                .map(|python| python.debug_build),
        })
    }

    /// What was odd about finding CPython and the lists of its executors.
    pub fn findings(&self) -> Vec<Finding> {
        let program = self.program.get().map(|program| program.findings.clone());
        let lists = self.at_stop.list_findings();
        let all = program.into_iter().flatten().chain(lists);
        all.chain(self.memory_findings()).collect()
    }

    /// What is odd about the memory of the target: for reports that cannot tell more.
    pub fn memory_findings(&self) -> Vec<Finding> {
        let findings = self.memory.findings().into_iter();
        findings
            .map(|finding| Finding {
                hint: finding.hint,
                ..Finding::warning(finding.what)
            })
            .collect()
    }

    /// Whether a part of the lists of executors could not be read.
    pub fn lists_are_damaged(&self) -> bool {
        !self.at_stop.list_findings().is_empty() || !self.at_stop.unreadable().is_empty()
    }

    /// Which executors of this stop could not be read, and why.
    pub fn unreadable(&self) -> Vec<Finding> {
        self.at_stop.unreadable()
    }

    /// What is needed to find origins of uops.
    pub(crate) fn sources(&self) -> Result<Sources<'_>> {
        Ok(Sources {
            python: self.python()?,
            reader: self.reader(),
            codes: self.at_stop.codes(),
        })
    }

    /// The executors that the lists, the threads and exits lead to, in the order in which `jit-list` numbers them.
    pub fn executors(&self) -> Result<&[Known]> {
        self.at_stop.executors(self.python()?, self.reader())
    }

    /// The same, and behind them those that only a long search finds.
    pub fn all_executors(&self) -> Result<&[Known]> {
        self.at_stop.all_executors(self.python()?, self.reader())
    }

    /// What kept [`Session::all_executors`] from finding all that there are.
    pub fn search_findings(&self) -> Vec<Finding> {
        self.at_stop.search_findings()
    }

    /// What is known of the executor at `address` from others. Only what has been read is told, unless the lists do not
    /// know it or `complete` asks for the exits that lead to it: then all executors are read.
    fn known(&self, address: Address, complete: bool) -> Result<Header> {
        let (python, reader) = (self.python()?, self.reader());
        if !complete
            && !self.at_stop.is_complete()
            && let Some(listed) = self.at_stop.listed(python, reader, address)?
        {
            return Ok(listed);
        }
        let find = |all: &[Known]| {
            let known = all.iter().find(|known| known.address == address);
            known.map(|known| known.header.clone())
        };
        match find(self.executors()?) {
            Some(header) => Ok(header),
            None => Ok(find(self.all_executors()?).unwrap_or_default()),
        }
    }

    /// The executors whose traces begin in these code objects, in the order of `jit-list`: those that are valid, and if
    /// there are none, what is left of others.
    pub fn executors_of(&self, codes: &[Address]) -> Result<Vec<Address>> {
        let begins = |known: &Known, executor: &Executor| match executor.code.is_null() {
            true => {
                let mapped = self.mapped(known.address).ok();
                let function = mapped.as_deref().and_then(MappedExecutor::function);
                function.is_some_and(|code| codes.contains(&code.address))
            }
            false => codes.contains(&executor.code),
        };
        let near = self.executors()?;
        let valid = those(near, |known, executor| {
            executor.state.valid && begins(known, executor)
        });
        Ok(match valid.is_empty() {
            true => those(self.all_executors()?, begins),
            false => valid,
        })
    }

    /// The executors that have a uop of these code objects, in the order of `jit-list`.
    pub fn executors_with(&self, codes: &[Address]) -> Result<Vec<Address>> {
        Ok(those(self.executors()?, |known, _| {
            self.mapped(known.address).is_ok_and(|mapped| {
                let mut found = mapped.origins.iter().filter_map(|uop| uop.code.as_ref());
                found.any(|code| codes.contains(&code.address))
            })
        }))
    }

    /// An error that says what is there, unless there is an executor at `address`.
    pub fn check_executor(&self, address: Address) -> Result<()> {
        let (python, reader) = (self.python()?, self.reader());
        match self.at_stop.listed(python, reader, address)? {
            Some(_) => Ok(()),
            None => Executor::read(python, reader, address).map(|_| ()),
        }
    }

    /// The map of the executor at `address`, which need not be in any list.
    pub(crate) fn mapped(&self, address: Address) -> Result<Arc<MappedExecutor>> {
        let architecture = self.program()?.architecture;
        self.at_stop.mapped(self.sources()?, architecture, address)
    }

    /// The executor whose allocation contains `address`. Those that run are looked at first, and all others only if
    /// the address is not in CPython's own file.
    pub fn executor_at(&self, address: Address) -> Result<Option<Address>> {
        if self.is_in_file(address)? {
            return Ok(None);
        }
        let (python, reader) = (self.python()?, self.reader());
        if !self.at_stop.is_complete() {
            // Those that wait are named by frames, which lie elsewhere.
            for running in [AtStop::current, AtStop::innermost] {
                let mut running = running(&self.at_stop, python, reader)?.into_iter();
                let contains = |mapped: Arc<MappedExecutor>| mapped.contains(address);
                if let Some(found) = running.find(|one| self.mapped(*one).is_ok_and(contains)) {
                    return Ok(Some(found));
                }
            }
        }
        self.executors()?;
        Ok(self.at_stop.executor_at(address))
    }

    /// Whether the address is known to be in a loaded file.
    fn is_in_file(&self, address: Address) -> Result<bool> {
        let is_pc = self.stop.in_file && self.stop.pc == Some(address);
        Ok(is_pc || self.program()?.contains(address))
    }

    /// The same, searched for in all executors there are if need be.
    pub fn executor_anywhere(&self, address: Address) -> Result<Option<Address>> {
        let near = self.executor_at(address)?;
        // Code that is not mapped is that of no executor.
        let is_mapped = || self.reader().bytes(address, 1, "memory").is_ok();
        if near.is_some() || self.is_in_file(address)? || !is_mapped() {
            return Ok(near);
        }
        self.all_executors()?;
        Ok(self.at_stop.executor_at(address))
    }

    /// Whether the interpreter has not come to the end of its initialisation, so that its settings mean nothing yet.
    pub fn is_starting(&self) -> bool {
        let initialized = || -> Result<Option<u64>> {
            let python = self.python()?;
            let shape = python.layouts.shape("_PyRuntimeState")?;
            let Some(field) = shape.find("initialized") else {
                return Ok(None);
            };
            let at = python.runtime.wrapping_add(field.offset);
            let bytes = self
                .reader()
                .bytes(at, field.size, "_PyRuntime.initialized")?;
            Ok(Some(bytes.iter().map(|byte| u64::from(*byte)).sum()))
        };
        matches!(initialized(), Ok(Some(0)))
    }

    /// How many kinds of uops this CPython has; an error if there is none, or it has no JIT.
    pub fn uop_count(&self) -> Result<usize> {
        Ok(self.python()?.uops.iter().count())
    }

    /// How many threads there are.
    pub fn thread_count(&self) -> Result<usize> {
        Ok(self.at_stop.threads(self.python()?, self.reader())?.len())
    }

    /// The interpreters, by whether their JIT is switched on.
    pub fn jit_enabled(&self) -> Result<Vec<Option<bool>>> {
        let interpreters = self.at_stop.interpreters(self.python()?, self.reader())?;
        Ok(interpreters
            .iter()
            .map(|interpreter| interpreter.jit_enabled)
            .collect())
    }

    /// A disassembler, to be handed to `builder`.
    pub(crate) fn disassembler(&self, syntax: Syntax) -> Result<RefMut<'_, Disassembler>> {
        let architecture = self.program()?.architecture;
        let mut all = self.disassemblers.borrow_mut();
        if let Entry::Vacant(free) = all.entry(syntax) {
            free.insert(Disassembler::new(architecture, syntax)?);
        }
        RefMut::filter_map(all, |all| all.get_mut(&syntax)).map_err(|_| Error::NotFound {
            message: "no disassembler".to_owned(),
            hint: None,
        })
    }

    /// The maker of remarks, to be handed to `builder`; `None` in it if it can make none.
    pub(crate) fn annotator(&self) -> Result<RefMut<'_, Option<Annotator>>> {
        let program = self.program()?;
        let mut known = self.annotator.borrow_mut();
        if known.is_none() {
            *known = Some(Annotator::new(program.python()?, program.architecture)?);
        }
        Ok(RefMut::map(known, |known| known.get_or_insert(None)))
    }

    /// A builder of listings.
    pub(crate) fn builder<'s>(
        &'s self,
        disassembler: &'s mut Disassembler,
        annotator: Option<&'s mut Annotator>,
    ) -> Result<ListingBuilder<'s>> {
        let python = self.python()?;
        Ok(ListingBuilder {
            python,
            reader: self.reader(),
            disassembler,
            annotator,
            symbols: self.program()?.symbol_names(python),
            sources: &self.sources,
            decoded: Vec::new(),
            remarks: Vec::new(),
            code_refs: HashMap::new(),
        })
    }
}

/// Those that can be read and for which `holds` is true.
fn those(known: &[Known], holds: impl Fn(&Known, &Executor) -> bool) -> Vec<Address> {
    let holding = known.iter().filter(|known| {
        let executor = known.executor.as_ref();
        executor.is_ok_and(|executor| holds(known, executor))
    });
    holding.map(|known| known.address).collect()
}
