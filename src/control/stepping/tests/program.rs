//! Random programs: traces with stubs, calls that run other Python code, and the instructions that a thread executes.

use super::super::code::{Code, Node};
use super::target::Visit;
use crate::address::{Address, Range, UopIndex};
use crate::disasm::{Architecture, Disassembler, Instruction, Syntax};
use crate::listing::{Hex, RangeRow, UopRow};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of a uop; all have the same.
const UOP: u64 = 32;

/// Where a uop's call and its jumps stand in it.
const CALL: u64 = 2;
const JUMP: u64 = 8;

const JIT: u64 = 0x7000_0000;
const REGION: u64 = 0x1000;

/// Functions outside JIT code, at addresses without meaning.
pub const EVALUATION: u64 = 0x40_1000;
pub const ENTRY: u64 = 0x40_2000;
pub const BACK: u64 = ENTRY + 2;
pub const INTERPRETER: u64 = 0x40_3000;

/// The stack pointer of the first evaluation.
pub const FIRST_STACK: u64 = 0x7fff_0000;

/// Deepest calls, and instructions after which a program comes to its end.
const DEEPEST: u32 = 3;
const LONGEST: usize = 6_000;

/// A source of numbers that are the same each time (xorshift).
pub struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// What a uop is made of.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    /// A conditional jump to the stub with this index.
    Guard(usize),
    /// The same by a jump that only the way to the stub comes to.
    Slow(usize),
    /// A call.
    Caller,
    /// To the first uop.
    Loop,
    /// To another executor.
    Exit,
    /// To the interpreter.
    Deopt,
}

/// An executor.
struct Trace {
    base: u64,
    kinds: Vec<Kind>,
    body: usize,
}

impl Trace {
    fn random(random: &mut Random, base: u64) -> Trace {
        let body = 2 + random.below(12) as usize;
        let stubs = 1 + random.below(3) as usize;
        let mut kinds: Vec<Kind> = (0..body - 1)
            .map(|_| {
                let stub = body + random.below(stubs as u64) as usize;
                match random.below(7) {
                    0..=1 => Kind::Plain,
                    2..=4 => Kind::Guard(stub),
                    5 => Kind::Slow(stub),
                    _ => Kind::Caller,
                }
            })
            .collect();
        kinds.push(match random.below(3) {
            0 => Kind::Exit,
            _ => Kind::Loop,
        });
        kinds.extend((1..stubs).map(|_| match random.below(2) {
            0 => Kind::Exit,
            _ => Kind::Deopt,
        }));
        // There is always a way out, so that each program comes to its end.
        kinds.push(Kind::Deopt);
        kinds[random.below(body as u64 - 1) as usize] = Kind::Guard(body + stubs - 1);
        Trace { base, kinds, body }
    }

    fn start(&self, index: usize) -> u64 {
        self.base + index as u64 * UOP
    }

    /// The machine code: real instructions, so that they are decoded as those of an executor are.
    fn code(&self) -> Vec<u8> {
        let mut code = Vec::new();
        for (index, kind) in self.kinds.iter().enumerate() {
            let mut own = vec![0x90; UOP as usize];
            let mut put = |at: u64, bytes: &[u8]| {
                own[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
            };
            let relative =
                |to: u64, end: u64| (to.wrapping_sub(self.start(index) + end) as u32).to_le_bytes();
            match kind {
                Kind::Plain => {}
                Kind::Guard(stub) => {
                    put(JUMP, &[0x0f, 0x85]);
                    put(JUMP + 2, &relative(self.start(*stub), JUMP + 6));
                }
                Kind::Slow(stub) => {
                    // jne over the jump
                    put(JUMP - 2, &[0x75, 5, 0xe9]);
                    put(JUMP + 1, &relative(self.start(*stub), JUMP + 5));
                }
                Kind::Caller => put(CALL, &[0xff, 0xd0]),
                Kind::Loop => {
                    put(UOP - 5, &[0xe9]);
                    put(UOP - 4, &relative(self.start(0), UOP));
                }
                Kind::Exit => put(UOP - 2, &[0xff, 0xe0]),
                Kind::Deopt => put(UOP - 1, &[0xc3]),
            }
            code.extend(own);
        }
        code
    }
}

/// A program: its executors, and each instruction that its thread executes.
pub struct Program {
    pub codes: Vec<Arc<Code>>,
    pub bytes: Vec<(u64, Vec<u8>)>,
    /// Program counter and stack pointer.
    pub run: Vec<(u64, u64)>,
    pub disassembler: RefCell<Disassembler>,
    traces: Vec<Trace>,
    visits: Vec<Visit>,
}

impl Program {
    pub fn random(seed: u64) -> Program {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let traces: Vec<Trace> = (0..1 + random.below(3))
            .map(|number| Trace::random(&mut random, JIT + number * REGION))
            .collect();
        let mut bytes: Vec<(u64, Vec<u8>)> = traces
            .iter()
            .map(|trace| (trace.base, trace.code()))
            .collect();
        // call rax; nop; ret, and what the interpreter does.
        bytes.push((ENTRY, vec![0xff, 0xd0, 0x90, 0xc3]));
        bytes.push((INTERPRETER, vec![0x90; 64]));
        bytes.push((EVALUATION, vec![0x90; 64]));
        let codes = traces
            .iter()
            .zip(&bytes)
            .map(|(trace, (_, bytes))| code(trace, bytes));
        let mut program = Program {
            codes: codes.map(Arc::new).collect(),
            bytes,
            run: Vec::new(),
            disassembler: RefCell::new(disassembler()),
            traces,
            visits: Vec::new(),
        };
        program.interpret(&mut random, FIRST_STACK, 0);
        program.at(INTERPRETER + 32, FIRST_STACK);
        program
    }

    pub fn visits(&self) -> &[Visit] {
        &self.visits
    }

    fn is_over(&self) -> bool {
        self.run.len() > LONGEST
    }

    /// Whether the way to a stub is taken. Where the program is to end, only one to the interpreter is.
    fn leaves(&self, random: &mut Random, trace: usize, stub: usize) -> bool {
        match self.is_over() {
            true => self.traces[trace].kinds[stub] == Kind::Deopt,
            false => random.below(12) == 0,
        }
    }

    fn at(&mut self, pc: u64, stack: u64) {
        assert!(self.run.len() < 100 * LONGEST, "the program never ends");
        self.run.push((pc, stack));
    }

    /// The interpreter, which enters JIT code now and then.
    fn interpret(&mut self, random: &mut Random, stack: u64, depth: u32) {
        self.at(INTERPRETER, stack);
        let entries = if depth == 0 {
            u64::MAX
        } else {
            random.below(3)
        };
        for _ in 0..entries {
            if self.is_over() {
                break;
            }
            self.at(INTERPRETER + 1, stack);
            self.at(ENTRY, stack - 0x40);
            let first = random.below(self.traces.len() as u64) as usize;
            self.execute(random, first, stack - 0x48, depth);
            self.at(BACK, stack - 0x40);
            self.at(BACK + 1, stack - 0x40);
            self.at(INTERPRETER + 2, stack);
            self.visits.push(Visit {
                uop: None,
                depth,
                at: INTERPRETER + 2,
            });
        }
        self.at(INTERPRETER + 3, stack);
    }

    /// JIT code, until it returns.
    fn execute(&mut self, random: &mut Random, mut trace: usize, stack: u64, depth: u32) {
        let mut index = 0;
        loop {
            let start = self.traces[trace].start(index);
            self.visits.push(Visit {
                uop: Some((self.traces[trace].base, index)),
                depth,
                at: start,
            });
            let kind = self.traces[trace].kinds[index];
            match kind {
                Kind::Plain => self.straight(start, 0, UOP, stack),
                Kind::Guard(stub) => {
                    self.straight(start, 0, JUMP + 1, stack);
                    if self.leaves(random, trace, stub) {
                        index = stub;
                        continue;
                    }
                    self.straight(start, JUMP + 6, UOP, stack);
                }
                Kind::Slow(stub) => {
                    self.straight(start, 0, JUMP - 1, stack);
                    if self.leaves(random, trace, stub) {
                        self.at(start + JUMP, stack);
                        index = stub;
                        continue;
                    }
                    self.straight(start, JUMP + 5, UOP, stack);
                }
                Kind::Caller => {
                    self.straight(start, 0, CALL + 1, stack);
                    self.at(INTERPRETER + 40, stack - 8);
                    if depth < DEEPEST && random.below(6) == 0 && !self.is_over() {
                        self.at(EVALUATION, stack - 0x100);
                        self.interpret(random, stack - 0x200, depth + 1);
                    }
                    self.straight(start, CALL + 2, UOP, stack);
                }
                Kind::Loop => {
                    self.straight(start, 0, UOP - 4, stack);
                    index = 0;
                    continue;
                }
                Kind::Exit => {
                    self.straight(start, 0, UOP - 1, stack);
                    trace = random.below(self.traces.len() as u64) as usize;
                    index = 0;
                    continue;
                }
                Kind::Deopt => {
                    self.straight(start, 0, UOP, stack);
                    return;
                }
            }
            index += 1;
        }
    }

    /// The instructions of a part of a uop, most of which are one byte long.
    fn straight(&mut self, start: u64, from: u64, to: u64, stack: u64) {
        (from..to).for_each(|offset| self.at(start + offset, stack));
    }
}

fn disassembler() -> Disassembler {
    Disassembler::new(Architecture::X86_64, Syntax::Intel).expect("a disassembler")
}

fn code(trace: &Trace, bytes: &[u8]) -> Code {
    let mut disassembler = disassembler();
    let starts: HashMap<Address, bool> = (0..trace.kinds.len())
        .map(|index| (Address(trace.start(index)), index < trace.body))
        .collect();
    let nodes = (0..trace.kinds.len()).map(|index| {
        let start = Address(trace.start(index));
        let own = &bytes[index * UOP as usize..][..UOP as usize];
        let mut instructions: Vec<Instruction> = Vec::new();
        disassembler.decode(None, start, own, &mut instructions);
        Node::new(row(trace, index), &instructions, |at| {
            starts.get(&at).copied()
        })
        .expect("it has code")
    });
    let range = Range::new(Address(trace.base), REGION);
    Code::new(Address(trace.base), None, range, nodes.collect())
}

fn row(trace: &Trace, index: usize) -> UopRow {
    UopRow {
        index: UopIndex(index as u32),
        name: "_UOP".into(),
        base: "_UOP".into(),
        opcode: 1,
        oparg: 0,
        operand0: Hex(0),
        operand1: Hex(0),
        target: None,
        jump_target: None,
        error_target: None,
        ranges: vec![RangeRow {
            address: Address(trace.start(index)),
            size: UOP,
        }],
        code: None,
        bytecode: None,
        line: None,
        depth: 0,
        exit: None,
        is_stub: index >= trace.body,
        stack: None,
        instructions: None,
    }
}
