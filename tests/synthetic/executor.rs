//! Executors: trace, exits and machine code.

use super::memory::{Segment, Segments};
use super::stencil::{Hole, Kind, Piece, Place};
use super::structures::Structures;
use super::text::{Block, Line};
use std::collections::{BTreeSet, HashMap};

/// An executor as described.
pub struct Executor {
    pub name: String,
    pub head: Line,
    pub uops: Vec<Uop>,
    pub address: u64,
    pub code: MachineCode,
}

/// A uop of a trace as described.
pub struct Uop {
    pub line: Line,
    pub label: Option<String>,
    /// The place of its kind in the description; `None` for a number that no kind has.
    pub kind: Option<usize>,
    pub opcode: u64,
    /// Which of the exits it takes.
    pub exit: Option<u64>,
}

/// Where everything in the allocation is.
#[derive(Default)]
pub struct MachineCode {
    pub start: u64,
    pub uops: Vec<u64>,
    pub guard: u64,
    pub trampolines: u64,
    pub padding: u64,
    pub data: u64,
    pub uop_data: Vec<u64>,
    pub got: u64,
    pub rest: u64,
    pub size: u64,
    got_order: Vec<usize>,
    trampoline_order: Vec<usize>,
}

/// What machine code is made of besides the trace.
pub struct Stencils {
    pub kinds: Vec<Kind>,
    pub shim: Option<Kind>,
    /// 3.15: zeros before the data up to a multiple of this, at least one.
    pub data_align: Option<u64>,
}

impl Stencils {
    fn guard(&self) -> Option<&Kind> {
        self.kinds
            .iter()
            .find(|kind| kind.name == "_FATAL_ERROR" || kind.name == "_FATAL_ERROR_r00")
    }
}

impl Executor {
    /// `executor NAME …` with items `[LABEL:] UOP …`.
    pub fn describe(block: &Block, stencils: &Stencils) -> Executor {
        let mut exits = 0..;
        let uops = block.items.iter().map(|line| {
            let label = line.word(0).strip_suffix(':').map(ToOwned::to_owned);
            let name = line.word(usize::from(label.is_some()));
            let kind = stencils.kinds.iter().position(|kind| kind.name == name);
            let opcode = match (kind, name.strip_prefix('?')) {
                (Some(kind), _) => stencils.kinds[kind].opcode,
                (None, Some(number)) => line.parsed(number),
                (None, None) => line.fail(&format!("there is no uop {name}")),
            };
            Uop {
                exit: line.value("exit").and_then(|_| exits.next()),
                line: line.clone(),
                label,
                kind,
                opcode,
            }
        });
        Executor {
            name: block.head.word(1).to_owned(),
            head: block.head.clone(),
            uops: uops.collect(),
            address: 0,
            code: MachineCode::default(),
        }
    }

    pub fn exit_count(&self) -> u64 {
        self.uops.iter().filter(|uop| uop.exit.is_some()).count() as u64
    }

    /// The index that a label or a number names.
    pub fn index(&self, line: &Line, text: &str) -> u64 {
        let found = (0..).zip(&self.uops);
        let mut found = found.filter(|(_, uop)| uop.label.as_deref() == Some(text));
        match found.next() {
            Some((index, _)) => index,
            None => line.parsed(text),
        }
    }

    /// Reserves the object: head, exits, trace.
    pub fn place(&mut self, structures: &Structures, segment: &mut Segment) {
        let exits = structures.size("_PyExitData") * self.exit_count();
        let trace = structures.size("_PyUOpInstruction") * self.uops.len() as u64;
        let start = structures.offset("_PyExecutorObject", "exits");
        let size = (start + exits + trace).max(structures.size("_PyExecutorObject"));
        if self.head.has("tracked") {
            segment.take(structures.size("PyGC_Head"), 256);
        }
        self.address = segment.take(size, 256);
    }

    pub fn exits(&self, structures: &Structures) -> u64 {
        self.address + structures.offset("_PyExecutorObject", "exits")
    }

    pub fn exit(&self, structures: &Structures, index: u64) -> u64 {
        self.exits(structures) + structures.size("_PyExitData") * index
    }

    pub fn trace(&self, structures: &Structures) -> u64 {
        self.exit(structures, self.exit_count())
    }

    /// Reserves the machine code, in a segment of its own that begins at `start`.
    pub fn place_code(&mut self, stencils: &Stencils, start: u64) {
        let kinds: Vec<Option<&Kind>> = self
            .uops
            .iter()
            .map(|uop| uop.kind.map(|kind| &stencils.kinds[kind]))
            .collect();
        self.code = MachineCode::lay_out(&kinds, stencils, start);
    }

    /// The names of places in the machine code.
    pub fn name_places(&self, names: &mut HashMap<String, u64>) {
        let code = &self.code;
        let name = &self.name;
        for (region, address) in [
            ("code", code.start),
            ("guard", code.guard),
            ("trampolines", code.trampolines),
            ("padding", code.padding),
            ("data", code.data),
            ("got", code.got),
            ("rest", code.rest),
            ("end", code.start + code.size),
        ] {
            names.insert(format!("{name}.{region}"), address);
        }
        for (index, uop) in self.uops.iter().enumerate() {
            names.insert(format!("{name}:{index}"), code.uops[index]);
            names.insert(format!("{name}:{index}.data"), code.uop_data[index]);
            if let Some(label) = &uop.label {
                names.insert(format!("{name}:{label}"), code.uops[index]);
            }
        }
    }
}

impl MachineCode {
    fn lay_out(kinds: &[Option<&Kind>], stencils: &Stencils, start: u64) -> MachineCode {
        let guard = stencils.guard();
        let shim = stencils.shim.as_ref();
        let all = || kinds.iter().flatten().copied().chain(guard).chain(shim);
        let union = |of: fn(&Kind) -> &Vec<usize>| -> Vec<usize> {
            let all: BTreeSet<usize> = all().flat_map(of).copied().collect();
            all.into_iter().collect()
        };
        let size = |kind: Option<&Kind>| kind.map_or(0, Kind::size);
        let data = |kind: Option<&Kind>| kind.map_or(0, |kind| kind.data);
        let mut code = MachineCode {
            start,
            got_order: union(|kind| &kind.got),
            trampoline_order: union(|kind| &kind.trampolines),
            ..MachineCode::default()
        };
        let mut at = start + size(shim);
        for kind in kinds {
            code.uops.push(at);
            at += size(*kind);
        }
        code.guard = at;
        code.trampolines = at + size(guard);
        code.padding = code.trampolines + 16 * code.trampoline_order.len() as u64;
        code.data = code.padding;
        if let Some(align) = stencils.data_align {
            code.data += align - (code.data - start) % align;
        }
        at = code.data + data(shim);
        for kind in kinds {
            code.uop_data.push(at);
            at += data(*kind);
        }
        code.got = at + data(guard);
        code.rest = code.got + 8 * code.got_order.len() as u64;
        let used = code.rest - start;
        code.size = used + 4096 - used % 4096;
        code
    }

    /// Writes the code of all uops, and what it refers to.
    pub fn put(
        &self,
        executor: &Executor,
        stencils: &Stencils,
        operands: &[u64],
        memory: &mut Segments,
    ) {
        let fill = |kind: &Kind, index: Option<usize>, at: u64| {
            let operand0 = index.map_or(0, |index| operands[index]);
            self.fill(executor, kind, index, operand0, at)
        };
        let mut segment = Segment::new(self.start);
        segment.take(self.size, 1);
        memory.add(segment);
        if let Some(shim) = &stencils.shim {
            memory.put(self.start, &fill(shim, None, self.start));
        }
        if let Some(guard) = stencils.guard() {
            memory.put(self.guard, &fill(guard, None, self.guard));
        }
        for (index, uop) in executor.uops.iter().enumerate() {
            if let Some(kind) = uop.kind {
                let at = self.uops[index];
                let code = fill(&stencils.kinds[kind], Some(index), at);
                memory.put(at, &code);
            }
        }
        for (slot, ordinal) in (0..).zip(&self.got_order) {
            memory.put_u64(self.got + 8 * slot, function(*ordinal));
        }
        for (slot, ordinal) in (0..).zip(&self.trampoline_order) {
            let at = self.trampolines + 16 * slot;
            memory.put(at, &[0x48, 0, 0, 0x58, 0, 1, 0x1f, 0xd6]); // ldr x8, #8; br x8
            memory.put_u64(at + 8, function(*ordinal));
        }
    }

    fn fill(
        &self,
        executor: &Executor,
        kind: &Kind,
        index: Option<usize>,
        operand0: u64,
        at: u64,
    ) -> Vec<u8> {
        let mut code = Vec::new();
        let oparg = index.map_or(0, |index| executor.uops[index].line.number("oparg", 0));
        for piece in kind.code.iter().flatten() {
            let here = at + code.len() as u64;
            match piece {
                Piece::Byte(byte) => code.push(*byte),
                Piece::Hole(Hole::Oparg) => code.extend((oparg as u32).to_le_bytes()),
                Piece::Hole(Hole::Operand0) => code.extend(operand0.to_le_bytes()),
                Piece::Hole(Hole::Relative(place)) => {
                    let to = self.address(executor, index, at, place);
                    code.extend((to.wrapping_sub(here + 4) as u32).to_le_bytes());
                }
                Piece::Hole(Hole::Branch(link, place)) => {
                    let to = self.address(executor, index, at, place);
                    let words = (to.wrapping_sub(here) >> 2) as u32 & 0x03ff_ffff;
                    let opcode: u32 = if *link { 0x9400_0000 } else { 0x1400_0000 };
                    code.extend((opcode | words).to_le_bytes());
                }
            }
        }
        code
    }

    fn address(&self, executor: &Executor, index: Option<usize>, at: u64, place: &Place) -> u64 {
        let target = |key| {
            let line = &executor.uops[index.unwrap()].line;
            match line.value(key) {
                Some(text) => {
                    let index = executor.index(line, text) as usize;
                    // A lie leads behind the trace.
                    self.uops.get(index).copied().unwrap_or(self.guard)
                }
                None => line.fail(&format!("its code needs a {key}=")),
            }
        };
        let slot =
            |order: &[usize], ordinal| order.iter().position(|o| *o == ordinal).unwrap() as u64;
        match place {
            Place::Jump => target("jump"),
            Place::Error => target("error"),
            Place::Guard => self.guard,
            Place::Own(offset) => at + offset,
            Place::Data(offset) => index.map_or(self.data, |index| self.uop_data[index]) + offset,
            Place::Got(ordinal) => self.got + 8 * slot(&self.got_order, *ordinal),
            Place::Trampoline(ordinal) => {
                self.trampolines + 16 * slot(&self.trampoline_order, *ordinal)
            }
        }
    }
}

/// Where the function with this ordinal is supposed to be.
fn function(ordinal: usize) -> u64 {
    0x41_0000 + 0x40 * ordinal as u64
}
