//! Bytecode instructions and code objects.

use super::linetable;
use super::memory::{Segment, Segments};
use super::strings;
use super::structures::Structures;
use super::text::{Block, Line};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The instructions of one target; numbers are given in the order of the description.
#[derive(Default)]
pub struct Opcodes {
    all: BTreeMap<String, Opcode>,
}

#[derive(Clone)]
struct Opcode {
    number: u8,
    caches: usize,
    base: Option<String>,
}

impl Opcodes {
    /// `opcodes` with items `NAME [opcode=N] [caches=N] [base=NAME]`.
    pub fn describe(&mut self, block: &Block) {
        for line in &block.items {
            let next = self.all.values().map(|opcode| opcode.number).max();
            let next = next.map_or(3, |last| u64::from(last) + 1);
            let opcode = Opcode {
                number: line.number("opcode", next) as u8,
                caches: line.number("caches", 0) as usize,
                base: line.value("base").map(ToOwned::to_owned),
            };
            self.all.insert(line.word(0).to_owned(), opcode);
        }
    }

    pub fn number(&self, name: &str) -> Option<u8> {
        Some(self.all.get(name)?.number)
    }

    fn get(&self, line: &Line, name: &str) -> &Opcode {
        match self.all.get(name) {
            Some(found) => found,
            None => line.fail(&format!("there is no opcode {name}")),
        }
    }

    fn caches(&self, line: &Line, opcode: &Opcode) -> usize {
        match &opcode.base {
            Some(base) => self.get(line, base).caches,
            None => opcode.caches,
        }
    }

    /// Name, and the bytes for `_PyOpcode_Caches` and `_PyOpcode_Deopt`, by number.
    pub fn rows(&self) -> impl Iterator<Item = (usize, &str, u8, u8)> {
        self.all.iter().map(|(name, opcode)| {
            let base = opcode.base.as_ref().and_then(|base| self.number(base));
            (
                usize::from(opcode.number),
                name.as_str(),
                opcode.caches as u8,
                base.unwrap_or(opcode.number),
            )
        })
    }
}

/// A code object as described, its bytecode laid out.
pub struct Code {
    pub name: String,
    pub head: Line,
    pub units: Vec<[u8; 2]>,
    /// Where instructions begin, at their first prefix.
    starts: Vec<usize>,
    labels: BTreeMap<String, usize>,
    lines: Vec<(Option<i64>, usize)>,
    pub address: u64,
    /// Where its bytecode is.
    pub bytecode: u64,
    /// The slots of its executors.
    pub executors: Vec<u64>,
    /// Where the strings in its tuples are.
    items: RefCell<Vec<u64>>,
}

/// An instruction as described, before labels are known.
struct Written<'l> {
    line: &'l Line,
    label: Option<&'l str>,
    source: Option<i64>,
    opcode: Opcode,
    oparg: Oparg<'l>,
    prefixes: usize,
    caches: usize,
}

enum Oparg<'l> {
    Number(u64),
    To(&'l str),
}

impl Code {
    /// `code NAME …` with items `[LABEL:] LINE|- OPNAME [OPARG | ->LABEL] [wide]`.
    pub fn describe(block: &Block, opcodes: &Opcodes) -> Code {
        let written: Vec<_> = block
            .items
            .iter()
            .map(|line| instruction(line, opcodes))
            .collect();
        let mut code = Code {
            name: block.head.word(1).to_owned(),
            head: block.head.clone(),
            units: Vec::new(),
            starts: Vec::new(),
            labels: BTreeMap::new(),
            lines: Vec::new(),
            address: 0,
            bytecode: 0,
            executors: Vec::new(),
            items: RefCell::default(),
        };
        let mut at = 0;
        for instruction in &written {
            code.starts.push(at * 2);
            if let Some(label) = instruction.label {
                code.labels.insert(label.to_owned(), at * 2);
            }
            let units = instruction.prefixes + 1 + instruction.caches;
            code.lines.push((instruction.source, units));
            at += units;
        }
        for instruction in &written {
            code.emit(instruction, opcodes);
        }
        code
    }

    fn emit(&mut self, written: &Written<'_>, opcodes: &Opcodes) {
        let end = self.units.len() + written.prefixes + 1 + written.caches;
        let oparg = match written.oparg {
            Oparg::Number(number) => number,
            Oparg::To(label) => match self.labels.get(label) {
                Some(target) => {
                    let back = written
                        .line
                        .words
                        .iter()
                        .any(|w| w.starts_with("JUMP_BACKWARD"));
                    if back == (target / 2 >= end) {
                        written.line.fail("this instruction cannot jump that way");
                    }
                    (target / 2).abs_diff(end) as u64
                }
                None => written.line.fail("there is no such label"),
            },
        };
        for prefix in (1..=written.prefixes).rev() {
            let extended = opcodes.get(written.line, "EXTENDED_ARG").number;
            self.units.push([extended, (oparg >> (8 * prefix)) as u8]);
        }
        self.units.push([written.opcode.number, oparg as u8]);
        // What caches hold is no instruction; a reader that takes them for some shall notice.
        self.units.resize(end, [0xfe, 0xed]);
    }

    /// The offset that `LABEL+N`, `LABEL` or `+N` names.
    pub fn offset(&self, line: &Line, place: &str) -> usize {
        let (label, more) = place.split_once('+').unwrap_or((place, "0"));
        let base = match (label, self.labels.get(label)) {
            ("", _) => 0,
            (_, Some(offset)) => *offset,
            _ => line.fail(&format!("{} has no label {label}", self.name)),
        };
        base + line.parsed(more) as usize
    }

    /// The same, where an instruction has to begin.
    pub fn instruction(&self, line: &Line, place: &str) -> usize {
        let offset = self.offset(line, place);
        if !self.starts.contains(&offset) {
            line.fail(&format!(
                "no instruction of {} begins at {offset}",
                self.name
            ));
        }
        offset
    }

    /// Puts an executor in the place of an instruction; gives what was there.
    pub fn enter(&mut self, offset: usize, executor: u64, enter: u8) -> [u8; 2] {
        let slot = self.executors.len() as u8;
        self.executors.push(executor);
        std::mem::replace(&mut self.units[offset / 2], [enter, slot])
    }

    fn text(&self, key: &str) -> Vec<u32> {
        let default = match key {
            "file" => "/app/main.py",
            "qualname" => {
                return strings::code_points(
                    self.head
                        .value(key)
                        .unwrap_or(self.head.value("name").unwrap_or(&self.name)),
                );
            }
            _ => &self.name,
        };
        strings::code_points(self.head.value(key).unwrap_or(default))
    }

    /// Reserves the object itself.
    pub fn place(&mut self, structures: &Structures, segment: &mut Segment) {
        let bytecode = structures.offset("PyCodeObject", "co_code_adaptive");
        let size = bytecode + 2 * self.units.len() as u64;
        self.address = segment.take(size.max(structures.size("PyCodeObject")), 64);
        self.bytecode = self.address + bytecode;
    }

    /// Reserves the strings and tables that it refers to, by the member that refers to each.
    pub fn place_parts(
        &self,
        structures: &Structures,
        segment: &mut Segment,
    ) -> BTreeMap<&'static str, u64> {
        let mut parts = BTreeMap::new();
        for (member, key) in TEXTS {
            let size = strings::str_size(structures, &self.text(key));
            parts.insert(member, segment.take(size, 16));
        }
        let size = strings::bytes_size(structures, &self.linetable());
        parts.insert("co_linetable", segment.take(size, 16));
        for (member, key) in TUPLES {
            if structures.has("PyCodeObject", member) {
                let size = strings::tuple_size(structures, self.names(key).len());
                parts.insert(member, segment.take(size, 16));
            }
        }
        if structures.has("PyCodeObject", "co_exceptiontable") {
            let size = strings::bytes_size(structures, &[]);
            parts.insert("co_exceptiontable", segment.take(size, 16));
        }
        for name in TUPLES.iter().flat_map(|(_, key)| self.names(key)) {
            let size = strings::str_size(structures, &name);
            self.items.borrow_mut().push(segment.take(size, 16));
        }
        if !self.executors.is_empty() {
            let start = structures.offset("_PyExecutorArray", "executors");
            parts.insert(
                "co_executors",
                segment.take(start + 8 * self.executors.len() as u64, 16),
            );
        }
        parts
    }

    /// The names of a list in the description.
    fn names(&self, key: &str) -> Vec<Vec<u32>> {
        let names = self.head.value(key).unwrap_or_default();
        let names = names.split(',').filter(|name| !name.is_empty());
        names.map(strings::code_points).collect()
    }

    fn firstlineno(&self) -> u64 {
        self.head.number("firstlineno", 1)
    }

    fn linetable(&self) -> Vec<u8> {
        linetable::encode(self.firstlineno().cast_signed(), &self.lines)
    }

    /// Writes all of it.
    pub fn put(
        &self,
        structures: &Structures,
        memory: &mut Segments,
        code_type: u64,
        parts: &BTreeMap<&'static str, u64>,
    ) {
        let size = structures.size("PyCodeObject") as usize;
        let bytes = memory.slice(self.address, size);
        structures.set(bytes, "PyObject", "ob_type", code_type);
        let mut set = |member, value| structures.set(bytes, "PyCodeObject", member, value);
        set("ob_base.ob_size", self.units.len() as u64);
        set("co_firstlineno", self.firstlineno());
        for (member, address) in parts {
            set(member, *address);
        }
        memory.put(self.bytecode, &self.units.concat());
        for (member, key) in TEXTS {
            strings::put_str(memory, structures, parts[member], &self.text(key));
        }
        strings::put_bytes(memory, structures, parts["co_linetable"], &self.linetable());
        self.put_names(structures, memory, parts);
        if let Some(table) = parts.get("co_exceptiontable") {
            strings::put_bytes(memory, structures, *table, &[]);
        }
        if let Some(array) = parts.get("co_executors") {
            self.put_executors(structures, memory, *array);
        }
    }

    fn put_names(
        &self,
        structures: &Structures,
        memory: &mut Segments,
        parts: &BTreeMap<&'static str, u64>,
    ) {
        let mut places = self.items.borrow().clone().into_iter();
        for (member, key) in TUPLES {
            let names = self.names(key);
            let items: Vec<u64> = places.by_ref().take(names.len()).collect();
            for (name, address) in names.iter().zip(&items) {
                strings::put_str(memory, structures, *address, name);
            }
            if let Some(tuple) = parts.get(member) {
                strings::put_tuple(memory, structures, *tuple, &items);
            }
        }
    }

    fn put_executors(&self, structures: &Structures, memory: &mut Segments, array: u64) {
        let start = structures.offset("_PyExecutorArray", "executors");
        let bytes = memory.slice(array, start as usize);
        let count = self.executors.len() as u64;
        structures.set(bytes, "_PyExecutorArray", "size", count);
        structures.set_if_there(bytes, "_PyExecutorArray", "capacity", count);
        for (slot, executor) in (0..).zip(&self.executors) {
            memory.put_u64(array + start + 8 * slot, *executor);
        }
    }
}

/// The strings of a code object: the member, and the key in the description.
const TEXTS: [(&str, &str); 3] = [
    ("co_name", "name"),
    ("co_qualname", "qualname"),
    ("co_filename", "file"),
];

/// The tuples of a code object: the member, and the key of its strings in the description.
const TUPLES: [(&str, &str); 3] = [
    ("co_names", "names"),
    ("co_localsplusnames", "locals"),
    ("co_consts", "no-constants"),
];

fn instruction<'l>(line: &'l Line, opcodes: &Opcodes) -> Written<'l> {
    let label = line.word(0).strip_suffix(':');
    let first = usize::from(label.is_some());
    let source = match line.word(first) {
        "-" => None,
        text => Some(line.parsed(text).cast_signed()),
    };
    let opcode = opcodes.get(line, line.word(first + 1)).clone();
    let oparg = match line.words.get(first + 2).map(String::as_str) {
        None => Oparg::Number(0),
        Some(text) => match text.strip_prefix("->") {
            Some(label) => Oparg::To(label),
            None => Oparg::Number(line.parsed(text)),
        },
    };
    let prefixes = match oparg {
        Oparg::Number(number) => (number.max(1).ilog2() / 8) as usize,
        Oparg::To(_) => usize::from(line.has("wide")),
    };
    Written {
        line,
        label,
        source,
        caches: opcodes.caches(line, &opcode),
        opcode,
        oparg,
        prefixes,
    }
}
