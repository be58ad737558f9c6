//! The registers of a thread: as the kernel lays them out, or as a debugger gives them.

use crate::address::Address;
use crate::platform::Architecture;

/// The general registers of one thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registers {
    architecture: Architecture,
    /// In the kernel's order.
    values: Vec<Option<u64>>,
}

impl Registers {
    /// The registers in the kernel's form (`elf_gregset_t`), as far as there are bytes.
    pub fn from_bytes(architecture: Architecture, bytes: &[u8]) -> Registers {
        let words = bytes.as_chunks::<8>().0.iter();
        let count = architecture.platform().kernel_registers.len();
        Registers {
            architecture,
            values: words
                .take(count)
                .map(|word| Some(u64::from_le_bytes(*word)))
                .collect(),
        }
    }

    /// The registers for which `value` has one.
    pub fn of_names(
        architecture: Architecture,
        mut value: impl FnMut(&'static str) -> Option<u64>,
    ) -> Registers {
        let names = architecture.platform().kernel_registers.iter();
        Registers {
            architecture,
            values: names.map(|name| value(name)).collect(),
        }
    }

    /// The register with this name (`rip`, `x20`; `pc`, `sp` and `fp` on each processor).
    pub fn get(&self, name: &str) -> Option<u64> {
        let platform = self.architecture.platform();
        let alias = platform.aliases.iter().find(|(alias, _)| *alias == name);
        let name = alias.map_or(name, |(_, name)| *name);
        let names = platform.kernel_registers;
        let index = names.iter().position(|other| *other == name)?;
        self.values.get(index).copied().flatten()
    }

    /// The program counter.
    pub fn pc(&self) -> Option<Address> {
        self.get("pc").map(Address)
    }

    /// The machine that they are of.
    pub fn architecture(&self) -> Architecture {
        self.architecture
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
        let registers = Registers::from_bytes(Architecture::X86_64, &bytes);
        assert_eq!(registers.get("rip"), Some(16));
        assert_eq!(registers.pc(), Some(Address(16)));
        assert_eq!(registers.get("sp"), registers.get("rsp"));
        assert_eq!(registers.get("x20"), None);
        let named = Registers::of_names(Architecture::X86_64, |name| (name == "r13").then_some(7));
        assert_eq!((named.get("r13"), named.pc()), (Some(7), None));
        let few = Registers::from_bytes(Architecture::Aarch64, &bytes);
        assert_eq!(
            (few.get("x20"), few.get("lr"), few.pc()),
            (Some(20), None, None)
        );
    }
}
