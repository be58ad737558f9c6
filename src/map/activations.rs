//! Which Python function each uop of a trace runs in: calls and returns that the trace contains.

use crate::address::Address;
use crate::cpython::{CPython, CodeObject, CodeObjects, Executor, Uop, UopKind};
use crate::target::Reader;
use std::sync::Arc;

/// The uops that end the main part of a trace; behind the first of them are the stubs.
pub const STUB_ENDS: [&str; 4] = ["_EXIT_TRACE", "_DEOPT", "_JUMP_TO_TOP", "_DYNAMIC_EXIT"];

/// `EXTENDED_ARG` prefixes that an instruction can have: `_SET_IP` points behind them, its target before them.
const MOST_PREFIXES: u64 = 3;

/// `sizeof(_Py_CODEUNIT)`.
const CODE_UNIT: u64 = 2;

/// The uops after which another frame is current.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FrameChange {
    Push,
    Pop,
}

impl FrameChange {
    fn after(base: &str) -> Option<FrameChange> {
        match base {
            "_PUSH_FRAME" => Some(FrameChange::Push),
            "_RETURN_VALUE" | "_YIELD_VALUE" | "_RETURN_GENERATOR" => Some(FrameChange::Pop),
            _ => None,
        }
    }
}

/// Uops that test which code a frame runs: until one has passed, the frame is what the trace expects, not what is known.
const GUARDS_OF_FRAMES: [&str; 2] = ["_GUARD_IP_", "_GUARD_CODE_VERSION_"];

/// Whether a uop leaves its frame: while it runs, the way to the frame below may be cut already.
pub fn leaves_frame(base: &str) -> bool {
    FrameChange::after(base) == Some(FrameChange::Pop)
}

/// One frame that a trace runs in for a while.
#[derive(Clone, Debug)]
pub struct TraceFrame {
    /// How many frames that the trace has pushed lie below.
    pub depth: i32,
    /// What it executes, if that is known.
    pub code: Option<Arc<CodeObject>>,
    /// The frame below, if the trace has run in it.
    pub parent: Option<usize>,
    /// Whether it is the one that `_CREATE_INIT_FRAME` puts below `__init__`, which Python never shows.
    pub is_init_shim: bool,
}

/// The frames of a trace and which uop runs in which.
pub struct Activations {
    frames: Vec<TraceFrame>,
    /// The frame of each uop of the main part.
    of_uop: Vec<usize>,
    /// Whether it is certain that the uop runs in that frame's code.
    certain: Vec<bool>,
    /// What contradicts itself.
    pub findings: Vec<String>,
}

impl Activations {
    /// Follows pushed and popped frames through the trace, and finds the code object of each frame by its `_SET_IP`
    /// uops. `entry` is the code object that the trace begins in, if that is known from elsewhere.
    pub fn follow(
        python: &CPython,
        reader: Reader<'_>,
        codes: &CodeObjects,
        executor: &Executor,
        entry: Option<Arc<CodeObject>>,
    ) -> Activations {
        codes.prefetch(python, reader, &named_code(python, executor));
        let mut walk = Walk::new(entry);
        for (index, uop) in executor.uops.iter().enumerate() {
            let Some(kind) = python.uops.kind(uop.opcode) else {
                walk.lose();
                continue;
            };
            let ends = STUB_ENDS.contains(&&*kind.base);
            walk.enter(kind);
            if GUARDS_OF_FRAMES
                .iter()
                .any(|guard| kind.base.starts_with(guard))
            {
                walk.doubt();
            }
            if let Some(code) = code_of(python, reader, codes, uop, kind) {
                walk.learn(index, code);
            }
            if ends {
                if &*kind.base == "_JUMP_TO_TOP" {
                    walk.close_loop();
                }
                break;
            }
            walk.change_frame(kind);
        }
        walk.activations
    }

    /// How many uops the main part of the trace has.
    pub fn body(&self) -> usize {
        self.of_uop.len()
    }

    /// The frame of a uop of the main part, as a number that is the same for the same frame.
    pub fn frame(&self, index: usize) -> Option<usize> {
        self.of_uop.get(index).copied()
    }

    /// The frames that the trace runs in.
    pub fn frames(&self) -> &[TraceFrame] {
        &self.frames
    }

    /// Whether a uop of the main part certainly runs in the code that its frame is said to have.
    pub fn is_certain(&self, index: usize) -> bool {
        self.certain.get(index).copied().unwrap_or(false)
    }

    /// The code object that a uop of the main part runs in.
    pub fn code(&self, index: usize) -> Option<&Arc<CodeObject>> {
        self.frames.get(self.frame(index)?)?.code.as_ref()
    }

    /// How many inlined frames lie below; negative where the trace has returned from the frame it began in.
    pub fn depth(&self, index: usize) -> Option<i32> {
        Some(self.frames.get(self.frame(index)?)?.depth)
    }
}

struct Walk {
    activations: Activations,
    stack: Vec<usize>,
    /// `_CREATE_INIT_FRAME` pushes the frame of a static shim code object besides that of `__init__`
    /// (`_Py_InitCleanup` in `Objects/codeobject.c`).
    creates_init_frame: bool,
}

impl Walk {
    fn new(entry: Option<Arc<CodeObject>>) -> Walk {
        Walk {
            activations: Activations {
                frames: vec![TraceFrame {
                    depth: 0,
                    code: entry,
                    parent: None,
                    is_init_shim: false,
                }],
                of_uop: Vec::new(),
                certain: Vec::new(),
                findings: Vec::new(),
            },
            stack: vec![0],
            creates_init_frame: false,
        }
    }

    fn current(&self) -> usize {
        self.stack.last().copied().unwrap_or(0)
    }

    fn depth(&self) -> i32 {
        self.activations
            .frames
            .get(self.current())
            .map_or(0, |frame| frame.depth)
    }

    fn enter(&mut self, kind: &UopKind) {
        let current = self.current();
        self.activations.of_uop.push(current);
        self.activations.certain.push(true);
        self.creates_init_frame |= kind.base.starts_with("_CREATE_INIT_FRAME");
    }

    /// The last uop tests what frame it is in: neither it nor those before it can be sure, back to the last change.
    fn doubt(&mut self) {
        let current = self.current();
        let uops = self.activations.of_uop.iter().rev();
        let since = uops.take_while(|frame| **frame == current).count();
        let certain = self.activations.certain.iter_mut().rev();
        certain.take(since).for_each(|certain| *certain = false);
    }

    fn learn(&mut self, index: usize, code: Arc<CodeObject>) {
        let current = self.current();
        let Some(frame) = self.activations.frames.get_mut(current) else {
            return;
        };
        match &frame.code {
            Some(known) if known.address != code.address => {
                self.activations.findings.push(format!(
                    "uop {index} belongs to {}, but its frame to {}",
                    code.qualname, known.qualname
                ))
            }
            Some(_) => {}
            None => frame.code = Some(code),
        }
    }

    /// An unknown uop may call or return: nothing is known of the frame behind it.
    fn lose(&mut self) {
        let depth = self.depth();
        self.activations.of_uop.push(self.current());
        self.activations.certain.push(false);
        self.stack = Vec::new();
        self.push(depth);
    }

    /// What jumps to the top of the trace runs in the same function as the top.
    fn close_loop(&mut self) {
        let (first, last) = (0, self.current());
        let code = |frames: &[TraceFrame], frame: usize| {
            frames.get(frame).and_then(|frame| frame.code.clone())
        };
        let frames = &mut self.activations.frames;
        let known = code(frames, first).or(code(frames, last));
        for frame in [first, last] {
            if let Some(frame) = frames.get_mut(frame) {
                frame.code = frame.code.take().or(known.clone());
            }
        }
    }

    fn change_frame(&mut self, kind: &UopKind) {
        match FrameChange::after(&kind.base) {
            Some(FrameChange::Push) => {
                let depth = self.depth();
                if self.creates_init_frame {
                    self.push(depth + 1);
                    let shim = self.activations.frames.last_mut();
                    shim.into_iter().for_each(|frame| frame.is_init_shim = true);
                }
                self.push(depth + 1 + i32::from(self.creates_init_frame));
                self.creates_init_frame = false;
            }
            Some(FrameChange::Pop) => {
                let depth = self.depth();
                self.stack.pop();
                if self.stack.is_empty() {
                    self.push(depth - 1);
                }
            }
            None => {}
        }
    }

    fn push(&mut self, depth: i32) {
        let parent = self.stack.last().copied();
        self.stack.push(self.activations.frames.len());
        self.activations.frames.push(TraceFrame {
            depth,
            code: None,
            parent,
            is_init_shim: false,
        });
    }
}

/// Where the code objects that the trace names are, but for those of instructions with prefixes.
fn named_code(python: &CPython, executor: &Executor) -> Vec<Address> {
    let shape = python.layouts.shape("PyCodeObject").ok();
    let Some(start) = shape.and_then(|shape| shape.find("co_code_adaptive")) else {
        return Vec::new();
    };
    let mut named: Vec<Address> = executor
        .uops
        .iter()
        .filter(|uop| {
            python
                .uops
                .kind(uop.opcode)
                .is_some_and(|kind| &*kind.base == "_SET_IP")
        })
        .filter_map(|uop| {
            let offset = u64::from(uop.target?) * CODE_UNIT + start.offset;
            uop.operand0.checked_sub(offset).map(Address)
        })
        .collect();
    named.sort_unstable();
    named.dedup();
    named
}

/// The code object that a uop names for certain: that of a `_SET_IP`, whose operand is the address of an instruction
/// and whose target the index of the same instruction.
fn code_of(
    python: &CPython,
    reader: Reader<'_>,
    codes: &CodeObjects,
    uop: &Uop,
    kind: &UopKind,
) -> Option<Arc<CodeObject>> {
    // 3.15 turns a `_SET_IP` into the `_DEOPT` that ends a trace, operand and all.
    if !matches!(&*kind.base, "_SET_IP" | "_DEOPT") || uop.operand0 == 0 {
        return None;
    }
    let target = u64::from(uop.target?);
    let start = python
        .layouts
        .shape("PyCodeObject")
        .ok()?
        .find("co_code_adaptive")?
        .offset;
    (0..=MOST_PREFIXES).find_map(|prefixes| {
        let offset = (target + prefixes)
            .checked_mul(CODE_UNIT)?
            .checked_add(start)?;
        let code = codes.get(python, reader, Address(uop.operand0.checked_sub(offset)?))?;
        (target + prefixes < u64::from(code.units)).then_some(code)
    })
}
