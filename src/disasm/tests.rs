//! What holds for any bytes, and what real instructions mean.

use super::engine::Engine;
use super::*;
use crate::address::Address;
use std::time::{Duration, Instant};

const BASE: Address = Address(0x7fff_f7a0_1230);
const MACHINES: [(Architecture, Syntax); 3] = [
    (Architecture::X86_64, Syntax::Intel),
    (Architecture::X86_64, Syntax::Att),
    (Architecture::Aarch64, Syntax::Intel),
];

/// Numbers that look random and are the same each time (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[3]).collect()
    }

    /// Bytes that are more often instructions than random ones are, with few different beginnings.
    fn code(&mut self, pieces: usize) -> Vec<u8> {
        const BEGINNINGS: [&[u8]; 12] = [
            &[0x48, 0x8b],
            &[0x0f, 0x85],
            &[0xe8],
            &[0x48, 0xb8],
            &[0x66],
            &[0xf3, 0x0f],
            &[0x48, 0x8d, 0x05],
            &[0xc7, 0x05],
            &[0x67, 0xe3],
            &[0x62, 0xf1],
            &[0xc5, 0xf8],
            &[0x41, 0xff],
        ];
        let mut code = Vec::new();
        for _ in 0..pieces {
            let choice = usize::from(self.next().to_le_bytes()[0]);
            let count = usize::from(self.next().to_le_bytes()[0]) % 7;
            code.extend_from_slice(BEGINNINGS[choice % BEGINNINGS.len()]);
            code.extend(self.bytes(count));
        }
        code
    }
}

fn machine(architecture: Architecture, syntax: Syntax) -> Disassembler {
    Disassembler::new(architecture, syntax).unwrap()
}

fn decode(machine: &mut Disassembler, code: &[u8]) -> Vec<Instruction> {
    let mut out = Vec::new();
    machine.decode(None, BASE, code, &mut out);
    out
}

fn one(architecture: Architecture, syntax: Syntax, code: &[u8]) -> Instruction {
    let found = decode(&mut machine(architecture, syntax), code);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

fn x86(code: &[u8]) -> Instruction {
    one(Architecture::X86_64, Syntax::Intel, code)
}

fn att(code: &[u8]) -> Instruction {
    one(Architecture::X86_64, Syntax::Att, code)
}

fn aarch64(word: u32) -> Instruction {
    one(Architecture::Aarch64, Syntax::Intel, &word.to_le_bytes())
}

/// The instructions cover `code` and are what capstone says about each place.
fn check(engine: &Engine, code: &[u8], found: &[Instruction]) {
    let mut offset = 0;
    for instruction in found {
        let address = BASE.wrapping_add(offset as u64);
        assert_eq!(instruction.address(), address);
        let rest = &code[offset..];
        match engine.decode(rest, address.0) {
            None => assert_eq!(instruction.mnemonic(), "(bad)"),
            Some(expected) => {
                let bytes = &rest[..usize::from(expected.length)];
                assert_eq!(instruction.length(), expected.length, "{bytes:02x?}");
                assert_eq!(instruction.mnemonic(), expected.mnemonic, "{bytes:02x?}");
                assert_eq!(instruction.operands(), expected.operands, "{bytes:02x?}");
            }
        }
        offset += usize::from(instruction.length());
    }
    assert_eq!(offset, code.len());
}

#[test]
fn any_bytes_are_covered_and_the_cache_changes_nothing() {
    for (architecture, syntax) in MACHINES {
        let engine = Engine::new(architecture, syntax).unwrap();
        let mut disassembler = machine(architecture, syntax);
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        let start = Instant::now();
        for round in 0..200 {
            let code = match round % 3 {
                0 => random.bytes(301),
                _ => random.code(60),
            };
            for stencil in [None, Some(round % 5)] {
                let mut found = Vec::new();
                disassembler.decode(stencil, BASE, &code, &mut found);
                check(&engine, &code, &found);
            }
            if start.elapsed() > Duration::from_millis(300) {
                break;
            }
        }
    }
}

#[test]
fn patched_copies_of_a_stencil_are_told_apart() {
    let engine = Engine::new(Architecture::X86_64, Syntax::Intel).unwrap();
    let mut disassembler = machine(Architecture::X86_64, Syntax::Intel);
    let mut random = Random(7);
    for _ in 0..200 {
        let mut code = vec![0x55, 0x48, 0xb9];
        code.extend(random.bytes(8));
        code.extend([0x48, 0x3b, 0x0d]);
        code.extend(random.bytes(4));
        code.extend([0x0f, 0x84]);
        code.extend(random.bytes(4));
        code.extend([0xeb]);
        code.extend(random.bytes(1));
        let mut found = Vec::new();
        disassembler.decode(Some(1), BASE, &code, &mut found);
        check(&engine, &code, &found);
        assert_eq!(found.len(), 5);
    }
}

#[test]
fn branches_know_their_targets_in_both_syntaxes() {
    for decode in [x86, att] {
        let forwards = decode(&[0xe9, 0x10, 0, 0, 0]);
        assert_eq!(forwards.target(), Some(BASE.wrapping_add(0x15)));
        assert_eq!(forwards.flow(), Flow::Jump);
        let backwards = decode(&[0x75, 0xfe]);
        assert_eq!(backwards.target(), Some(BASE));
        assert_eq!(backwards.flow(), Flow::ConditionalJump);
        assert_eq!(backwards.operands(), format!("{BASE}"));
        let call = decode(&[0xe8, 0xfb, 0xff, 0xff, 0xff]);
        assert_eq!((call.target(), call.flow()), (Some(BASE), Flow::Call));
    }
}

#[test]
fn indirect_branches_have_none() {
    for decode in [x86, att] {
        let through_memory = decode(&[0xff, 0x25, 0x02, 0, 0, 0]);
        assert_eq!(through_memory.flow(), Flow::IndirectJump);
        assert_eq!(through_memory.target(), None);
        assert_eq!(through_memory.pc_relative(), Some(BASE.wrapping_add(8)));
        assert_eq!(decode(&[0xff, 0xd0]).flow(), Flow::IndirectCall);
        assert_eq!(decode(&[0xc3]).flow(), Flow::Return);
        assert_eq!(decode(&[0x0f, 0x0b]).flow(), Flow::Trap);
        assert_eq!(decode(&[0xcc]).flow(), Flow::Trap);
        assert_eq!(decode(&[0xcd, 0x29]).flow(), Flow::Next);
    }
}

#[test]
fn operands_relative_to_rip_name_their_address() {
    let load = x86(&[0x48, 0x8b, 0x05, 0xf8, 0x03, 0, 0]);
    assert_eq!(load.to_string(), "mov rax, qword ptr [rip + 0x3f8]");
    assert_eq!(load.pc_relative(), Some(BASE.wrapping_add(0x3ff)));
    let store = x86(&[0xc7, 0x05, 0xf0, 0xff, 0xff, 0xff, 0x34, 0x12, 0, 0]);
    assert_eq!(store.to_string(), "mov dword ptr [rip - 0x10], 0x1234");
    assert_eq!(store.pc_relative(), Some(Address(BASE.0 - 6)));
    let load = att(&[0x48, 0x8b, 0x05, 0xf8, 0x03, 0, 0]);
    assert_eq!(load.to_string(), "movq 0x3f8(%rip), %rax");
    assert_eq!(load.pc_relative(), Some(BASE.wrapping_add(0x3ff)));
    assert_eq!(x86(&[0x48, 0x8b, 0x45, 0x60]).pc_relative(), None);
}

#[test]
fn addresses_wrap_at_the_ends_of_memory() {
    let mut disassembler = machine(Architecture::X86_64, Syntax::Intel);
    for address in [Address(0), Address(u64::MAX)] {
        let mut out = Vec::new();
        disassembler.decode(Some(3), address, &[0xeb, 0xfd, 0xeb, 0x7f], &mut out);
        assert_eq!(out[0].target(), Some(address.wrapping_add(u64::MAX)));
        assert_eq!(out.len(), 2);
    }
}

#[test]
fn bad_bytes_are_passed_over() {
    let found = decode(
        &mut machine(Architecture::X86_64, Syntax::Intel),
        &[0x06, 0xc3, 0x0f],
    );
    let names: Vec<_> = found.iter().map(Instruction::mnemonic).collect();
    assert_eq!(names, ["(bad)", "ret", "(bad)"]);
    assert_eq!(found[0].flow(), Flow::Bad);
    let arm = decode(
        &mut machine(Architecture::Aarch64, Syntax::Intel),
        &[0xff, 0xff, 0xff, 0xff, 0xc0, 0x03, 0x5f, 0xd6, 0x1f, 0x20],
    );
    let lengths: Vec<_> = arm.iter().map(Instruction::length).collect();
    assert_eq!(lengths, [4, 4, 2]);
    assert_eq!(arm[1].flow(), Flow::Return);
}

#[test]
fn a_prefix_is_no_instruction_until_the_next_byte_makes_it_one() {
    let mut disassembler = machine(Architecture::X86_64, Syntax::Intel);
    let mut names = |code: &[u8]| -> Vec<String> {
        let mut out = Vec::new();
        disassembler.decode(Some(1), BASE, code, &mut out);
        out.iter()
            .map(|found| found.mnemonic().to_owned())
            .collect()
    };
    assert_eq!(names(&[0x0f, 0x06]), ["clts"]);
    assert_eq!(names(&[0x0f]), ["(bad)"]);
    assert_eq!(names(&[0x0f, 0x0b]), ["ud2"]);
}

#[test]
fn aarch64_branches() {
    let cases = [
        (0x1400_0002, Flow::Jump, 8i64),
        (0x97ff_ffff, Flow::Call, -4),
        (0x5400_0040, Flow::ConditionalJump, 8),
        (0xb4ff_ffe0, Flow::ConditionalJump, -4),
        (0x3618_0040, Flow::ConditionalJump, 8),
    ];
    for (word, flow, distance) in cases {
        let branch = aarch64(word);
        let target = BASE.wrapping_add(distance.cast_unsigned());
        assert_eq!(branch.flow(), flow, "{branch}");
        assert_eq!(branch.target(), Some(target), "{branch}");
        assert!(branch.operands().ends_with(&format!("#{target}")));
    }
    assert_eq!(
        aarch64(0x3618_0040).operands(),
        format!("w0, #3, #{}", BASE.wrapping_add(8))
    );
    assert_eq!(aarch64(0xd61f_0100).flow(), Flow::IndirectJump);
    assert_eq!(aarch64(0xd63f_0100).flow(), Flow::IndirectCall);
}

#[test]
fn aarch64_operands_relative_to_the_instruction() {
    let page = Address(BASE.0 & !0xfff);
    let adrp = aarch64(0xb000_0001);
    assert_eq!(adrp.pc_relative(), Some(page.wrapping_add(0x1000)));
    assert_eq!(
        adrp.to_string(),
        format!("adrp x1, #{}", page.wrapping_add(0x1000))
    );
    let adr = aarch64(0x1000_0041);
    assert_eq!(adr.pc_relative(), Some(BASE.wrapping_add(8)));
    let literal = aarch64(0x5800_0041);
    assert_eq!(literal.pc_relative(), Some(BASE.wrapping_add(8)));
    assert_eq!(literal.mnemonic(), "ldr");
    assert_eq!(literal.target(), None);
}

#[test]
fn one_adrp_means_another_page_elsewhere() {
    let mut disassembler = machine(Architecture::Aarch64, Syntax::Intel);
    let engine = Engine::new(Architecture::Aarch64, Syntax::Intel).unwrap();
    for address in [0x1_0000, 0x1_0ffc, 0xffff_8000_1234] {
        let code = 0xb000_0001u32.to_le_bytes();
        let mut out = Vec::new();
        disassembler.decode(Some(9), Address(address), &code, &mut out);
        let expected = engine.decode(&code, address).unwrap();
        assert_eq!(out[0].operands(), expected.operands);
    }
}

#[test]
fn names_of_architectures() {
    for name in ["i386:x86-64", "x86_64"] {
        assert_eq!(name.parse::<Architecture>().unwrap(), Architecture::X86_64);
    }
    assert_eq!(
        "aarch64".parse::<Architecture>().unwrap().to_string(),
        "aarch64"
    );
    assert!("riscv64".parse::<Architecture>().is_err());
}

#[test]
fn a_disassembler_may_move_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Disassembler>();
    is_send::<Instruction>();
}

#[test]
fn aarch64_computing_forgets_its_result_only() {
    let code = 0xcb28_2ec8u32.to_le_bytes(); // sub x8, x22, w8, uxth #3
    let lifter = Lifter::new(Architecture::Aarch64).unwrap();
    let operations = lifter.lift(&[aarch64(0xcb28_2ec8)], &code);
    let forgotten = Step::Forget(RegisterSet::of_bits(1 << 8));
    assert_eq!(operations.steps(0), [forgotten, Step::LoseFlags]);
}
