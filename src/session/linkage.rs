//! The procedure linkage table of a file: small pieces of code, each of which goes on where a slot points.

use crate::address::Address;
use crate::disasm::{Base, Expression, Flow, Instruction, Memory, Operand, Operations, Step};
use crate::platform::Register;
use std::collections::HashMap;

/// What may stand in front of an entry, as where indirect jumps may arrive.
const LANDING_PADS: [&str; 2] = ["endbr64", "bti"];

/// Where the entry begins that goes through the slot; `None` if the table has none.
pub(super) fn entry_of_slot(
    instructions: &[Instruction],
    operations: &Operations,
    slot: Address,
) -> Option<Address> {
    let mut entry = Entry::default();
    for (index, instruction) in instructions.iter().enumerate() {
        let jumps = instruction.flow() == Flow::IndirectJump;
        for step in operations.steps(index) {
            entry.follow(index, instruction, step, slot);
        }
        if jumps && (entry.reads_slot || instruction.pc_relative() == Some(slot)) {
            return start(instructions, entry.first.unwrap_or(index));
        }
        if jumps {
            entry = Entry::default();
        }
    }
    None
}

/// What is known of the entry so far.
#[derive(Default)]
struct Entry {
    /// The first instruction that gives a register an address.
    first: Option<usize>,
    pages: HashMap<Register, Address>,
    reads_slot: bool,
}

impl Entry {
    fn follow(&mut self, index: usize, instruction: &Instruction, step: &Step, slot: Address) {
        let Step::Set { to, value, .. } = step else {
            return;
        };
        let page = match value {
            Expression::Value(Operand::PcRelative | Operand::Page) => instruction.pc_relative(),
            Expression::Value(Operand::Memory(memory)) => {
                self.reads_slot |= self.address(memory) == Some(slot);
                None
            }
            _ => None,
        };
        match page {
            Some(page) => {
                self.first.get_or_insert(index);
                self.pages.insert(*to, page);
            }
            None => {
                self.pages.remove(to);
            }
        }
    }

    fn address(&self, memory: &Memory) -> Option<Address> {
        let Base::Register(base) = memory.base else {
            return None;
        };
        let page = self.pages.get(&base).filter(|_| memory.index.is_none())?;
        Some(page.wrapping_add(memory.displacement.cast_unsigned()))
    }
}

fn start(instructions: &[Instruction], first: usize) -> Option<Address> {
    let before = first
        .checked_sub(1)
        .and_then(|before| instructions.get(before))
        .filter(|before| LANDING_PADS.contains(&before.mnemonic()));
    Some(before.or_else(|| instructions.get(first))?.address())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disasm::{Disassembler, Lifter, Syntax};
    use crate::platform::Architecture;

    fn found(architecture: Architecture, start: u64, code: &[u8], slot: u64) -> Option<Address> {
        let mut disassembler = Disassembler::new(architecture, Syntax::default()).unwrap();
        let mut instructions = Vec::new();
        disassembler.decode(None, Address(start), code, &mut instructions);
        let operations = Lifter::new(architecture).unwrap().lift(&instructions, code);
        entry_of_slot(&instructions, &operations, Address(slot))
    }

    #[test]
    fn an_entry_of_aarch64_loads_the_slot_by_its_page() {
        // The first entry and two functions' ones, of which the second begins with a landing pad.
        let words: [u32; 14] = [
            0xa9bf_7bf0,
            0xb000_0010,
            0xf947_fe11,
            0xd61f_0220, // stp, adrp, ldr, br
            0xd000_0010,
            0xf940_0211,
            0x9100_0210,
            0xd61f_0220, // adrp, ldr [x16], add, br
            0xd503_245f,
            0xd000_0010,
            0xf940_0611,
            0x9100_2210,
            0xd61f_0220,
            0xd503_201f,
        ];
        let code: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        let at = |slot| found(Architecture::Aarch64, 0x1000, &code, slot);
        assert_eq!(at(0x3000), Some(Address(0x1010)));
        assert_eq!(at(0x3008), Some(Address(0x1020)));
        assert_eq!(at(0x3010), None);
    }

    #[test]
    fn an_entry_of_x86_64_jumps_through_the_slot() {
        // endbr64; jmp [rip + 0xff6]; nop
        let code = b"\xf3\x0f\x1e\xfa\xff\x25\xf6\x0f\0\0\x90";
        let at = |slot| found(Architecture::X86_64, 0x1000, code, slot);
        assert_eq!(at(0x2000), Some(Address(0x1000)));
        assert_eq!(at(0x2008), None);
    }
}
