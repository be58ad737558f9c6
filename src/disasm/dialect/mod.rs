//! How machine code is decoded and understood, for each machine: what `platform` cannot say, since it needs capstone.

mod aarch64;
mod x86_64;

use super::engine::Decoded;
use super::flow::Flow;
use super::lift::Lift;
use super::pattern::Hole;
use super::text::Number;
use crate::platform::Architecture;
use capstone::{Capstone, Endian, Mode, NO_EXTRA_MODE};

/// How operands of x86 are written; the text of AArch64 is always the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum Syntax {
    /// Destination first: `mov rax, qword ptr [rbx]`.
    #[default]
    Intel,
    /// Destination last: `movq (%rbx), %rax`.
    Att,
}

/// What is different about the code of a machine.
pub(super) struct Dialect {
    arch: capstone::Arch,
    mode: Mode,
    /// Whether there is more than one syntax.
    has_syntax: bool,
    /// The bits of the first four bytes that choose a bucket of the cache: as many as a form compares, of these.
    pub keys: &'static [u32],
    /// Where control goes after an instruction, by mnemonic (without prefixes) and operands.
    flow: fn(&str, &str) -> Flow,
    /// What may be left open in an instruction like this one.
    pub candidates: fn(&Decoded, Flow) -> Vec<(Hole, Number)>,
    /// What an instruction does.
    pub lift: Lift,
}

impl Dialect {
    pub fn of(architecture: Architecture) -> &'static Dialect {
        match architecture {
            Architecture::X86_64 => &x86_64::DIALECT,
            Architecture::Aarch64 => &aarch64::DIALECT,
        }
    }

    /// Where control goes after an instruction.
    pub fn flow(&self, decoded: &Decoded) -> Flow {
        // A prefix is part of capstone's mnemonic: `notrack jmp`.
        let name = decoded.mnemonic.rsplit(' ').next().unwrap_or_default();
        (self.flow)(name, &decoded.operands)
    }

    /// Capstone for this machine.
    pub fn capstone(&self, syntax: Syntax) -> capstone::CsResult<Capstone> {
        let mut capstone =
            Capstone::new_raw(self.arch, self.mode, NO_EXTRA_MODE, Some(Endian::Little))?;
        if self.has_syntax {
            capstone.set_syntax(match syntax {
                Syntax::Intel => capstone::Syntax::Intel,
                Syntax::Att => capstone::Syntax::Att,
            })?;
        }
        Ok(capstone)
    }
}
