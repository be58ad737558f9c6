//! The machines whose code is understood.

use crate::error::Error;
use std::fmt;
use std::str::FromStr;

/// An architecture that CPython's JIT emits code for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Architecture {
    /// AMD64.
    X86_64,
    /// 64-bit ARM.
    Aarch64,
}

impl Architecture {
    /// The name, as it is written in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Architecture::X86_64 => "x86_64",
            Architecture::Aarch64 => "aarch64",
        }
    }

    /// The bytes that an instruction has at least, which is also how far decoding moves on after bytes that are none.
    pub(super) fn unit(self) -> u8 {
        match self {
            Architecture::X86_64 => 1,
            Architecture::Aarch64 => 4,
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Architecture {
    type Err = Error;

    /// Understands GDB's names (`i386:x86-64`, also with `:intel`), LLDB's and the kernel's.
    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "x86_64" | "x86-64" | "amd64" | "i386:x86-64" | "i386:x86-64:intel" => {
                Ok(Architecture::X86_64)
            }
            "aarch64" | "arm64" | "arm64e" => Ok(Architecture::Aarch64),
            other => Err(Error::Usage {
                message: format!("code for {other} cannot be disassembled"),
                hint: Some("x86_64 and aarch64 can".to_owned()),
            }),
        }
    }
}

/// How operands of x86 are written; the text of AArch64 is always the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum Syntax {
    /// Destination first: `mov rax, qword ptr [rbx]`.
    #[default]
    Intel,
    /// Destination last: `movq (%rbx), %rax`.
    Att,
}
