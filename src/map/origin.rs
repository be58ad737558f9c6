//! Uop → bytecode → source line.

use super::activations::{Activations, TraceFrame};
use super::branch::{find_branch, guards_branch, is_jump_guard};
use crate::address::{BytecodeOffset, UopIndex};
use crate::cpython::{CPython, CodeObject, CodeObjects, Executor, Uop};
use crate::target::Reader;
use std::sync::Arc;

/// Uops that belong to no instruction: the JIT put them in (`Python/optimizer.c`, `Python/optimizer_analysis.c`).
const WITHOUT_TARGET: [&str; 3] = ["_MAKE_WARM", "_SPILL_OR_RELOAD", "_JUMP_TO_TOP"];

/// The same, for families of uops; these test where a call or return has led to.
const WITHOUT_TARGET_PREFIXES: [&str; 4] = [
    "_GUARD_IP_",
    "_GUARD_CODE_VERSION_",
    // These serve all exits that have no executor yet.
    "_COLD_EXIT",
    "_COLD_DYNAMIC_EXIT",
];

/// Where a uop comes from.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The code object that it runs in.
    pub code: Option<Arc<CodeObject>>,
    /// The instruction that it is a part of; of a stub, the one at which the interpreter goes on.
    pub bytecode: Option<BytecodeOffset>,
    /// How many inlined frames lie below it.
    pub depth: i32,
    /// The frame that it runs in, among those of the trace; `None` where several may be.
    pub frame: Option<usize>,
    /// Whether that frame certainly runs the code that the trace expects there.
    pub is_certain: bool,
}

impl Origin {
    /// The source line.
    pub fn line(&self) -> Option<i32> {
        self.code.as_ref()?.line(self.bytecode?)
    }
}

/// The origins of a trace.
pub struct Origins {
    /// By uop.
    pub origins: Vec<Origin>,
    /// The frames that the trace runs in.
    pub frames: Vec<TraceFrame>,
    /// How many uops the main part has; behind it are the stubs.
    pub body: usize,
    /// What contradicts itself.
    pub findings: Vec<String>,
}

/// What is needed to find origins.
#[derive(Clone, Copy)]
pub struct Sources<'t> {
    /// The CPython.
    pub python: &'t CPython,
    /// Its memory.
    pub reader: Reader<'t>,
    /// Code objects met so far.
    pub codes: &'t CodeObjects,
}

/// The origin of each uop, and what was wrong.
///
/// `entry` is the code object in which the trace begins, where it is known from elsewhere: from the bytecode that
/// enters the executor, or from the exit that leads to it.
pub fn origins(
    sources: Sources<'_>,
    executor: &Executor,
    entry: Option<Arc<CodeObject>>,
) -> Origins {
    let Sources {
        python,
        reader,
        codes,
    } = sources;
    let activations = Activations::follow(python, reader, codes, executor, entry);
    let mut trace = Trace {
        python,
        executor,
        activations,
        units: Vec::new(),
    };
    trace.find_units();
    let body = trace.activations.body();
    let mut origins: Vec<Origin> = (0..body).map(|index| trace.origin(index)).collect();
    let callers = callers(&executor.uops, body);
    origins.extend(
        (body..executor.uops.len()).map(|index| trace.stub_origin(index, callers.get(index))),
    );
    Origins {
        origins,
        frames: trace.activations.frames().to_vec(),
        body,
        findings: trace.activations.findings,
    }
}

struct Trace<'t> {
    python: &'t CPython,
    executor: &'t Executor,
    activations: Activations,
    /// For each uop of the main part, the code unit of its own instruction.
    units: Vec<Option<u32>>,
}

impl Trace<'_> {
    fn base(&self, index: usize) -> &str {
        self.executor
            .uops
            .get(index)
            .and_then(|uop| self.python.uops.kind(uop.opcode))
            .map_or("", |kind| &*kind.base)
    }

    fn find_units(&mut self) {
        for index in 0..self.activations.body() {
            let unit = self
                .unit(index)
                .filter(|unit| self.is_instruction(index, *unit));
            self.units.push(unit);
        }
    }

    /// Whether an instruction of the uop's code object begins there; unknown code cannot contradict.
    fn is_instruction(&self, index: usize, unit: u32) -> bool {
        let offset = BytecodeOffset::of_code_unit(unit);
        match (self.activations.code(index), offset) {
            (Some(code), Some(offset)) => code.may_have_instruction(offset),
            (None, Some(_)) => true,
            (_, None) => false,
        }
    }

    /// The code unit of a uop's own instruction.
    fn unit(&self, index: usize) -> Option<u32> {
        let uop = self.executor.uops.get(index)?;
        let base = self.base(index);
        if WITHOUT_TARGET.contains(&base)
            || WITHOUT_TARGET_PREFIXES
                .iter()
                .any(|prefix| base.starts_with(prefix))
        {
            return None;
        }
        if uop.target.is_some() {
            return uop.target;
        }
        if let Some(unit) = uop.jumps.error.and_then(|stub| self.stub_unit(stub)) {
            return Some(unit);
        }
        let stub = uop.jumps.jump.filter(|stub| self.is_stub(*stub))?;
        let destination = self.stub_unit(stub)?;
        match self.is_branch_guard(base, stub) {
            true => self.branch(index, destination),
            false => Some(destination),
        }
    }

    fn is_stub(&self, index: UopIndex) -> bool {
        index.0 as usize >= self.activations.body()
    }

    /// The code unit that a stub leads back to.
    fn stub_unit(&self, index: UopIndex) -> Option<u32> {
        let uop = self.executor.uops.get(index.0 as usize)?;
        match self.base(index.0 as usize) {
            "_ERROR_POP_N" => u32::try_from(uop.operand0).ok(),
            // It goes on wherever the frame is by then.
            "_DYNAMIC_EXIT" => None,
            _ => uop.target,
        }
    }

    /// Whether a uop's stub holds the other way of a branch: 3.15 marks such exits, for 3.14 the names tell.
    fn is_branch_guard(&self, base: &str, stub: UopIndex) -> bool {
        let exit = self.executor.uops.get(stub.0 as usize).and_then(|uop| {
            self.executor
                .exits
                .iter()
                .find(|exit| exit.address.0 == uop.operand0)
        });
        exit.is_some_and(|exit| exit.is_control_flow) || guards_branch(base)
    }

    /// The branch that a guard stands for.
    fn branch(&self, index: usize, destination: u32) -> Option<u32> {
        let code = self.activations.code(index)?;
        let frame = self.activations.frame(index);
        let (last, unit) = (0..index)
            .rev()
            .filter(|earlier| self.activations.frame(*earlier) == frame)
            .find_map(|earlier| Some((earlier, (*self.units.get(earlier)?)?)))?;
        let from = BytecodeOffset::of_code_unit(unit)?;
        let behind_branch = is_jump_guard(self.base(last));
        find_branch(&self.python.opcodes, code, from, behind_branch, destination)
            .map(BytecodeOffset::code_unit)
    }

    fn origin(&self, index: usize) -> Origin {
        Origin {
            code: self.activations.code(index).cloned(),
            bytecode: self
                .units
                .get(index)
                .copied()
                .flatten()
                .and_then(BytecodeOffset::of_code_unit),
            depth: self.activations.depth(index).unwrap_or(0),
            frame: self.activations.frame(index),
            is_certain: self.activations.is_certain(index),
        }
    }

    /// A stub runs in the frame of the uop that jumps to it. Uops share stubs, even from different functions; then it
    /// is not known before it runs.
    fn stub_origin(&self, index: usize, callers: Option<&Vec<usize>>) -> Origin {
        let frame = self.stub_frame(callers.map(Vec::as_slice).unwrap_or_default());
        let mut callers = callers.into_iter().flatten().map(|caller| {
            let depth = self.activations.depth(*caller).unwrap_or(0);
            (self.activations.code(*caller), depth)
        });
        let Some((code, depth)) = callers.next() else {
            return Origin::default();
        };
        if self.base(index) == "_DYNAMIC_EXIT" {
            // It is taken when the frame is another one than the trace expected.
            return Origin {
                depth,
                ..Origin::default()
            };
        }
        let address = code.map(|code| code.address);
        let agree = callers.all(|(other, _)| other.map(|code| code.address) == address);
        Origin {
            code: code.filter(|_| agree).cloned(),
            bytecode: self
                .stub_unit(UopIndex(u32::try_from(index).unwrap_or(u32::MAX)))
                .and_then(BytecodeOffset::of_code_unit),
            depth,
            frame,
            is_certain: frame.is_some(),
        }
    }

    /// The frame that all uops which jump to a stub certainly run in.
    fn stub_frame(&self, callers: &[usize]) -> Option<usize> {
        let mut frames = callers.iter().map(|caller| {
            let certain = self.activations.is_certain(*caller);
            self.activations.frame(*caller).filter(|_| certain)
        });
        let first = frames.next()??;
        frames.all(|frame| frame == Some(first)).then_some(first)
    }
}

/// For each uop, the uops of the main part that jump to it.
fn callers(uops: &[Uop], body: usize) -> Vec<Vec<usize>> {
    let mut callers = vec![Vec::new(); uops.len()];
    for (caller, uop) in uops.iter().take(body).enumerate() {
        for stub in [uop.jumps.jump, uop.jumps.error].into_iter().flatten() {
            if let Some(known) = callers.get_mut(stub.0 as usize) {
                known.push(caller);
            }
        }
    }
    callers
}
