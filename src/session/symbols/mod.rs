//! Debug information of executors for debuggers that know nothing of them: what is read for it.

mod functions;
mod pieces;
mod slots;

use super::Session;
use crate::address::{Address, Range, UopIndex};
use crate::cpython::{CPython, Uop};
use crate::error::Result;
use crate::listing::{Detail, Provenance, Role, Syntax, register_roles};
use crate::map::{MappedExecutor, Origin, leaves_frame};
use crate::symbols::{Convention, ExecutorCode, Function, PieceFacts, UopPlace};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

impl Session {
    /// What is written of the executor at `executor` to make a debugger understand its code; see [`crate::symbols`].
    ///
    /// # Errors
    /// If the executor or its machine code cannot be read, or it has none.
    pub fn executor_code(&self, executor: Address) -> Result<ExecutorCode> {
        let mapped = self.mapped(executor)?;
        let allocation = Range::new(mapped.executor.jit_code, mapped.executor.jit_size);
        let what = "machine code of an executor";
        let bytes = self
            .reader()
            .bytes(allocation.start, allocation.size, what)?;
        let header = self.known(executor, false)?;
        let mut disassembler = self.disassembler(Syntax::default())?;
        let mut builder = self.builder(&mut disassembler, None)?;
        let convention = self.convention()?;
        Ok(ExecutorCode {
            architecture: self.program()?.architecture,
            listing: builder.listing(&mapped, &header, Provenance::default(), DETAIL, |_| true),
            allocation,
            pieces: self.code_pieces(&mapped, convention.as_ref().map(|known| known.frame)),
            slots: self.slots(&mapped, allocation, &bytes)?,
            bytes,
            frames: self.inlined_frames(&mapped),
            places: places(self.python()?, &mapped),
            convention,
        })
    }

    /// Where uops find frames and stack items; `None` if it is not known.
    fn convention(&self) -> Result<Option<Convention>> {
        let program = self.program()?;
        let python = program.python()?;
        let Some(roles) = register_roles(python, program.architecture) else {
            return Ok(None);
        };
        let offset = |field| {
            let frame = python.layouts.find("_PyInterpreterFrame")?;
            Some(frame.find(field)?.offset)
        };
        let frame = roles.iter().find(|(_, role)| *role == Role::Frame);
        let (Some((frame, _)), Some(localsplus), Some(previous)) =
            (frame, offset("localsplus"), offset("previous"))
        else {
            return Ok(None);
        };
        let cached = roles
            .iter()
            .filter(|(_, role)| matches!(role, Role::Cached(_)));
        Ok(Some(Convention {
            frame: *frame,
            cached: cached.map(|(register, _)| *register).collect(),
            localsplus,
            previous,
        }))
    }
}

/// What was learnt of stencils and functions.
#[derive(Default)]
pub struct Learnt {
    stencils: RefCell<HashMap<(u16, u64), Arc<PieceFacts>>>,
    /// Of this stop.
    functions: RefCell<HashMap<Address, Arc<Function>>>,
}

impl Learnt {
    /// The target has run.
    pub fn invalidate(&mut self) {
        self.functions = RefCell::default();
    }
}

/// Where each uop runs.
fn places(python: &CPython, mapped: &MappedExecutor) -> Vec<UopPlace> {
    let place = |(_, uop, origin): (UopIndex, &Uop, &Origin)| UopPlace {
        frame: origin.frame,
        is_certain: origin.is_certain,
        leaves_frame: (python.uops.kind(uop.opcode)).is_some_and(|kind| leaves_frame(&kind.base)),
    };
    mapped.uops().map(place).collect()
}

/// A listing without machine code, but with source lines.
const DETAIL: Detail = Detail {
    instructions: false,
    notes: false,
    source: true,
    parents: false,
    exits: false,
    verify: false,
    syntax: Syntax::Intel,
};
