//! What a step is to reach.

use super::code::{Code, Node};
use crate::address::{Address, BytecodeOffset, UopIndex};
use crate::session::pattern;

/// What a step is to reach.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Goal {
    /// So many uops further; leaving JIT code counts as one.
    Uops(u64),
    /// So many bytecode instructions further; the same.
    Bytecodes(u64),
    /// A certain place, unless JIT code is left before.
    Until(Until),
    /// Where JIT code is left.
    Leave,
}

/// A place to run to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Until {
    /// Uops with this name, base name or pattern.
    Named(String),
    /// The uop with this index.
    Index(UopIndex),
    /// The uop that contains this address.
    Address(Address),
    /// The first uop of a line, of files whose names end so.
    Line(Option<String>, i32),
    /// The first uop of the instruction at this offset.
    Bytecode(BytecodeOffset),
}

/// How far a step has come.
#[derive(Clone, Debug)]
pub struct Progress {
    goal: Goal,
    done: u64,
    here: Option<Instruction>,
}

/// The instruction that a uop is a part of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Instruction {
    executor: Address,
    code: Option<Address>,
    offset: BytecodeOffset,
    line: Option<i32>,
    depth: i32,
}

impl Instruction {
    fn of(code: &Code, node: &Node) -> Option<Instruction> {
        // That of a stub is where the interpreter will go on.
        let bytecode = node.row.bytecode.as_ref().filter(|_| !node.row.is_stub)?;
        Some(Instruction {
            executor: code.executor,
            code: node.row.code.as_ref().map(|code| code.object),
            offset: bytecode.offset,
            line: node.row.line,
            depth: node.row.depth,
        })
    }

    /// Depths of two executors cannot be compared.
    fn is_same_frame(&self, other: &Instruction) -> bool {
        self.code == other.code && (self.executor != other.executor || self.depth == other.depth)
    }

    fn is_same(&self, other: &Instruction) -> bool {
        self.is_same_frame(other) && self.offset == other.offset
    }

    fn is_same_line(&self, other: &Instruction) -> bool {
        self.is_same_frame(other) && self.line == other.line
    }
}

impl Progress {
    /// Nothing done yet.
    pub fn new(goal: Goal) -> Progress {
        Progress {
            goal,
            done: 0,
            here: None,
        }
    }

    /// Begins in this uop.
    pub fn begin(&mut self, code: &Code, place: usize) {
        // A uop that belongs to no instruction stands among those of the last one.
        let before = code.nodes().get(..=place).unwrap_or_default();
        self.here = before
            .iter()
            .rev()
            .find_map(|node| Instruction::of(code, node));
    }

    /// A uop was passed that is known not to be the end.
    pub fn pass(&mut self, code: &Code, node: &Node) {
        self.here = Instruction::of(code, node).or(self.here);
    }

    /// A uop is reached: whether that is the end.
    pub fn arrive(&mut self, code: &Code, node: &Node) -> bool {
        let new = Instruction::of(code, node);
        let old = self.here;
        self.here = new.or(old);
        let begins = |is_same: fn(&Instruction, &Instruction) -> bool| {
            new.is_some_and(|new| !old.is_some_and(|old| is_same(&new, &old)))
        };
        let step = match &self.goal {
            Goal::Uops(_) => true,
            Goal::Bytecodes(_) => begins(Instruction::is_same),
            Goal::Until(Until::Line(file, line)) => {
                node.row.line == Some(*line)
                    && in_file(node, file.as_deref())
                    && begins(Instruction::is_same_line)
            }
            Goal::Until(Until::Bytecode(offset)) => {
                new.is_some_and(|new| new.offset == *offset) && begins(Instruction::is_same)
            }
            Goal::Until(until) => is_at(node, until),
            Goal::Leave => false,
        };
        self.done += u64::from(step);
        self.done >= self.wanted()
    }

    /// JIT code is left: whether that is the end.
    pub fn leave(&mut self) -> bool {
        self.here = None;
        self.done += 1;
        self.done >= self.wanted()
    }

    /// Whether each uop on the way matters.
    pub fn counts(&self) -> bool {
        matches!(self.goal, Goal::Uops(_) | Goal::Bytecodes(_))
    }

    /// What is to be reached.
    pub fn goal(&self) -> &Goal {
        &self.goal
    }

    fn wanted(&self) -> u64 {
        match self.goal {
            Goal::Uops(count) | Goal::Bytecodes(count) => count,
            Goal::Until(_) | Goal::Leave => 1,
        }
    }
}

fn is_at(node: &Node, until: &Until) -> bool {
    match until {
        Until::Named(text) => {
            pattern::matches(text, &node.row.name) || pattern::matches(text, &node.row.base)
        }
        Until::Index(index) => node.row.index == *index,
        Until::Address(address) => node.contains(*address),
        Until::Line(..) | Until::Bytecode(_) => false,
    }
}

fn in_file(node: &Node, wanted: Option<&str>) -> bool {
    let Some(wanted) = wanted else {
        return true;
    };
    let code = node.row.code.as_ref();
    code.and_then(|code| code.filename.strip_suffix(wanted))
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('/') || wanted.starts_with('/'))
}
