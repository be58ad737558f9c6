//! Where a thread is: in which uop, in C code that one has called, or in no JIT code; and what is certain there.

use super::registers::Registers;
use crate::address::{Address, UopIndex};
use crate::cpython::{Current, Thread};
use crate::disasm::Syntax;
use crate::error::Result;
use crate::listing::{Held, UopRow};
use crate::map::{MappedExecutor, Place};
use crate::session::Session;

/// The JIT code that the selected frame runs or was called from, and what is certain of its frame.
pub(super) struct Here {
    /// The frame in which the uop began.
    pub frame: Address,
    /// The uop, if it is certain, and bytes from its start.
    pub uop: Option<(UopRow, u64)>,
    pub in_call: bool,
    pub evidence: Evidence,
}

/// Where the end of the evaluation stack is known from.
pub(super) enum Evidence {
    /// The registers of the selected frame.
    Registers(Registers),
    /// The frame itself: it was saved before the call that waits.
    Frame,
    /// It is not known, for this reason.
    None(String),
}

/// One thread and what of it is selected.
pub(super) struct Selected<'t> {
    pub thread: &'t Thread,
    pub current: Current,
    pub pc: Option<Address>,
    pub executor: Option<Address>,
    pub inside: &'static str,
    pub here: Option<Here>,
}

impl Session {
    /// What is known of where a thread is.
    pub(super) fn selection<'t>(
        &self,
        thread: &'t Thread,
        is_selected: bool,
    ) -> Result<Selected<'t>> {
        let running = thread.running.first().filter(|running| running.innermost);
        let mut selected = Selected {
            thread,
            current: Current::read(self.python()?, self.reader(), thread.address)?,
            pc: self.stop().pc.filter(|_| is_selected),
            executor: running.map(|running| running.executor),
            inside: "unknown",
            here: None,
        };
        let Some(pc) = selected.pc else {
            return Ok(selected);
        };
        let registers = self.registers();
        let waits = registers.is_ok_and(|registers| registers.is_caller);
        let place = if waits { pc.wrapping_add(u64::MAX) } else { pc };
        let Some(executor) = self.executor_at(place)? else {
            selected.inside = if running.is_some() {
                "c"
            } else {
                "interpreter"
            };
            if let Some(running) = running {
                selected.here = self.called_from(running.executor, selected.current)?;
            }
            return Ok(selected);
        };
        selected.executor = Some(executor);
        selected.inside = "jit";
        selected.here = self.in_code(&selected, executor, (pc, place), waits)?;
        if selected.here.is_some() {
            selected.inside = "uop";
        }
        Ok(selected)
    }

    /// What is certain where the pc is in the code of this executor; `None` if it is in no uop.
    fn in_code(
        &self,
        selected: &Selected<'_>,
        executor: Address,
        (pc, place): (Address, Address),
        waits: bool,
    ) -> Result<Option<Here>> {
        let mapped = self.mapped(executor)?;
        let Some(Place::Uop(index, offset)) = mapped.locate(place) else {
            return Ok(None);
        };
        let row = self.uop_row(&mapped, index)?;
        let held = self.held(&mapped, index, pc, waits)?;
        let registers = held.and_then(|held| {
            let cached = row.as_ref().and_then(|row| row.stack);
            let cached = cached.map_or(0, |stack| stack.cached_before);
            self.held_registers(&held, (executor, selected.thread.address), cached, waits)
        });
        Ok(Some(Here {
            frame: match &registers {
                Ok(registers) => registers.frame,
                Err(_) => selected.current.frame,
            },
            uop: row.map(|row| (row, offset)),
            in_call: waits,
            evidence: registers.map_or_else(Evidence::None, Evidence::Registers),
        }))
    }

    fn held(
        &self,
        mapped: &MappedExecutor,
        index: UopIndex,
        pc: Address,
        waits: bool,
    ) -> Result<Result<Held, String>> {
        let mut disassembler = self.disassembler(Syntax::default())?;
        let mut annotator = self.annotator()?;
        let mut builder = self.builder(&mut disassembler, annotator.as_mut())?;
        Ok(builder.held(mapped, index, pc, waits))
    }

    /// What is certain while C code runs that the code of this executor has called.
    fn called_from(&self, executor: Address, current: Current) -> Result<Option<Here>> {
        let calls = self.waiting_calls(executor)?;
        // Who has given up the GIL has saved it, whichever of the calls it is.
        let is_saved = current.is_detached == Some(true) || calls.iter().all(|call| call.is_saved);
        let mapped = self.mapped(executor)?;
        let uop = match calls.as_slice() {
            [] => return Ok(None),
            [only] => {
                let start = mapped.map.uops.get(only.uop.0 as usize);
                let start = start.and_then(|ranges| ranges.first());
                let offset = start.and_then(|range| only.pc.offset_from(range.start));
                self.uop_row(&mapped, only.uop)?.zip(offset)
            }
            _ => None,
        };
        Ok(Some(Here {
            frame: current.frame,
            uop,
            in_call: true,
            evidence: match is_saved {
                true => Evidence::Frame,
                false => Evidence::None(
                    "the call from JIT code that is running did not have to save the stack pointer: select the frame of \
                     the JIT code (up)"
                        .to_owned(),
                ),
            },
        }))
    }
}
