//! A debugger and a stopped thread that follow a program which is known beforehand.

use super::super::code::Code;
use super::super::event::{Event, Reason};
use super::super::machine::{Machine, Order};
use super::super::tell::Shown;
use super::super::world::World;
use super::program::{BACK, ENTRY, EVALUATION, FIRST_STACK, Program};
use crate::address::Address;
use crate::control::{Action, Run, Told};
use crate::disasm::Instruction;
use crate::error::Result;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A uop that begins, or a return to the interpreter.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The executor and the index.
    pub uop: Option<(u64, usize)>,
    /// Calls below it.
    pub depth: u32,
    /// Where.
    pub at: u64,
}

impl Visit {
    pub fn text(&self) -> String {
        match self.uop {
            Some((executor, index)) => format!("{executor:#x} {index}"),
            None => "left".to_owned(),
        }
    }
}

/// The thread at one instruction of the program.
struct Thread<'p> {
    program: &'p Program,
    pc: u64,
    stack: u64,
    /// Half of the programs run where nothing tells of entries but the executors themselves.
    has_entry: bool,
}

impl World for Thread<'_> {
    fn pc(&self) -> Option<Address> {
        Some(Address(self.pc))
    }

    fn stack_pointer(&self) -> Option<Address> {
        Some(Address(self.stack))
    }

    fn return_address(&self) -> Option<Address> {
        Some(Address(BACK))
    }

    fn code_at(&self, pc: Address) -> Result<Option<Arc<Code>>> {
        let mut codes = self.program.codes.iter();
        Ok(codes.find(|code| code.range.contains(pc)).cloned())
    }

    fn instructions(&self, from: Address, most: usize) -> Vec<Instruction> {
        let mut found = Vec::new();
        let mut disassembler = self.program.disassembler.borrow_mut();
        for (start, bytes) in &self.program.bytes {
            let inside = from
                .0
                .checked_sub(*start)
                .and_then(|at| bytes.get(at as usize..));
            if let Some(rest) = inside.filter(|rest| !rest.is_empty()) {
                disassembler.decode(None, from, rest, &mut found);
            }
        }
        found.truncate(most);
        found
    }

    fn entry_call(&self) -> Option<Address> {
        self.has_entry.then_some(Address(ENTRY))
    }

    fn evaluation(&self) -> Option<Address> {
        Some(Address(EVALUATION))
    }

    fn entries(&self) -> Result<Vec<Address>> {
        Ok(self
            .program
            .codes
            .iter()
            .map(|code| code.executor)
            .collect())
    }

    fn changes(&self) -> Result<Vec<Address>> {
        Ok(Vec::new())
    }

    fn activations(&self) -> Result<(Vec<Arc<Code>>, bool)> {
        // Steps begin in JIT code or in the interpreter, never in a function that JIT code has called.
        let running = match self.stack < FIRST_STACK {
            true => self.program.codes.clone(),
            false => Vec::new(),
        };
        Ok((running, false))
    }

    fn source(&self, _file: &str, _line: i32) -> Option<String> {
        None
    }
}

/// Carries out what the core asks for.
pub struct Debugger<'p> {
    program: &'p Program,
    at: usize,
    has_entry: bool,
}

impl<'p> Debugger<'p> {
    pub fn new(program: &'p Program) -> Debugger<'p> {
        Debugger {
            program,
            at: 0,
            has_entry: program.run.len().is_multiple_of(2),
        }
    }

    /// Where the thread is.
    pub fn at(&self) -> u64 {
        self.program.run[self.at].0
    }

    /// What a step tells of uops and returns.
    pub fn step(&mut self, order: Order) -> Vec<String> {
        let mut said = Said::default();
        let (mut machine, mut told) =
            Machine::start(&self.thread(), order, Shown::default()).expect("a step");
        loop {
            said.add(&told);
            let Some(action) = told.actions.first() else {
                return said.events;
            };
            let event = match action {
                Action::Run(run) => self.run(run),
                Action::SingleStep { .. } => {
                    self.at += 1;
                    self.event(BTreeMap::new())
                }
                other => panic!("{other:?}"),
            };
            (machine, told) = machine.resume(&self.thread(), &event);
        }
    }

    fn thread(&self) -> Thread<'p> {
        let (pc, stack) = self.program.run[self.at];
        Thread {
            program: self.program,
            pc,
            stack,
            has_entry: self.has_entry,
        }
    }

    fn run(&mut self, run: &Run) -> Event {
        let mut left: BTreeMap<u64, u64> = run
            .places
            .iter()
            .map(|place| (place.address.0, place.ignore))
            .collect();
        let mut hits: BTreeMap<Address, u64> = BTreeMap::new();
        loop {
            self.at += 1;
            let Some((pc, _)) = self.program.run.get(self.at) else {
                panic!("the program came to its end");
            };
            if let Some(ignore) = left.get_mut(pc) {
                *hits.entry(Address(*pc)).or_default() += 1;
                match ignore {
                    0 => return self.event(hits),
                    _ => *ignore -= 1,
                }
            }
        }
    }

    fn event(&self, hits: BTreeMap<Address, u64>) -> Event {
        Event {
            reason: Reason::Place,
            address: Some(Address(self.at())),
            hits,
            text: String::new(),
        }
    }
}

/// What was said, as texts of [`Visit`]s.
#[derive(Default)]
struct Said {
    executor: String,
    events: Vec<String>,
}

impl Said {
    fn add(&mut self, told: &Told) {
        assert!(told.findings.is_empty(), "{:?}", told.findings);
        for line in &told.lines {
            if let Some(executor) = line.strip_prefix("executor ") {
                self.executor = executor.to_owned();
            } else if line.starts_with("left JIT code") {
                self.events.push("left".to_owned());
            } else if let Some((index, _)) =
                line.trim_start_matches("=>").trim().split_once(" _UOP")
            {
                self.events.push(format!("{} {index}", self.executor));
            }
        }
    }
}
