//! One instruction at its address.

use super::flow::Flow;
use super::text::{Form, Number};
use crate::address::Address;
use std::fmt;
use std::sync::Arc;

/// One instruction at its address. Cheap to make and to clone: the text is shared by all instructions of its form.
#[derive(Clone)]
pub struct Instruction {
    address: Address,
    value: u64,
    form: Arc<Form>,
}

impl Instruction {
    pub(super) fn new(address: Address, value: u64, form: Arc<Form>) -> Instruction {
        Instruction {
            address,
            value,
            form,
        }
    }

    /// Where the instruction begins.
    pub fn address(&self) -> Address {
        self.address
    }

    /// How many bytes it has.
    pub fn length(&self) -> u8 {
        self.form.length
    }

    /// The name, with prefixes (`notrack jmp`); `(bad)` for bytes that are no instruction.
    pub fn mnemonic(&self) -> &str {
        &self.form.mnemonic
    }

    /// Where control goes after it.
    pub fn flow(&self) -> Flow {
        self.form.flow
    }

    /// Whether these bytes are an instruction.
    pub fn is_valid(&self) -> bool {
        self.form.flow != Flow::Bad
    }

    /// Where a jump, branch or call goes to, if that is written in the instruction.
    pub fn target(&self) -> Option<Address> {
        self.form.flow.is_direct().then(|| self.resolve()).flatten()
    }

    /// The address that an operand names relative to the instruction, other than a branch target: `[rip + 0x3f8]`,
    /// and on AArch64 `adr`, `adrp` (the page) and a literal load.
    pub fn pc_relative(&self) -> Option<Address> {
        if self.form.flow.is_direct() {
            return None;
        }
        self.resolve()
    }

    /// The number that is written in the instruction and may be another in the next of its kind.
    pub fn immediate(&self) -> Option<u64> {
        (self.form.number == Number::Immediate).then_some(self.value)
    }

    /// Whether this and the other differ at most in their addresses and in the number that the JIT patches.
    pub fn is_like(&self, other: &Instruction) -> bool {
        Arc::ptr_eq(&self.form, &other.form)
    }

    fn resolve(&self) -> Option<Address> {
        self.form.resolve(self.address.0, self.value).map(Address)
    }

    /// Whether there is any operand text.
    pub fn has_operands(&self) -> bool {
        !self.form.before.is_empty() || self.form.number != Number::Absent
    }

    /// Appends the operands, without allocating beyond the growth of `out`.
    pub fn write_operands(&self, out: &mut String) {
        self.form.write_operands(self.address.0, self.value, out);
    }

    /// The operands as a text of their own.
    pub fn operands(&self) -> String {
        let mut out = String::new();
        self.write_operands(&mut out);
        out
    }
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mnemonic())?;
        if self.has_operands() {
            write!(f, " {}", self.operands())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.address)
    }
}
