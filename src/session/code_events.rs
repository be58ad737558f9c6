//! Where CPython comes by when it makes, frees or invalidates an executor: addresses at which a debugger can learn of it.

use super::Session;
use super::linkage::entry_of_slot;
use crate::address::{Address, Range};
use crate::cpython::{Announced, newest_executors};
use crate::disasm::{Disassembler, Flow, Instruction, Lifter, Operations, Syntax};
use crate::error::{Error, Result};
use crate::image::Import;

/// Longer than `_PyOptimizer_Optimize` is in any build (3.14: 0x1cd bytes), or a procedure linkage table.
const LONGEST_CODE: u64 = 1 << 20;

/// The function at which CPython and debuggers meet (GDB's JIT interface).
const REGISTER: &str = "__jit_debug_register_code";

/// Where an executor has just been compiled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CompileEvent {
    /// The ends of `_PyOptimizer_Optimize` (`Python/optimizer.c`): it returns 1 if there is a new executor, which is then
    /// the first of the interpreter's list, on 3.15 the last of its array.
    Optimized(Vec<Address>),
    /// `__jit_debug_register_code` (3.15, `Python/jit_unwind.c`): the descriptor tells whether code comes or goes, and
    /// which. Bytecode does not enter the executor yet.
    Registered(Address),
}

/// Where the code of an executor is about to be given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FreeEvent {
    /// `__jit_debug_register_code` (3.15).
    Registered(Address),
    /// `munmap`; its first argument may be the code of an executor, or anything else.
    Unmapped(Address),
}

/// Where an executor becomes invalid; it is the first argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidateEvent {
    /// The function.
    pub address: Address,
    /// Whether `vm_data.valid` is still set when it is called for an executor that becomes invalid.
    pub is_still_valid: bool,
}

impl Session {
    /// Where an executor has just been compiled.
    ///
    /// # Errors
    /// If that cannot be known, or not before the program runs.
    pub fn compile_event(&self) -> Result<CompileEvent> {
        let ends = self.ends_of_optimizer();
        match (ends, self.function(REGISTER)?) {
            (Ok(ends), _) => Ok(CompileEvent::Optimized(ends)),
            (Err(_), Some(register)) => Ok(CompileEvent::Registered(register.start)),
            (Err(error), None) => Err(error),
        }
    }

    fn ends_of_optimizer(&self) -> Result<Vec<Address>> {
        let function = self.function("_PyOptimizer_Optimize")?.ok_or_else(|| {
            not_found("CPython's file does not name _PyOptimizer_Optimize: what it compiles cannot be followed")
        })?;
        let cold = self.function("_PyOptimizer_Optimize.cold")?;
        self.returns(function, cold)
    }

    /// Where the code of an executor is about to be given back.
    ///
    /// # Errors
    /// If that cannot be known, or not before the program runs.
    pub fn free_event(&self) -> Result<FreeEvent> {
        match self.function(REGISTER)? {
            Some(register) => Ok(FreeEvent::Registered(register.start)),
            None => self.unmap_event().map(FreeEvent::Unmapped),
        }
    }

    /// Where `munmap` is called: before CPython gives memory of code back.
    ///
    /// # Errors
    /// If that cannot be known, or not before the program runs.
    pub fn unmap_event(&self) -> Result<Address> {
        if let Some(function) = self.function("munmap")? {
            return Ok(function.start);
        }
        let (image, bias) = self.placed_image()?;
        let import = image
            .import("munmap")
            .ok_or_else(|| not_found("CPython's file does not import munmap"))?;
        let linkage = match import.is_lazy {
            true => self.linkage(import, bias)?,
            false => None,
        };
        match linkage {
            Some(stub) => Ok(stub),
            None => self.resolved(import, bias),
        }
    }

    /// Where an executor becomes invalid.
    ///
    /// # Errors
    /// If that cannot be known, or not before the program runs.
    pub fn invalidate_event(&self) -> Result<InvalidateEvent> {
        let candidates = [
            // 3.15; it ends with the call of _Py_ExecutorDetach, which stripped files still name.
            ("executor_invalidate", true),
            // 3.14 has this one only, and 3.15 calls the one above in it.
            ("executor_clear", true),
        ];
        for (name, is_still_valid) in candidates {
            if let Some(function) = self.function(name)? {
                return Ok(InvalidateEvent {
                    address: function.start,
                    is_still_valid,
                });
            }
        }
        match self.function("_Py_ExecutorDetach")? {
            Some(function) => Ok(InvalidateEvent {
                address: function.start,
                is_still_valid: false,
            }),
            None => Err(Error::NotFound {
                message: "the function that invalidates executors (executor_clear) is in no symbol table".to_owned(),
                hint: Some(
                    "install the debug symbols of this CPython; without them only 3.15 tells (_Py_ExecutorDetach)"
                        .to_owned(),
                ),
            }),
        }
    }

    /// What CPython tells debuggers at this moment, where it calls `__jit_debug_register_code`.
    pub fn announced(&self) -> Result<Option<Announced>> {
        Announced::read(self.python()?, self.reader())
    }

    /// The executors that were compiled last, one of each interpreter, and the cold ones.
    pub fn newest_executors(&self) -> Result<Vec<Address>> {
        newest_executors(self.python()?, self.reader())
    }

    /// Whether CPython may lie elsewhere in another process of the same program.
    pub fn is_movable(&self) -> bool {
        let image = self.program().ok().and_then(|program| program.image());
        image.is_none_or(|(image, _)| image.is_position_independent())
    }

    /// What CPython's file is and where it lies; an error while that is not known.
    fn placed_image(&self) -> Result<(&crate::image::Image, u64)> {
        let program = self.program()?;
        let Some((image, bias)) = program.image() else {
            return Err(not_found("CPython's file is not known"));
        };
        if image.is_position_independent() && self.description().pid.is_none() {
            return Err(not_found(
                "where CPython's file is loaded is not known before the program runs",
            ));
        }
        Ok((image, bias))
    }

    /// A function of CPython; where its file is not known, only those that are known by name.
    pub(crate) fn function(&self, name: &str) -> Result<Option<Range>> {
        if self.program()?.image().is_none() {
            let known = self.python()?.symbols.find(name);
            return Ok(known.map(|known| Range::new(known.address, known.size)));
        }
        let (image, bias) = self.placed_image()?;
        let symbol = image.symbol(name);
        Ok(symbol.map(|symbol| Range::new(symbol.address.wrapping_add(bias), symbol.size)))
    }

    /// The return instructions of a function and of the part of it that lies elsewhere.
    fn returns(&self, function: Range, cold: Option<Range>) -> Result<Vec<Address>> {
        let parts: Vec<Range> = std::iter::once(function).chain(cold).collect();
        let mut returns = Vec::new();
        for part in &parts {
            for instruction in self.decode(*part)?.0 {
                let leaves = match instruction.flow() {
                    Flow::Return => {
                        returns.push(instruction.address());
                        false
                    }
                    Flow::Jump | Flow::ConditionalJump => {
                        let target = instruction.target().unwrap_or_default();
                        !parts.iter().any(|part| part.contains(target))
                    }
                    _ => false,
                };
                if leaves {
                    return Err(not_found(&format!(
                        "the function at {} ends with a jump to another one, so that its end cannot be watched",
                        function.start
                    )));
                }
            }
        }
        match returns.is_empty() {
            true => Err(not_found(&format!(
                "the function at {} has no end",
                function.start
            ))),
            false => Ok(returns),
        }
    }

    fn decode(&self, code: Range) -> Result<(Vec<Instruction>, Vec<u8>)> {
        let size = code.size.min(LONGEST_CODE);
        let bytes = self.reader().bytes(code.start, size, "code of CPython")?;
        let mut instructions = Vec::new();
        let mut disassembler = self.disassembler(Syntax::default())?;
        disassembler.decode(None, code.start, &bytes, &mut instructions);
        Ok((instructions, bytes))
    }

    /// The instructions of a piece of CPython's code, and what they do.
    pub(super) fn lifted(&self, code: Range) -> Result<(Vec<Instruction>, Operations)> {
        let architecture = self.program()?.architecture;
        let size = code.size.min(LONGEST_CODE);
        let bytes = self.reader().bytes(code.start, size, "code of CPython")?;
        let mut instructions = Vec::new();
        // One of its own: who asks may hold that of the session.
        let mut disassembler = Disassembler::new(architecture, Syntax::default())?;
        disassembler.decode(None, code.start, &bytes, &mut instructions);
        let lifter = Lifter::new(architecture)?;
        let operations = lifter.lift(&instructions, &bytes);
        Ok((instructions, operations))
    }

    /// The entry of the procedure linkage table that goes through the slot: all calls pass it, resolved or not.
    fn linkage(&self, import: Import, bias: u64) -> Result<Option<Address>> {
        let (image, _) = self.placed_image()?;
        let slot = import.slot.wrapping_add(bias);
        for name in [".plt.sec", ".plt", ".plt.got"] {
            let Some(section) = image.section(name) else {
                continue;
            };
            let table = Range::new(section.start.wrapping_add(bias), section.size);
            let (instructions, operations) = self.lifted(table)?;
            if let Some(entry) = entry_of_slot(&instructions, &operations, slot) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// The function that the slot holds; if it is not resolved yet, what the debugger takes for it.
    fn resolved(&self, import: Import, bias: u64) -> Result<Address> {
        let slot = import.slot.wrapping_add(bias);
        let here = self.reader().pointer(slot, "slot of munmap");
        match here {
            Ok(function) if !function.is_null() && !self.program()?.contains(function) => {
                Ok(function)
            }
            _ => self
                .evaluate("&munmap")
                .map_err(|reason| not_found(&format!("munmap is not known yet: {reason}"))),
        }
    }
}

fn not_found(message: &str) -> Error {
    Error::NotFound {
        message: message.to_owned(),
        hint: None,
    }
}
