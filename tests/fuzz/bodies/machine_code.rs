//! Machine code of any bytes: instructions cover it exactly, and code seen before changes nothing.

use super::Body;
use super::choices::Choices;
use cpyjit::address::Address;
use cpyjit::disasm::{Architecture, Disassembler, Instruction, Syntax};

pub const BODY: Body = Body {
    name: "machine_code",
    run,
    seeds,
};

/// More than the code of any uop.
const LONGEST: usize = 4096;

fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let architecture = *choices.one(&[Architecture::X86_64, Architecture::Aarch64]);
    let syntax = *choices.one(&[Syntax::Intel, Syntax::Att]);
    let address = Address(choices.u64());
    let code = choices.take(LONGEST);
    // A second piece of code under the same number: nearly the same, as two copies of a stencil are.
    let mut similar = code.to_vec();
    for _ in 0..choices.u8() % 16 {
        let at = usize::from(choices.u16());
        if let Some(byte) = similar.get_mut(at) {
            *byte = choices.u8();
        }
    }
    let mut experienced = Disassembler::new(architecture, syntax).unwrap();
    decode(&mut experienced, code, address);
    let learned = decode(&mut experienced, &similar, address);
    let mut new = Disassembler::new(architecture, syntax).unwrap();
    let fresh = decode(&mut new, &similar, address);
    assert_eq!(shown(&learned), shown(&fresh));
}

fn decode(disassembler: &mut Disassembler, code: &[u8], address: Address) -> Vec<Instruction> {
    let mut instructions = Vec::new();
    disassembler.decode(Some(7), address, code, &mut instructions);
    let mut next = address;
    for instruction in &instructions {
        assert_eq!(instruction.address(), next);
        assert_ne!(instruction.length(), 0);
        next = next.wrapping_add(instruction.length().into());
    }
    assert_eq!(next, address.wrapping_add(code.len() as u64));
    instructions
}

fn shown(instructions: &[Instruction]) -> Vec<String> {
    instructions.iter().map(|i| format!("{i:?}")).collect()
}

fn seeds() -> Vec<Vec<u8>> {
    let x86: &[u8] = &[
        0x49, 0x8b, 0x45, 0x60, 0x48, 0xb9, 0, 0, 0, 0, 0, 0, 0, 0, 0x48, 0x3b, 0x0d, 0, 0, 0, 0,
        0x0f, 0x85, 0, 0, 0, 0, 0xff, 0x43, 0x08, 0xe8, 0, 0, 0, 0, 0xe9, 0, 0, 0, 0,
    ];
    let aarch64: &[u8] = &[
        0x00, 0x00, 0x00, 0x90, 0x00, 0x00, 0x40, 0xf9, 0x1f, 0x00, 0x00, 0xf1, 0x00, 0x00, 0x00,
        0x54, 0x00, 0x00, 0x00, 0x94, 0xc0, 0x03, 0x5f, 0xd6,
    ];
    let place = 0x7f00_0001_0000u64.to_le_bytes();
    let seed = |architecture: u8, syntax: u8, code: &[u8]| {
        [&[architecture, 0, syntax, 0], place.as_slice(), code].concat()
    };
    vec![
        seed(0, 0, x86),
        seed(0, 1, x86),
        seed(1, 0, aarch64),
        seed(1, 1, aarch64),
    ]
}
