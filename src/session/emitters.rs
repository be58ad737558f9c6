//! What the emitters of the target's stencils need to run: code and constants of its file, all else from its memory.

use super::Session;
use super::linkage::entry_of_slot;
use crate::address::{Address, Range};
use crate::cpython::CPython;
use crate::error::Result;
use crate::image::{Image, Import};
use crate::map::MappedExecutor;
use crate::restitch::machine::{self, Machine};
use crate::restitch::{
    Builtin, Builtins, Emitters, Memory, Part, Piece, Plan, Rebuilt, TraceFields, rebuild_some,
};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The tables through which files call functions of others.
const LINKAGE_TABLES: [&str; 3] = [".plt.sec", ".plt", ".plt.got"];

/// The note that holds the build id.
const BUILD_ID: &str = ".note.gnu.build-id";

/// The emitter of the shim of 3.14, for files whose table of stencils lost its symbol.
const SHIM: &str = "emit_shim";

/// Bytes of rebuilt code that are kept at a stop: those of a long listing, and not of a damaged target.
const MOST_KEPT: usize = 64 << 20;

/// Rebuilds executors.
pub(super) struct Rebuilder<'s> {
    python: &'s CPython,
    memory: Memory<'s>,
    builtins: &'s Builtins,
    machine: Box<dyn Machine>,
    shim: Option<Address>,
}

impl<'s> Rebuilder<'s> {
    /// What is needed for the CPython of a session.
    ///
    /// # Errors
    /// A sentence, if its emitters cannot be run or are not those of the target.
    pub(super) fn new(session: &'s Session) -> Result<Rebuilder<'s>, String> {
        let text = |error: crate::error::Error| error.to_string();
        let program = session.program().map_err(text)?;
        let python = session.python().map_err(text)?;
        let machine = machine::of(program.architecture).ok_or_else(|| {
            let title = program.architecture.platform().title;
            format!("the emitters of {title} cannot be run")
        })?;
        let mut pieces = Vec::new();
        if let Some((image, bias)) = program.image() {
            session.check_build(image, bias)?;
            pieces = constant_pieces(image, bias);
        }
        let shim = session.function(SHIM).map_err(text)?;
        Ok(Rebuilder {
            python,
            memory: Memory::new(pieces, Some(session.reader())),
            builtins: session.builtins().map_err(text)?,
            machine,
            shim: shim.map(|shim| shim.start),
        })
    }

    /// What is emitted for an executor.
    ///
    /// # Errors
    /// A sentence, if it has no code or the table of stencils does not explain it.
    pub(super) fn plan(&self, mapped: &MappedExecutor) -> Result<Plan<'s>, String> {
        Plan::new(self.python, mapped, self.shim)
    }

    /// Runs all emitters of a plan.
    ///
    /// # Errors
    /// A sentence, if it is not known how uops are laid out.
    pub(super) fn rebuild(
        &mut self,
        plan: &Plan<'_>,
        mapped: &MappedExecutor,
    ) -> Result<Rebuilt, String> {
        self.rebuild_some(plan, mapped, |_| true)
    }

    /// Runs the emitters of these parts.
    ///
    /// # Errors
    /// A sentence, if it is not known how uops are laid out.
    pub(super) fn rebuild_some(
        &mut self,
        plan: &Plan<'_>,
        mapped: &MappedExecutor,
        wanted: impl Fn(Part) -> bool,
    ) -> Result<Rebuilt, String> {
        let executor = &mapped.executor;
        let shape = self.python.layouts.shape("_PyUOpInstruction");
        let shape = shape.map_err(|error| error.to_string())?;
        let size = shape.size.saturating_mul(executor.uops.len() as u64);
        let trace = TraceFields::new(Range::new(executor.trace, size), shape)
            .map_err(|error| error.to_string())?;
        let mut emitters = Emitters {
            machine: &mut *self.machine,
            memory: &self.memory,
            builtins: self.builtins,
        };
        Ok(rebuild_some(
            &mut emitters,
            plan,
            executor.address,
            trace,
            wanted,
        ))
    }
}

/// Code first: it is read most.
fn constant_pieces(image: &Image, bias: u64) -> Vec<Piece<'_>> {
    let segments = image.constant_segments();
    let mut pieces: Vec<Piece<'_>> = segments
        .map(|(start, bytes, executable)| Piece {
            start: start.wrapping_add(bias),
            bytes,
            executable,
        })
        .collect();
    pieces.sort_by_key(|piece| !piece.executable);
    pieces
}

/// What was rebuilt at a stop, or why it could not be.
#[derive(Default)]
pub(super) struct Kept {
    known: HashMap<Address, Result<Arc<Rebuilt>, String>>,
    bytes: usize,
    /// Emitters that did not come to their end, by executor and opcode: a damaged one may take long until that is seen.
    pub(super) failed: HashSet<(Address, u16)>,
}

impl Session {
    /// The code of an executor as its emitters write it, with the origins of each byte. Kept until the target runs.
    ///
    /// # Errors
    /// A sentence that says why it cannot be rebuilt.
    pub fn rebuilt(&self, mapped: &MappedExecutor) -> Result<Arc<Rebuilt>, String> {
        let address = mapped.executor.address;
        if let Some(known) = self.rebuilt.borrow().known.get(&address) {
            return known.clone();
        }
        let rebuild = || {
            let mut rebuilder = Rebuilder::new(self)?;
            let plan = rebuilder.plan(mapped)?;
            rebuilder.rebuild(&plan, mapped).map(Arc::new)
        };
        let rebuilt = rebuild();
        let mut kept = self.rebuilt.borrow_mut();
        if kept.bytes > MOST_KEPT {
            *kept = Kept::default();
        }
        let size = rebuilt.as_ref().map_or(0, |rebuilt| rebuilt.bytes.len());
        kept.bytes = kept.bytes.saturating_add(size);
        kept.known.insert(address, rebuilt.clone());
        rebuilt
    }

    /// Refuses a file that is another build than what is loaded, as far as the target shows what is. Looked at once: what is
    /// loaded stays loaded.
    fn check_build(&self, image: &Image, bias: u64) -> Result<(), String> {
        let Some((start, ours)) = image.section_bytes(BUILD_ID) else {
            return Ok(());
        };
        if self.build.get().is_some() {
            return Ok(());
        }
        let at = start.wrapping_add(bias);
        match self.reader().bytes(at, ours.len() as u64, "build id") {
            Ok(theirs) if theirs == ours => {
                let _ = self.build.set(());
                Ok(())
            }
            Ok(_) => Err(format!(
                "{} is not the file that was loaded: its build id is another one",
                image.path().display()
            )),
            Err(_) => Ok(()),
        }
    }

    /// The functions of other files that emitters may call, by the addresses at which they are called. Entries of the
    /// linkage table stay where they are as long as the file is loaded.
    fn builtins(&self) -> Result<&Builtins> {
        if let Some(known) = self.builtins.get() {
            return Ok(known);
        }
        let found = self.find_builtins()?;
        Ok(self.builtins.get_or_init(|| found))
    }

    fn find_builtins(&self) -> Result<Builtins> {
        let mut builtins = Builtins::new();
        let Some((image, bias)) = self.program()?.image() else {
            return Ok(builtins);
        };
        let imports = Builtin::NAMES.into_iter();
        let imports: Vec<(Import, Builtin)> = imports
            .filter_map(|(name, builtin)| Some((image.import(name)?, builtin)))
            .collect();
        for table in LINKAGE_TABLES {
            let Some(section) = image.section(table) else {
                continue;
            };
            let range = Range::new(section.start.wrapping_add(bias), section.size);
            let (instructions, operations) = self.lifted(range)?;
            for (import, builtin) in &imports {
                let slot = import.slot.wrapping_add(bias);
                if let Some(entry) = entry_of_slot(&instructions, &operations, slot) {
                    builtins.insert(entry.0, *builtin);
                }
            }
        }
        Ok(builtins)
    }
}
