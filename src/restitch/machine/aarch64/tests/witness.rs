//! Single instructions against an independent witness.

use super::super::flags::Flags;
use super::super::state::State;
use super::super::{Aarch64, decode};
use super::{CODE, SIZE, bus, bytes, memory};
use crate::restitch::{Builtins, Stop, Value, Vector};
use std::fmt::Write as _;

/// Written by `tests/restitch/aarch64_cases.py`.
const CASES: &str = include_str!("witness.txt");

/// Of the instruction, in the code.
const PLACE: u64 = 0x800;
const NOP: u32 = 0xd503_201f;

/// What is different after an instruction, in the words of the file.
fn outcome(seed: u64, word: u32, changed: &[(usize, u64)]) -> String {
    let mut code = vec![NOP; SIZE / 4];
    code[usize::try_from(PLACE).unwrap() / 4] = word;
    let code = bytes(&code);
    let memory = memory(&code);
    let builtins = Builtins::new();
    let mut bus = bus(&memory, &builtins, data(seed));
    bus.begin();
    let mut machine = machine(seed, changed);
    let before = machine.state.clone();
    let pc = match machine.step(&mut bus, CODE + PLACE) {
        Err(Stop::Unsupported { .. }) => return "undefined".to_owned(),
        pc => pc.unwrap(),
    };
    let mut text = String::new();
    registers(&mut text, &before, &machine.state);
    written(&mut text, &data(seed), &bus.output.bytes);
    if pc != CODE + PLACE + 4 {
        write!(text, " pc={pc:x}").unwrap();
    }
    match text.as_str() {
        "" => "nothing".to_owned(),
        text => text.trim_start().to_owned(),
    }
}

fn registers(text: &mut String, before: &State, after: &State) {
    for number in 0..32 {
        let value = after.get_or_stack(number).number;
        if value != before.get_or_stack(number).number {
            match number {
                31 => write!(text, " sp={value:x}"),
                _ => write!(text, " x{number}={value:x}"),
            }
            .unwrap();
        }
    }
    for number in 0..32 {
        let bytes = after.vector(number).bytes;
        if bytes != before.vector(number).bytes {
            write!(text, " v{number}={:x}", u128::from_le_bytes(bytes)).unwrap();
        }
    }
    if before.flags != after.flags {
        let flags = after.flags;
        let bits = [flags.negative, flags.zero, flags.carry, flags.overflow];
        let bits = bits.iter().fold(0, |all, bit| all << 1 | u8::from(*bit));
        write!(text, " nzcv={bits:x}").unwrap();
    }
}

fn written(text: &mut String, before: &[u8], after: &[u8]) {
    for (index, (old, new)) in before.chunks(8).zip(after.chunks(8)).enumerate() {
        if old != new {
            let hex: String = new.iter().map(|byte| format!("{byte:02x}")).collect();
            write!(text, " m{:x}={hex}", 8 * index).unwrap();
        }
    }
}

/// Splitmix64.
fn mixed(seed: u64) -> u64 {
    let value = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

fn general(seed: u64, number: u64) -> u64 {
    const EDGES: [u64; 8] = [
        0,
        1,
        u64::MAX,
        1 << 63,
        (1 << 63) - 1,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
    ];
    let value = mixed(seed * 64 + number);
    match value & 1 {
        0 => value,
        _ => EDGES[usize::try_from(value >> 8 & 7).unwrap()],
    }
}

fn machine(seed: u64, changed: &[(usize, u64)]) -> Aarch64 {
    let mut machine = Aarch64::default();
    for number in 0..32 {
        let at = 2 * number as u64 + seed * 64;
        let value = general(seed, number as u64);
        machine.state.set_or_stack(number, Value::body(value));
        let mut vector = Vector::default();
        vector.set_number(0, 8, Value::body(mixed(at + 1_000_003)));
        vector.set_number(8, 8, Value::body(mixed(at + 1_000_004)));
        machine.state.set_vector(number, vector);
    }
    for (number, value) in changed {
        machine.state.set_or_stack(*number, Value::body(*value));
    }
    let flags = u32::try_from(mixed(seed * 64 + 77) & 15).unwrap();
    machine.state.flags = Flags::of(flags);
    machine
}

fn data(seed: u64) -> Vec<u8> {
    let words = 0..SIZE as u64 / 8;
    words
        .flat_map(|index| mixed(seed * 64 + 2_000_003 + index).to_le_bytes())
        .collect()
}

/// `x9=1f` or `sp=1f`.
fn register(word: &str) -> (usize, u64) {
    let (name, value) = word.split_once('=').unwrap();
    let number = match name {
        "sp" => 31,
        name => name[1..].parse().unwrap(),
    };
    (number, u64::from_str_radix(value, 16).unwrap())
}

#[test]
fn every_class_does_what_the_witness_says() {
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for line in CASES.lines().filter(|line| !line.starts_with('#')) {
        let (before, expected) = line.split_once(" -> ").unwrap();
        let mut words = before.split(' ');
        let seed = u64::from_str_radix(words.next().unwrap(), 16).unwrap();
        let word = u32::from_str_radix(words.next().unwrap(), 16).unwrap();
        let changed: Vec<_> = words.map(register).collect();
        let found = outcome(seed, word, &changed);
        tried += 1;
        if found != expected {
            let instruction = decode::decode(word);
            wrong.push(format!("{line}\n  found {found}, {instruction:?}"));
        }
    }
    assert!(tried > 500, "the file has only {tried} cases");
    assert!(
        wrong.is_empty(),
        "{} of {tried}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
