//! The registers of a thread: as the kernel lays them out, or as a debugger gives them.

use crate::address::Address;

/// The processors that CPython's JIT exists for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Processor {
    /// x86-64.
    X86_64,
    /// AArch64.
    Aarch64,
}

/// `struct user_regs_struct` of x86-64 (Linux: arch/x86/include/asm/user_64.h), all of eight bytes.
const X86_64: [&str; 27] = [
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi",
    "rdi", "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs",
    "gs",
];

/// `struct user_pt_regs` of AArch64 (Linux: arch/arm64/include/uapi/asm/ptrace.h), all of eight bytes.
const AARCH64: [&str; 34] = [
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
    "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
    "x28", "x29", "x30", "sp", "pc", "pstate",
];

/// Those of x86-64 that programs compute with.
const X86_64_GENERAL: [&str; 17] = [
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15", "rip",
];

impl Processor {
    /// The processor that a debugger calls so (`i386:x86-64`, `x86_64`, `aarch64`).
    pub fn of_debugger(name: &str) -> Option<Processor> {
        match name {
            name if name.contains("x86-64") || name.contains("x86_64") => Some(Processor::X86_64),
            "aarch64" | "arm64" => Some(Processor::Aarch64),
            _ => None,
        }
    }

    /// The general registers, by the names that every debugger knows: what is asked for of a frame.
    pub fn general_names(self) -> &'static [&'static str] {
        match self {
            Processor::X86_64 => &X86_64_GENERAL,
            Processor::Aarch64 => AARCH64.split_last().map_or(&[], |(_, general)| general),
        }
    }

    /// GDB's name of it.
    pub fn debugger_name(self) -> &'static str {
        match self {
            Processor::X86_64 => "i386:x86-64",
            Processor::Aarch64 => "aarch64",
        }
    }

    /// The names of its registers, in the kernel's order.
    pub fn register_names(self) -> &'static [&'static str] {
        match self {
            Processor::X86_64 => &X86_64,
            Processor::Aarch64 => &AARCH64,
        }
    }

    /// What debuggers call a register besides its own name.
    fn alias(self, name: &str) -> &str {
        match (self, name) {
            (Processor::X86_64, "pc") => "rip",
            (Processor::X86_64, "sp") => "rsp",
            (Processor::X86_64, "fp") => "rbp",
            (Processor::Aarch64, "fp") => "x29",
            (Processor::Aarch64, "lr") => "x30",
            (_, name) => name,
        }
    }
}

/// The general registers of one thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registers {
    processor: Processor,
    /// In the kernel's order.
    values: Vec<Option<u64>>,
}

impl Registers {
    /// The registers in the kernel's form (`elf_gregset_t`), as far as there are bytes.
    pub fn from_bytes(processor: Processor, bytes: &[u8]) -> Registers {
        let words = bytes.as_chunks::<8>().0.iter();
        let count = processor.register_names().len();
        Registers {
            processor,
            values: words
                .take(count)
                .map(|word| Some(u64::from_le_bytes(*word)))
                .collect(),
        }
    }

    /// The registers for which `value` has one.
    pub fn of_names(
        processor: Processor,
        mut value: impl FnMut(&'static str) -> Option<u64>,
    ) -> Registers {
        let names = processor.register_names().iter();
        Registers {
            processor,
            values: names.map(|name| value(name)).collect(),
        }
    }

    /// The register with this name (`rip`, `x20`; `pc`, `sp` and `fp` on each processor).
    pub fn get(&self, name: &str) -> Option<u64> {
        let name = self.processor.alias(name);
        let names = self.processor.register_names();
        let index = names.iter().position(|other| *other == name)?;
        self.values.get(index).copied().flatten()
    }

    /// The program counter.
    pub fn pc(&self) -> Option<Address> {
        self.get("pc").map(Address)
    }

    /// The processor that they are of.
    pub fn processor(&self) -> Processor {
        self.processor
    }
}

/// The registers of the frame that the user has selected, as far as they are known there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FrameRegisters {
    /// Their values. In a frame that has called another, those that the called function need not keep are not to be
    /// relied on: debuggers may show what they hold now.
    pub values: Registers,
    /// Whether the frame waits for a function that it has called: its pc then is where that one will return to.
    pub is_caller: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_registers_by_name_and_alias() {
        let bytes: Vec<u8> = (0..27u64).flat_map(u64::to_le_bytes).collect();
        let registers = Registers::from_bytes(Processor::X86_64, &bytes);
        assert_eq!(registers.get("rip"), Some(16));
        assert_eq!(registers.pc(), Some(Address(16)));
        assert_eq!(registers.get("sp"), registers.get("rsp"));
        assert_eq!(registers.get("x20"), None);
        let named = Registers::of_names(Processor::X86_64, |name| (name == "r13").then_some(7));
        assert_eq!((named.get("r13"), named.pc()), (Some(7), None));
        let few = Registers::from_bytes(Processor::Aarch64, &bytes);
        assert_eq!(
            (few.get("x20"), few.get("lr"), few.pc()),
            (Some(20), None, None)
        );
    }
}
