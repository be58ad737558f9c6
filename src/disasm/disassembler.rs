//! Code as instructions.

use super::cache::{Cache, Template, amend};
use super::dialect::Syntax;
use super::engine::Engine;
use super::instruction::Instruction;
use super::learn::{bad, learn};
use super::pattern::window;
use super::text::Form;
use crate::address::Address;
use crate::error::Error;
use crate::platform::Architecture;
use std::sync::Arc;

/// Decodes machine code, and remembers what it decoded.
pub struct Disassembler {
    engine: Engine,
    cache: Cache,
    /// Bytes that are no instruction, by how many they are less one.
    bad: [Arc<Form>; 4],
}

impl Disassembler {
    /// A disassembler that has seen nothing yet.
    pub fn new(architecture: Architecture, syntax: Syntax) -> Result<Self, Error> {
        Ok(Disassembler {
            engine: Engine::new(architecture, syntax)?,
            cache: Cache::new(architecture),
            bad: [1, 2, 3, 4].map(|length| Arc::new(bad(length))),
        })
    }

    /// What machine this is for.
    pub fn architecture(&self) -> Architecture {
        self.engine.architecture
    }

    /// Appends the instructions of `code` at `address`. They cover it exactly: bytes that are no instruction become
    /// one named `(bad)` of one byte (on AArch64 of four, or what is left).
    ///
    /// `stencil` is any number under which similar code may have been given before, such as the opcode of the uop.
    pub fn decode(
        &mut self,
        stencil: Option<u32>,
        address: Address,
        code: &[u8],
        into: &mut Vec<Instruction>,
    ) {
        let mut template = stencil.map_or_else(Template::new, |key| self.cache.take(key));
        let mut at = address;
        let mut rest = code;
        for index in 0.. {
            if rest.is_empty() {
                break;
            }
            let window = window(rest);
            let form = match template.get(index) {
                Some(form) if form.fits(window, rest.len()) => Arc::clone(form),
                _ => {
                    let form = self.look_up(window, rest, at);
                    amend(&mut template, index, &form);
                    form
                }
            };
            let length = form.length;
            into.push(Instruction::new(at, form.value(window), form));
            at = at.wrapping_add(u64::from(length));
            rest = rest.get(usize::from(length)..).unwrap_or_default();
        }
        if let Some(key) = stencil {
            self.cache.keep(key, template);
        }
    }

    fn look_up(&mut self, window: u128, code: &[u8], address: Address) -> Arc<Form> {
        if let Some(form) = self.cache.find(window, code.len()) {
            return Arc::clone(form);
        }
        let Some(decoded) = self.engine.decode(code, address.0) else {
            return self.bad(code.len());
        };
        let form = Arc::new(learn(&self.engine, code, address.0, decoded));
        if form.pattern.is_reusable() {
            self.cache.remember(window, &form);
        }
        form
    }

    fn bad(&self, available: usize) -> Arc<Form> {
        let unit = usize::from(self.engine.architecture.platform().instruction_unit);
        let length = unit.min(available).max(1);
        let [one, ..] = &self.bad;
        Arc::clone(self.bad.get(length - 1).unwrap_or(one))
    }
}
