//! An executor's code as a step sees it: the uops that have code, and every way out of each.
//!
//! The ways are read off the machine code, not off what a uop is known to do: a jump to another uop, a jump to a
//! computed place, a return. So nothing here depends on what the uops of a version are called.

use crate::address::{Address, Range, UopIndex};
use crate::disasm::{Flow, Instruction};
use crate::listing::UopRow;
use std::collections::HashMap;

/// A way out of a uop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// To the start of another uop.
    To {
        /// Where.
        target: Address,
        /// The instruction that goes there, if whoever comes to it goes there; otherwise it may not be taken, or what
        /// stands before simply ends.
        by: Option<Address>,
    },
    /// To a place that only the instruction at this address knows.
    Computed(Address),
    /// Back to whoever entered JIT code.
    Return,
}

/// A uop that has code.
#[derive(Clone, Debug)]
pub struct Node {
    /// What is said of it.
    pub row: UopRow,
    /// Of the stub of a side exit, which.
    pub exit: Option<u32>,
    /// Its first instruction.
    pub start: Address,
    /// Its code.
    pub ranges: Vec<Range>,
    /// All ways out of it.
    pub ways: Vec<Way>,
    /// The uop that follows it in the trace, or the first of the loop behind the last.
    pub next: Option<Address>,
    /// Whether it calls functions: those may run other Python code.
    pub calls: bool,
    /// Whether all ways are known.
    pub certain: bool,
}

impl Node {
    /// The uop with this row, whose code is these instructions; `is_body` tells whether a uop of the main part begins
    /// at an address.
    pub fn new(
        row: UopRow,
        instructions: &[Instruction],
        is_body: impl Fn(Address) -> Option<bool>,
    ) -> Option<Node> {
        let ranges: Vec<Range> = row
            .ranges
            .iter()
            .map(|range| Range::new(range.address, range.size))
            .filter(|range| range.size != 0)
            .collect();
        let start = ranges.first()?.start;
        let mut node = Node {
            row,
            exit: None,
            start,
            ranges,
            ways: Vec::new(),
            next: None,
            calls: false,
            certain: !instructions.is_empty(),
        };
        instructions.iter().for_each(|one| node.follow(one));
        node.fall_through(instructions);
        node.check(&is_body);
        Some(node)
    }

    /// Whether its code contains `address`.
    pub fn contains(&self, address: Address) -> bool {
        self.ranges.iter().any(|range| range.contains(address))
    }

    fn follow(&mut self, instruction: &Instruction) {
        let at = instruction.address();
        match instruction.flow() {
            Flow::Next | Flow::Trap => {}
            Flow::Call | Flow::IndirectCall => self.calls = true,
            Flow::Jump => self.jump(instruction, Some(at)),
            Flow::ConditionalJump => self.jump(instruction, None),
            Flow::IndirectJump => self.ways.push(Way::Computed(at)),
            Flow::Return => self.add(Way::Return),
            Flow::Bad => self.certain = false,
        }
    }

    fn jump(&mut self, instruction: &Instruction, by: Option<Address>) {
        match instruction.target() {
            Some(target) if self.contains(target) => {}
            Some(target) => self.add(Way::To { target, by }),
            None => self.certain = false,
        }
    }

    fn add(&mut self, way: Way) {
        if !self.ways.contains(&way) {
            self.ways.push(way);
        }
    }

    /// The code behind each piece is reached if the piece does not end with a jump.
    fn fall_through(&mut self, instructions: &[Instruction]) {
        for range in self.ranges.clone() {
            let end = range.end();
            let last = instructions.iter().find(|one| {
                let behind = one.address().wrapping_add(u64::from(one.length()));
                behind == end
            });
            match last {
                Some(last) if last.flow().ends_block() => {}
                Some(_) => {
                    self.add(Way::To {
                        target: end,
                        by: None,
                    });
                    self.next = Some(end);
                }
                None => self.certain = false,
            }
        }
    }

    /// Every jump must lead to where a uop begins; one that follows in the main part is the next.
    fn check(&mut self, is_body: &impl Fn(Address) -> Option<bool>) {
        let mut body = Vec::new();
        for way in &self.ways {
            if let Way::To { target, .. } = way {
                match is_body(*target) {
                    None => self.certain = false,
                    Some(true) if !body.contains(target) => body.push(*target),
                    Some(_) => {}
                }
            }
        }
        if self.next.is_none()
            && let [only] = body.as_slice()
        {
            self.next = Some(*only);
        }
    }

    /// Where the ways to other uops lead, each once.
    pub fn targets(&self) -> Vec<Address> {
        let mut targets = Vec::new();
        for way in &self.ways {
            if let Way::To { target, .. } = way
                && !targets.contains(target)
            {
                targets.push(*target);
            }
        }
        targets
    }

    /// The instructions that lead to `target` and nowhere else, if all ways there begin at such.
    pub fn only_by(&self, target: Address) -> Option<Vec<Address>> {
        let ways = self.ways.iter().filter_map(|way| match way {
            Way::To { target: to, by } if *to == target => Some(*by),
            _ => None,
        });
        ways.collect()
    }

    /// Whether it can go back to whoever entered JIT code.
    pub fn returns(&self) -> bool {
        self.ways.contains(&Way::Return)
    }

    /// The instructions that jump to computed places.
    pub fn computed(&self) -> impl Iterator<Item = Address> {
        self.ways.iter().filter_map(|way| match way {
            Way::Computed(at) => Some(*at),
            _ => None,
        })
    }
}

/// The uops of an executor that have code.
#[derive(Clone, Debug)]
pub struct Code {
    /// The executor.
    pub executor: Address,
    /// The function in which its trace begins.
    pub function: Option<String>,
    /// Its allocation.
    pub range: Range,
    nodes: Vec<Node>,
    starts: HashMap<Address, usize>,
}

impl Code {
    /// The code with these uops, in the order of the trace.
    pub fn new(
        executor: Address,
        function: Option<String>,
        range: Range,
        nodes: Vec<Node>,
    ) -> Code {
        let starts = nodes.iter().enumerate();
        Code {
            executor,
            function,
            range,
            starts: starts.map(|(index, node)| (node.start, index)).collect(),
            nodes,
        }
    }

    /// The uops, in the order of the trace.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The uop at this place in [`Code::nodes`].
    pub fn node(&self, place: usize) -> Option<&Node> {
        self.nodes.get(place)
    }

    /// The place of the uop that begins at `address`.
    pub fn starting_at(&self, address: Address) -> Option<usize> {
        self.starts.get(&address).copied()
    }

    /// The place of the uop whose code contains `address`.
    pub fn containing(&self, address: Address) -> Option<usize> {
        let mut nodes = self.nodes.iter();
        nodes.position(|node| node.contains(address))
    }

    /// The place of the uop with this index in the trace.
    pub fn with_index(&self, index: UopIndex) -> Option<usize> {
        self.nodes.iter().position(|node| node.row.index == index)
    }
}
