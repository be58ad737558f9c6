//! A whole target: tables, objects, machine code, interpreter and threads, put into memory.

use super::bytecode::{Code, Opcodes};
use super::executor::{Executor, Stencils, Uop};
use super::memory::{Expressions, Segment, Segments};
use super::registered::{self, RegisteredCode};
use super::stencil::Kind;
use super::structures::Structures;
use super::text::{Block, Line, blocks, number};
use cpyjit::address::Address;
use cpyjit::control::symbols::{Carrier, Mode};
use cpyjit::control::{Control, Debugger};
use cpyjit::cpython::CPython;
use cpyjit::disasm::Architecture;
use cpyjit::layout::{Layouts, Provenance, SymbolAddress, Symbols};
use cpyjit::session::{Program, Session};
use cpyjit::target::{Description, Kind as TargetKind, Reader};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Where the segments begin. Each kind of thing has its own, with nothing readable between them.
const TABLES: u64 = 0x40_0000;
const FUNCTIONS: u64 = 0x80_0000;
const EXECUTORS: u64 = 0x1000_0000;
const CODE_OBJECTS: u64 = 0x2000_0000;
const CODE_PARTS: u64 = 0x3000_0000;
const INTERPRETER: u64 = 0x4000_0000;
const MACHINE_CODE: u64 = 0x7f00_0001_0000;
const MACHINE_CODE_STEP: u64 = 0x1_0000;

/// A target as described, being built.
#[derive(Default)]
pub struct Target {
    structures: Structures,
    opcodes: Opcodes,
    codes: Vec<Code>,
    executors: Vec<Executor>,
    threads: Vec<Block>,
    interpreter: Option<Line>,
    lies: Vec<Line>,
    pokes: Vec<Line>,
    registered: Option<Line>,
    without: Vec<String>,
    /// Whether breakpoints find the functions of CPython that make and free executors.
    has_functions: bool,
    expressions: Vec<Line>,
    head: Option<Line>,
    kinds: Vec<Kind>,
    shim: Option<Kind>,
    data_align: Option<u64>,
    memory: Segments,
    symbols: BTreeMap<&'static str, (u64, u64)>,
    /// The addresses of what has a name, and the structure that it is.
    names: HashMap<String, u64>,
    shapes: HashMap<String, &'static str>,
}

/// A target that is ready.
pub struct Made {
    pub session: Session,
    /// Addresses by name, for the commands of a case.
    pub names: HashMap<String, u64>,
    /// The breakpoints of a case.
    pub control: Control,
}

/// What a target consists of, for those who want to damage it before the library sees it.
pub struct Parts {
    pub memory: Segments,
    pub layouts: Layouts,
    pub symbols: Symbols,
    pub architecture: Architecture,
    pub names: HashMap<String, u64>,
    expressions: Expressions,
    head: Line,
}

impl Target {
    /// Makes what a description says; `include`d files lie in `targets`.
    pub fn make(file: &str, text: &str, targets: &Path) -> Made {
        let mut target = Target::default();
        target.describe(file, text, targets);
        target.build()
    }

    /// The parts of the same; `None` for a target without a CPython.
    pub fn parts(file: &str, text: &str, targets: &Path) -> Option<Parts> {
        let mut target = Target::default();
        target.describe(file, text, targets);
        let head = target.head.clone()?;
        (!head.has("without-cpython")).then(|| target.finish(head))
    }

    fn describe(&mut self, file: &str, text: &str, targets: &Path) {
        for block in blocks(file, text) {
            self.block(&block, targets);
        }
    }

    fn block(&mut self, block: &Block, targets: &Path) {
        let head = &block.head;
        match head.word(0) {
            "include" => {
                let name = head.word(1);
                let text = std::fs::read_to_string(targets.join(name))
                    .unwrap_or_else(|error| head.fail(&error.to_string()));
                self.describe(name, &text, targets);
            }
            "target" => self.head = Some(head.clone()),
            "struct" => self.structures.describe(block),
            "functions" => self.has_functions = true,
            "without" => self.leave_out(head),
            "opcodes" => self.opcodes.describe(block),
            "uops" => self.uops(block),
            "shim" => self.shim = Some(Kind::parse(head, 0)),
            "code" => self.codes.push(Code::describe(block, &self.opcodes)),
            "executor" => {
                let stencils = self.stencils();
                self.executors.push(Executor::describe(block, &stencils));
            }
            "interpreter" => self.interpreter = Some(head.clone()),
            "thread" => self.threads.push(block.clone()),
            "lie" => self.lies.push(head.clone()),
            "poke" => self.pokes.push(head.clone()),
            "registered" => self.registered = Some(head.clone()),
            "value" => self.expressions.push(head.clone()),
            _ => head.fail("what is this?"),
        }
    }

    /// `without symbol NAME`, `without struct NAME`, `without member STRUCT MEMBER`.
    fn leave_out(&mut self, line: &Line) {
        match line.word(1) {
            "symbol" => self.without.push(line.word(2).to_owned()),
            "struct" => self.structures.forget(line.word(2), None),
            "member" => self.structures.forget(line.word(2), Some(line.word(3))),
            _ => line.fail("without what?"),
        }
    }

    fn uops(&mut self, block: &Block) {
        for line in &block.items {
            let next = self.kinds.last().map_or(20, |kind| kind.opcode + 1);
            self.kinds.push(Kind::parse(line, next));
        }
        let head = &block.head;
        self.data_align = head
            .value("data-align")
            .map_or(self.data_align, |text| Some(head.parsed(text)));
    }

    fn stencils(&self) -> Stencils {
        Stencils {
            kinds: self.kinds.clone(),
            shim: self.shim.clone(),
            data_align: self.data_align,
        }
    }

    fn build(self) -> Made {
        let Some(head) = self.head.clone() else {
            panic!("the description has no target line");
        };
        if head.has("without-cpython") {
            let session = session(Segments::default(), Expressions::default(), &head);
            return Made {
                session,
                names: HashMap::new(),
                control: Control::default(),
            };
        }
        self.finish(head).hand_over()
    }

    fn finish(mut self, head: Line) -> Parts {
        self.tables(&head);
        self.objects();
        self.interpreter();
        self.register();
        self.tell_lies();
        self.poke();
        self.take_apart(head)
    }

    // --- what does not change while the program runs ---

    fn tables(&mut self, head: &Line) {
        let mut tables = Segment::new(TABLES);
        let group = self.structures.size("StencilGroup");
        let uops = self
            .kinds
            .iter()
            .map(|kind| kind.opcode + 1)
            .max()
            .unwrap_or(0);
        let strings: u64 = 16 * 1024;
        for (name, size) in [
            ("_PyRuntime", self.structures.size("_PyRuntimeState")),
            ("stencil_groups", group * uops),
            ("shim", group),
            ("_PyOpcode_uop_name", 8 * uops),
            ("_PyOpcode_OpName", 8 * 267),
            ("_PyOpcode_Caches", 256),
            ("_PyOpcode_Deopt", 256),
            ("PyCode_Type", self.structures.size("PyTypeObject")),
            ("_PyUOpExecutor_Type", self.structures.size("PyTypeObject")),
            ("_Py_NegativeRefcount", 16),
            ("__jit_debug_descriptor", 24),
        ] {
            let address = tables.take(size, 32);
            self.symbols.insert(name, (address, size));
        }
        // A return, for either processor.
        let end: &[u8] = match head.word(1) {
            "aarch64" => &[0xc0, 0x03, 0x5f, 0xd6],
            _ => &[0xc3],
        };
        let pool = tables.take(strings, 1);
        self.memory.add(tables);
        let mut functions = Segment::new(FUNCTIONS);
        for name in ["_PyOptimizer_Optimize", "munmap"] {
            let address = functions.take(8, 8);
            if self.has_functions {
                self.symbols.insert(name, (address, 8));
            }
        }
        self.memory.add(functions);
        self.memory.put(FUNCTIONS, end);
        let mut pool = Pool { next: pool };
        self.runtime(head);
        self.stencil_table(&mut pool);
        self.opcode_tables(&mut pool);
        self.types(&mut pool);
    }

    fn symbol(&self, name: &str) -> u64 {
        self.symbols[name].0
    }

    fn runtime(&mut self, head: &Line) {
        let at = self.symbol("_PyRuntime");
        self.memory.put(at, b"xdebugpy");
        self.memory.put_u64(at + 8, version(head));
    }

    fn stencil_table(&mut self, pool: &mut Pool) {
        let group = self.structures.size("StencilGroup");
        for kind in self.kinds.clone() {
            let at = self.symbol("stencil_groups") + group * kind.opcode;
            self.stencil(at, &kind);
            let name = pool.add(&mut self.memory, &kind.name);
            let slot = self.symbol("_PyOpcode_uop_name") + 8 * kind.opcode;
            self.memory.put_u64(slot, name);
        }
        if let Some(shim) = self.shim.clone() {
            self.stencil(self.symbol("shim"), &shim);
        }
    }

    fn stencil(&mut self, at: u64, kind: &Kind) {
        if kind.code.is_none() {
            return;
        }
        let size = self.structures.size("StencilGroup") as usize;
        let bytes = self.memory.slice(at, size);
        let structures = &self.structures;
        let mut set = |member, value| structures.set(bytes, "StencilGroup", member, value);
        set("emit", 0x60_0000 + 16 * kind.opcode);
        set("code_size", kind.size());
        set("data_size", kind.data);
        for ordinal in &kind.got {
            structures.set_bit(bytes, "StencilGroup", "got_mask", *ordinal);
        }
        for ordinal in &kind.trampolines {
            structures.set_bit(bytes, "StencilGroup", "trampoline_mask", *ordinal);
        }
    }

    fn opcode_tables(&mut self, pool: &mut Pool) {
        let rows: Vec<(usize, String, u8, u8)> = self
            .opcodes
            .rows()
            .map(|(number, name, caches, base)| (number, name.to_owned(), caches, base))
            .collect();
        for (number, name, caches, base) in rows {
            let number = number as u64;
            let text = pool.add(&mut self.memory, &name);
            let names = self.symbol("_PyOpcode_OpName");
            self.memory.put_u64(names + 8 * number, text);
            let at = self.symbol("_PyOpcode_Caches") + number;
            self.memory.put(at, &[caches]);
            let at = self.symbol("_PyOpcode_Deopt") + number;
            self.memory.put(at, &[base]);
        }
    }

    fn types(&mut self, pool: &mut Pool) {
        for (symbol, name) in [
            ("PyCode_Type", "code"),
            ("_PyUOpExecutor_Type", "uop_executor"),
        ] {
            let text = pool.add(&mut self.memory, name);
            let at = self.symbol(symbol) + self.structures.offset("PyTypeObject", "tp_name");
            self.memory.put_u64(at, text);
        }
    }

    // --- objects ---

    fn objects(&mut self) {
        let stencils = self.stencils();
        self.place_objects(&stencils);
        let mut parts = Segment::new(CODE_PARTS);
        let mut codes = std::mem::take(&mut self.codes);
        let mut executors = std::mem::take(&mut self.executors);
        for executor in &mut executors {
            executor.name_places(&mut self.names);
        }
        let entries: Vec<Option<Entry>> = executors
            .iter()
            .map(|executor| self.enter(&mut codes, executor))
            .collect();
        let placed: Vec<_> = codes
            .iter()
            .map(|code| code.place_parts(&self.structures, &mut parts))
            .collect();
        self.memory.add(parts);
        for (code, parts) in codes.iter().zip(&placed) {
            let code_type = self.symbol("PyCode_Type");
            code.put(&self.structures, &mut self.memory, code_type, parts);
            for (member, address) in parts {
                let shape = match *member {
                    "co_linetable" | "co_exceptiontable" => "PyBytesObject",
                    "co_names" | "co_localsplusnames" | "co_consts" => "PyTupleObject",
                    "co_executors" => "_PyExecutorArray",
                    _ => "PyASCIIObject",
                };
                self.name(&format!("{}:{member}", code.name), *address, shape);
            }
        }
        self.codes = codes;
        for executor in &executors {
            let uop = self.structures.size("_PyUOpInstruction");
            for (index, at) in (0..executor.uops.len())
                .zip((executor.trace(&self.structures)..).step_by(uop as usize))
            {
                self.name(
                    &format!("{}.uop{index}", executor.name),
                    at,
                    "_PyUOpInstruction",
                );
            }
            for index in 0..executor.exit_count() {
                let at = executor.exit(&self.structures, index);
                self.name(&format!("{}.exit{index}", executor.name), at, "_PyExitData");
            }
        }
        for (executor, entry) in executors.iter().zip(&entries) {
            let operands = self.executor(executor, entry.as_ref(), &executors);
            let memory = &mut self.memory;
            executor.code.put(executor, &stencils, &operands, memory);
        }
        self.executors = executors;
    }

    fn place_objects(&mut self, stencils: &Stencils) {
        let mut objects = Segment::new(CODE_OBJECTS);
        for code in &mut self.codes {
            code.place(&self.structures, &mut objects);
            self.names.insert(code.name.clone(), code.address);
            self.shapes.insert(code.name.clone(), "PyCodeObject");
        }
        self.memory.add(objects);
        let mut objects = Segment::new(EXECUTORS);
        let starts = (0..).map(|index| MACHINE_CODE + MACHINE_CODE_STEP * index);
        for (executor, start) in self.executors.iter_mut().zip(starts) {
            executor.place(&self.structures, &mut objects);
            executor.place_code(stencils, start);
            self.names.insert(executor.name.clone(), executor.address);
            self.shapes
                .insert(executor.name.clone(), "_PyExecutorObject");
        }
        self.memory.add(objects);
    }

    fn name(&mut self, name: &str, address: u64, shape: &'static str) {
        self.names.insert(name.to_owned(), address);
        self.shapes.insert(name.to_owned(), shape);
    }

    /// Puts an executor into the bytecode at its `entry=`.
    fn enter(&self, codes: &mut [Code], executor: &Executor) -> Option<Entry> {
        let place = executor.head.value("entry")?;
        let (name, rest) = split_place(place);
        let code = codes.iter_mut().find(|code| code.name == name);
        let code = code.unwrap_or_else(|| executor.head.fail("there is no such code"));
        let offset = code.instruction(&executor.head, rest);
        let Some(enter) = self.opcodes.number("ENTER_EXECUTOR") else {
            executor.head.fail("there is no opcode ENTER_EXECUTOR")
        };
        Some(Entry {
            code: code.address,
            unit: offset as u64 / 2,
            replaced: code.enter(offset, executor.address, enter),
        })
    }

    /// Writes the object; gives the first operand of each uop.
    fn executor(
        &mut self,
        executor: &Executor,
        entry: Option<&Entry>,
        all: &[Executor],
    ) -> Vec<u64> {
        self.executor_head(executor, entry);
        let listed: Vec<u64> = all
            .iter()
            .filter(|e| is_listed(e))
            .map(|e| e.address)
            .collect();
        let place = listed
            .iter()
            .position(|address| *address == executor.address);
        let next = place.and_then(|place| listed.get(place + 1).copied());
        let previous = place.and_then(|place| listed.get(place.checked_sub(1)?).copied());
        self.link(executor, place, (previous.unwrap_or(0), next.unwrap_or(0)));
        let waits: Vec<u64> = all
            .iter()
            .filter(|e| e.head.has("deleted"))
            .map(|e| e.address)
            .collect();
        if let Some(place) = waits
            .iter()
            .position(|address| *address == executor.address)
        {
            self.link(
                executor,
                None,
                (0, waits.get(place + 1).copied().unwrap_or(0)),
            );
        }
        let uops = (0..).zip(&executor.uops);
        uops.map(|(index, uop)| {
            self.exit(executor, uop, all);
            self.uop(executor, index, uop)
        })
        .collect()
    }

    fn executor_head(&mut self, executor: &Executor, entry: Option<&Entry>) {
        let head = &executor.head;
        let executor_type = self.symbol("_PyUOpExecutor_Type");
        let size = self.structures.size("_PyExecutorObject") as usize;
        let bytes = self.memory.slice(executor.address, size);
        let structures = &self.structures;
        structures.set(bytes, "PyObject", "ob_type", executor_type);
        let mut set = |member, value| structures.set(bytes, "_PyExecutorObject", member, value);
        set("trace", executor.trace(structures));
        set("code_size", executor.uops.len() as u64);
        set("exit_count", executor.exit_count());
        set("jit_code", executor.code.start);
        set("jit_size", executor.code.size);
        set("vm_data.valid", u64::from(!head.has("invalid")));
        set("vm_data.chain_depth", head.number("chain", 0));
        if let Some(entry) = entry {
            set("vm_data.code", entry.code);
            set("vm_data.index", entry.unit);
            set("vm_data.opcode", u64::from(entry.replaced[0]));
            set("vm_data.oparg", u64::from(entry.replaced[1]));
        } else {
            set("vm_data.index", 0x2bad_2bad); // CPython leaves garbage there
        }
        let mut set = |member, value| {
            structures.set_if_there(bytes, "_PyExecutorObject", member, value);
        };
        set("vm_data.warm", u64::from(!head.has("not-warm")));
        set("vm_data.cold", u64::from(head.has("not-warm")));
        set("vm_data.pending_deletion", u64::from(head.has("deleted")));
        set("vm_data.linked", u64::from(is_listed(executor)));
        let uop = structures.size("_PyUOpInstruction") * executor.uops.len() as u64;
        let exits = structures.size("_PyExitData") * executor.exit_count();
        set("ob_base.ob_size", exits + uop);
        let first = executor.code.uops.first().copied();
        set("jit_side_entry", first.unwrap_or(executor.code.guard));
        if structures.has("PyObject", "ob_refcnt") {
            let references = u64::from(!head.has("deleted") && !head.has("freed"));
            structures.set(bytes, "PyObject", "ob_refcnt", references);
        }
    }

    fn link(&mut self, executor: &Executor, place: Option<usize>, (previous, next): (u64, u64)) {
        let size = self.structures.size("_PyExecutorObject") as usize;
        let bytes = self.memory.slice(executor.address, size);
        let structures = &self.structures;
        let place = place.map_or(u64::MAX, |place| place as u64);
        let mut set = |member, value| {
            structures.set_if_there(bytes, "_PyExecutorObject", member, value);
        };
        set("vm_data.bloom_array_idx", place);
        set("vm_data.links.next", next);
        set("vm_data.links.previous", previous);
    }

    fn exit(&mut self, executor: &Executor, uop: &Uop, all: &[Executor]) {
        let (Some(index), Some(to)) = (uop.exit, uop.line.value("exit")) else {
            return;
        };
        let found = all
            .iter()
            .find(|other| other.name == to || other.head.value("as") == Some(to));
        let to = match (found, to) {
            (Some(found), _) => found.address,
            // 3.14 has no executors for exits that lead nowhere yet.
            (None, "cold" | "dynamic") => 0,
            (None, _) => uop.line.fail("there is no such executor"),
        };
        let target = self.target(uop).unwrap_or(0);
        let address = executor.exit(&self.structures, index);
        let size = self.structures.size("_PyExitData") as usize;
        let bytes = self.memory.slice(address, size);
        let structures = &self.structures;
        structures.set(bytes, "_PyExitData", "executor", to);
        structures.set(bytes, "_PyExitData", "target", target);
        let mut set = |member, value| structures.set_if_there(bytes, "_PyExitData", member, value);
        set("index", index);
        set("temperature", uop.line.number("temperature", 0));
        set("is_control_flow", u64::from(uop.line.has("control-flow")));
        set(
            "is_dynamic",
            u64::from(uop.line.value("exit") == Some("dynamic")),
        );
    }

    fn uop(&mut self, executor: &Executor, index: u64, uop: &Uop) -> u64 {
        let line = &uop.line;
        let target = self.target(uop);
        let given = ["ip", "unit", "operand0"].map(|key| line.value(key));
        let operand0 = match (uop.exit, given) {
            (Some(exit), _) => executor.exit(&self.structures, exit),
            (None, [Some(place), _, _]) => self.instruction_address(line, place),
            (None, [_, Some(place), _]) => self.unit(line, place),
            (None, [_, _, Some(text)]) => self.value(line, text),
            (None, _) => 0,
        };
        let size = self.structures.size("_PyUOpInstruction");
        let at = executor.trace(&self.structures) + size * index;
        let bytes = self.memory.slice(at, size as usize);
        let structures = &self.structures;
        let mut set = |member, value| structures.set(bytes, "_PyUOpInstruction", member, value);
        set("opcode", uop.opcode);
        set("oparg", line.number("oparg", 0));
        set("operand0", operand0);
        set("operand1", line.number("operand1", 0));
        let (jump, error) = (line.value("jump"), line.value("error"));
        set("format", u64::from(jump.or(error).is_some()));
        if let Some(target) = target {
            set("target", target);
        }
        if let Some(jump) = jump {
            set("jump_target", executor.index(line, jump));
        }
        if let Some(error) = error {
            set("error_target", executor.index(line, error));
        }
        operand0
    }

    /// The code unit that a uop carries: of a word `@CODE.LABEL`, or `@N`, an offset that nobody checks.
    fn target(&self, uop: &Uop) -> Option<u64> {
        let word = uop
            .line
            .words
            .iter()
            .find_map(|word| word.strip_prefix('@'))?;
        if let Some(offset) = number(word) {
            return Some(offset / 2);
        }
        Some(self.unit(&uop.line, word))
    }

    fn unit(&self, line: &Line, place: &str) -> u64 {
        let (name, rest) = split_place(place);
        let code = self.codes_by_name(line, name);
        code.instruction(line, rest) as u64 / 2
    }

    fn instruction_address(&self, line: &Line, place: &str) -> u64 {
        let (name, rest) = split_place(place);
        let code = self.codes_by_name(line, name);
        code.bytecode + code.offset(line, rest) as u64
    }

    fn codes_by_name(&self, line: &Line, name: &str) -> &Code {
        match self.codes.iter().find(|code| code.name == name) {
            Some(code) => code,
            None => line.fail(&format!("there is no code {name}")),
        }
    }

    fn value(&self, line: &Line, text: &str) -> u64 {
        match self.names.get(text) {
            Some(address) => *address,
            None => line.parsed(text),
        }
    }

    // --- interpreter and threads ---

    fn interpreter(&mut self) {
        let mut segment = Segment::new(INTERPRETER);
        let size = self.structures.size("PyInterpreterState");
        let address = segment.take(size, 4096);
        let listed: Vec<u64> = self
            .executors
            .iter()
            .filter(|executor| is_listed(executor))
            .map(|executor| executor.address)
            .collect();
        let array = segment.take(8 * listed.len() as u64, 4096);
        let threads = self.place_threads(&mut segment);
        self.memory.add(segment);
        for (slot, executor) in (0..).zip(&listed) {
            self.memory.put_u64(array + 8 * slot, *executor);
        }
        self.name("interpreter", address, "PyInterpreterState");
        let head = self.interpreter.clone();
        let is_there = head.as_ref().is_none_or(|head| !head.has("none"));
        let offset = self
            .structures
            .offset("_PyRuntimeState", "interpreters.head");
        let at = self.symbol("_PyRuntime") + offset;
        self.memory.put_u64(at, if is_there { address } else { 0 });
        let jit = head.is_none_or(|head| head.value("jit") != Some("off"));
        let by_role = |role: &str| {
            let mut all = self.executors.iter();
            let found = all.find(|executor| executor.head.value("as") == Some(role));
            found.map_or(0, |executor| executor.address)
        };
        let mut deleted = self.executors.iter().filter(|e| e.head.has("deleted"));
        let values = [
            ("jit", u64::from(jit)),
            ("threads.head", threads.first().map_or(0, |t| t.address)),
            ("executor_ptrs", array),
            ("executor_count", listed.len() as u64),
            ("executor_list_head", listed.first().copied().unwrap_or(0)),
            (
                "executor_deletion_list_head",
                deleted.next().map_or(0, |executor| executor.address),
            ),
            ("cold_executor", by_role("cold")),
            ("cold_dynamic_executor", by_role("dynamic")),
        ];
        let bytes = self.memory.slice(address, size as usize);
        for (member, value) in values {
            self.structures
                .set_if_there(bytes, "PyInterpreterState", member, value);
        }
        self.track(address);
        self.put_threads(&threads);
    }

    /// The lists of the garbage collector: rings, of which the first holds the executors that are `tracked`.
    fn track(&mut self, interpreter: u64) {
        let structures = self.structures.clone();
        if !structures.has("PyInterpreterState", "gc.generations") {
            return;
        }
        let at = |member| interpreter + structures.offset("PyInterpreterState", member);
        let generations = (0..3).map(|index| at("gc.generations") + 32 * index);
        for ring in generations.chain([at("gc.permanent_generation.head")]) {
            self.ring(&[ring]);
        }
        let head = structures.size("PyGC_Head");
        let tracked = self.executors.iter().filter(|e| e.head.has("tracked"));
        let mut ring = vec![at("gc.generations")];
        ring.extend(tracked.map(|executor| executor.address - head));
        self.ring(&ring);
        for (index, head) in (0..).zip(ring) {
            self.name(&format!("gc{index}"), head, "PyGC_Head");
        }
    }

    /// `_gc_next` and `_gc_prev` of each, with a flag in the lowest bit as the collector has.
    fn ring(&mut self, heads: &[u64]) {
        let size = self.structures.size("PyGC_Head") as usize;
        for (index, head) in heads.iter().enumerate() {
            let next = heads[(index + 1) % heads.len()];
            let previous = heads[(index + heads.len() - 1) % heads.len()];
            let bytes = self.memory.slice(*head, size);
            self.structures
                .set(bytes, "PyGC_Head", "_gc_next", next | 1);
            self.structures
                .set(bytes, "PyGC_Head", "_gc_prev", previous | 2);
        }
    }

    /// `thread ID [running=EXECUTOR]` with items `frame` and `entry EXECUTOR|none`, the innermost first.
    fn place_threads(&self, segment: &mut Segment) -> Vec<Thread> {
        let threads = self.threads.iter().map(|block| Thread {
            block: block.clone(),
            address: segment.take(self.structures.size("PyThreadState"), 64),
            frames: block
                .items
                .iter()
                .map(|_| segment.take(self.structures.size("_PyInterpreterFrame"), 64))
                .collect(),
        });
        threads.collect()
    }

    fn put_threads(&mut self, threads: &[Thread]) {
        for (index, thread) in threads.iter().enumerate() {
            let head = &thread.block.head;
            let running = head
                .value("running")
                .map_or(0, |name| self.value(head, name));
            let next = threads.get(index + 1).map_or(0, |thread| thread.address);
            let values = [
                ("native_thread_id", head.parsed(head.word(1))),
                ("current_executor", running),
                ("current_frame", thread.frames.first().copied().unwrap_or(0)),
                ("next", next),
            ];
            let size = self.structures.size("PyThreadState") as usize;
            let bytes = self.memory.slice(thread.address, size);
            for (member, value) in values {
                self.structures
                    .set_if_there(bytes, "PyThreadState", member, value);
            }
            self.name(&format!("thread{index}"), thread.address, "PyThreadState");
            self.put_frames(index, thread);
        }
    }

    fn put_frames(&mut self, thread: usize, made: &Thread) {
        for (index, line) in made.block.items.iter().enumerate() {
            // `entry.frame.localsplus[0]`: a reference with tag 1, or only the tag.
            let (owner, saved) = match (line.word(0), line.words.get(1).map(String::as_str)) {
                ("frame", _) => (0, 0xdead_beef),
                ("entry", Some("none")) => (3, 1),
                ("entry", Some(name)) => (3, self.value(line, name) | 1),
                _ => line.fail("a frame, or an entry of an executor or none"),
            };
            let address = made.frames[index];
            let previous = made.frames.get(index + 1).copied().unwrap_or(0);
            let size = self.structures.size("_PyInterpreterFrame") as usize;
            let bytes = self.memory.slice(address, size);
            for (member, value) in [
                ("previous", previous),
                ("owner", owner),
                ("localsplus", saved),
            ] {
                self.structures
                    .set(bytes, "_PyInterpreterFrame", member, value);
            }
            self.name(
                &format!("thread{thread}.frame{index}"),
                address,
                "_PyInterpreterFrame",
            );
        }
    }

    /// `lie OBJECT MEMBER VALUE` overwrites a member of something, at the very end.
    fn tell_lies(&mut self) {
        for line in self.lies.clone() {
            let object = line.word(1);
            let Some(shape) = self.shapes.get(object).copied() else {
                line.fail("nothing is called so");
            };
            let value = self.value(&line, line.word(3));
            let size = self.structures.size(shape) as usize;
            let bytes = self.memory.slice(self.names[object], size);
            self.structures.set(bytes, shape, line.word(2), value);
        }
    }

    /// `registered [without=EXECUTOR]`: the code of all executors, for debuggers.
    fn register(&mut self) {
        let Some(line) = self.registered.clone() else {
            self.without.push("__jit_debug_descriptor".to_owned());
            return;
        };
        let executors = std::mem::take(&mut self.executors);
        let wanted = executors
            .iter()
            .filter(|executor| line.value("without") != Some(&*executor.name));
        let codes: Vec<RegisteredCode> = wanted
            .map(|executor| {
                let code = &executor.code;
                let length = (code.padding - code.start) as usize;
                RegisteredCode {
                    name: executor.name.clone(),
                    start: code.start,
                    size: length as u64,
                    text: self.memory.slice(code.start, length).to_vec(),
                }
            })
            .collect();
        self.executors = executors;
        let descriptor = self.symbol("__jit_debug_descriptor");
        let names = registered::put(&mut self.memory, descriptor, &codes);
        self.names.extend(names);
    }

    /// `poke PLACE HEX…` overwrites bytes, after all lies; a place is written as in a command, without braces.
    fn poke(&mut self) {
        for line in self.pokes.clone() {
            let (name, more) = line.word(1).split_once('+').unwrap_or((line.word(1), "0"));
            let Some(start) = self.names.get(name).copied() else {
                line.fail("nothing is called so");
            };
            let bytes: Vec<u8> = line.words[2..]
                .iter()
                .map(|word| u8::from_str_radix(word, 16).unwrap())
                .collect();
            self.memory.put(start + line.parsed(more), &bytes);
        }
    }

    // --- to the library ---

    fn take_apart(mut self, head: Line) -> Parts {
        if self.shim.is_none() {
            self.without.push("shim".to_owned());
        }
        if !head.has("debug-build") {
            self.without.push("_Py_NegativeRefcount".to_owned());
        }
        let mut symbols = Symbols::default();
        for (name, (address, size)) in &self.symbols {
            if self.without.iter().any(|other| other == name) {
                continue;
            }
            let symbol = SymbolAddress {
                address: Address(*address),
                size: *size,
                provenance: Provenance::Derived("the case file"),
            };
            symbols.add(name, symbol);
        }
        let architecture = match head.word(1).parse() {
            Ok(architecture) => architecture,
            Err(error) => head.fail(&format!("{error}")),
        };
        let values = self
            .expressions
            .iter()
            .map(|line| (line.word(1).to_owned(), self.value(line, line.word(2))));
        Parts {
            expressions: Expressions(values.collect()),
            layouts: self.structures.layouts(),
            memory: self.memory,
            names: self.names,
            symbols,
            architecture,
            head,
        }
    }
}

impl Parts {
    fn hand_over(self) -> Made {
        let reader = Reader::new(&self.memory);
        let python = match CPython::read(reader, self.layouts, self.symbols) {
            Ok(python) => python,
            Err(error) => self
                .head
                .fail(&format!("the library cannot read it: {error}")),
        };
        let program = Program::known(self.architecture, python);
        Made {
            session: session(self.memory, self.expressions, &self.head).with_program(program),
            names: self.names,
            control: control(),
        }
    }
}

/// What outlives a stop; with numbers that begin at 1 in each case.
fn control() -> Control {
    let mut control = Control::numbered_from(1);
    let carrier = Carrier {
        debugger: Debugger::Gdb,
        folder: "/listings".to_owned(),
        loses_registers: false,
        next: Some(1),
    };
    control.begin_symbols(carrier, Mode::Off);
    control
}

/// Where an executor was put into bytecode.
struct Entry {
    code: u64,
    unit: u64,
    replaced: [u8; 2],
}

struct Thread {
    block: Block,
    address: u64,
    frames: Vec<u64>,
}

/// C strings one behind the other.
struct Pool {
    next: u64,
}

impl Pool {
    fn add(&mut self, memory: &mut Segments, text: &str) -> u64 {
        let address = self.next;
        memory.put(address, text.as_bytes());
        self.next += text.len() as u64 + 1;
        address
    }
}

/// Whether the interpreter's own list has it.
fn is_listed(executor: &Executor) -> bool {
    let head = &executor.head;
    head.value("as").is_none() && !head.has("unlisted") && !head.has("deleted")
}

/// `CODE.LABEL+N` or `CODE+N`, split behind the code's name.
fn split_place(place: &str) -> (&str, &str) {
    match place.find(['.', '+']) {
        Some(at) if place[at..].starts_with('.') => (&place[..at], &place[at + 1..]),
        Some(at) => (&place[..at], &place[at..]),
        None => (place, "+0"),
    }
}

/// `PY_VERSION_HEX` of a final release.
fn version(head: &Line) -> u64 {
    let parts = head.word(2).split('.').map(|part| head.parsed(part));
    (parts.fold(0, |hex, part| (hex << 8) | part) << 8) | 0xf0
}

fn session(memory: Segments, expressions: Expressions, head: &Line) -> Session {
    let description = Description {
        architecture: head.word(1).to_owned(),
        kind: match head.value("kind") {
            Some("core") => TargetKind::Core,
            _ => TargetKind::Live,
        },
        pid: head.value("pid").map(|text| head.parsed(text)),
        files: Vec::new(),
        debug_directories: Vec::new(),
        packet: None,
    };
    Session::new(Box::new(memory), Box::new(expressions), description)
}
