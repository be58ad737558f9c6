//! How much faster stencils are decoded from memory than by capstone alone.
//!
//! `cargo bench --bench disasm [-- FILE]`; FILE holds raw x86-64 code to take instead of the built-in stencil.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

use capstone::{Capstone, Mode, NO_EXTRA_MODE};
use cpyjit::address::Address;
use cpyjit::disasm::{Architecture, Disassembler, Instruction, Syntax};
use std::hint::black_box;
use std::time::Instant;

/// A stencil as clang writes them, with a `mov` of 64 bits, a rip-relative load, a call and two jumps to patch.
const STENCIL: &[u8] = &[
    0x49, 0x8b, 0x45, 0x60, 0x48, 0xb9, 0, 0, 0, 0, 0, 0, 0, 0, 0x48, 0x3b, 0x0d, 0, 0, 0, 0, 0x0f,
    0x85, 0, 0, 0, 0, 0x4c, 0x89, 0xef, 0x41, 0x57, 0xff, 0x43, 0x08, 0xe8, 0, 0, 0, 0, 0x41, 0x5f,
    0x48, 0x85, 0xc0, 0xe9, 0, 0, 0, 0,
];
const HOLES: [(usize, usize); 5] = [(6, 8), (17, 4), (23, 4), (36, 4), (46, 4)];
const COPIES: usize = 20_000;
const ROUNDS: usize = 5;
const BASE: u64 = 0x7fff_f000_0000;

fn stencils() -> Vec<Vec<u8>> {
    let mut number = 0x9e37_79b9_7f4a_7c15u64;
    let patched = |_| {
        let mut code = STENCIL.to_vec();
        for (offset, size) in HOLES {
            number = number.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            code[offset..offset + size].copy_from_slice(&number.to_le_bytes()[..size]);
        }
        code
    };
    (0..COPIES).map(patched).collect()
}

/// Millions of instructions a second, the best of some rounds.
fn speed(mut round: impl FnMut() -> usize) -> f64 {
    let one = |_| {
        let start = Instant::now();
        let count = black_box(round());
        count as f64 / start.elapsed().as_secs_f64() / 1e6
    };
    (0..ROUNDS).map(one).fold(0.0, f64::max)
}

/// Decodes into one row of instructions after the other, as a listing does.
fn decode(disassembler: &mut Disassembler, pieces: &[Vec<u8>], by_stencil: bool) -> usize {
    let mut row = Vec::new();
    let mut count = 0;
    for (index, code) in pieces.iter().enumerate() {
        let stencil = by_stencil.then_some(index as u32 % 64);
        row.clear();
        disassembler.decode(stencil, Address(BASE), code, &mut row);
        count += black_box(&row).len();
    }
    count
}

fn capstone_speed(pieces: &[Vec<u8>], detail: bool) -> f64 {
    let mut capstone =
        Capstone::new_raw(capstone::Arch::X86, Mode::Mode64, NO_EXTRA_MODE, None).unwrap();
    capstone.set_detail(detail).unwrap();
    let mut count = |code: &Vec<u8>| {
        let mut instructions = capstone.disasm_iter(code, BASE).unwrap();
        let mut seen = 0;
        while let Some(instruction) = instructions.next() {
            black_box(instruction.op_str());
            seen += 1;
        }
        seen
    };
    speed(|| pieces.iter().map(&mut count).sum())
}

fn main() {
    let file = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let pieces = file.map_or_else(stencils, |path| vec![std::fs::read(path).unwrap()]);
    let fresh = || Disassembler::new(Architecture::X86_64, Syntax::Intel).unwrap();
    let plain = capstone_speed(&pieces, false);
    let detailed = capstone_speed(&pieces, true);
    let cold = speed(|| decode(&mut fresh(), &pieces, false));
    let mut known = fresh();
    let by_bytes = speed(|| decode(&mut known, &pieces, false));
    let by_stencil = speed(|| decode(&mut known, &pieces, true));
    let mut decoded: Vec<Instruction> = Vec::new();
    known.decode(None, Address(BASE), &pieces.concat(), &mut decoded);
    let mut text = String::new();
    let written = speed(|| {
        text.clear();
        decoded.iter().for_each(|instruction| {
            text.push_str(instruction.mnemonic());
            instruction.write_operands(&mut text);
        });
        decoded.len()
    });
    println!("million instructions a second, and times plain capstone:");
    for (what, value) in [
        ("capstone", plain),
        ("capstone with details", detailed),
        ("disassembler, new", cold),
        ("disassembler, by bytes", by_bytes),
        ("disassembler, by stencil", by_stencil),
        ("writing the text", written),
    ] {
        println!("{what:26} {value:8.2} {:6.1}x", value / plain);
    }
}
