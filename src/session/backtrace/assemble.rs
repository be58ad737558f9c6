//! Which frame of the C stack runs which Python frames.

use super::python::{PythonStack, Segment};
use crate::address::{Address, BytecodeOffset, UopIndex};
use crate::error::Result;
use crate::listing::{Activation, CallFrame, ExecutorHeader, Finding, PythonFrame, UopRow};
use crate::map::{MappedExecutor, Place};
use crate::session::Session;
use crate::unwind::WalkedFrame;
use std::sync::Arc;

/// The C stack and the Python frames of a thread.
pub(super) struct Assembly<'a> {
    frames: &'a [WalkedFrame],
    python: &'a PythonStack,
    /// For each C frame that is an activation of the interpreter, which.
    activations: Vec<Option<usize>>,
}

/// A place in JIT code.
struct JitSpot {
    header: ExecutorHeader,
    inside: &'static str,
    offset: Option<u64>,
    row: Option<UopRow>,
    /// How many Python frames the trace has at this place.
    depth: usize,
    /// The instruction that the uop is a part of, and the code object which that is of.
    at: Option<(Address, BytecodeOffset)>,
}

impl<'a> Assembly<'a> {
    /// Finds the C frame that each entry frame lies in.
    pub fn new(frames: &'a [WalkedFrame], python: &'a PythonStack) -> Assembly<'a> {
        let mut activations = vec![None; frames.len()];
        let mut from = 0;
        for (index, segment) in python.segments.iter().enumerate() {
            let Some(entry) = segment.entry else { continue };
            let rest = frames.iter().enumerate().skip(from);
            // The end of the last frame is not known if the stack was not followed further.
            let mut whole = rest.filter(|(_, frame)| !frame.is_jit && frame.cfa.is_some());
            if let Some((level, _)) = whole.find(|(_, frame)| frame.holds(entry.address)) {
                if let Some(place) = activations.get_mut(level) {
                    *place = Some(index);
                }
                from = level + 1;
            }
        }
        Assembly {
            frames,
            python,
            activations,
        }
    }

    /// The activation that a C frame is, or JIT code runs in.
    fn segment(&self, level: usize) -> Option<&Segment> {
        let is_jit = self.frames.get(level)?.is_jit;
        let index = self
            .activations
            .get(level + usize::from(is_jit))
            .copied()??;
        self.python.segments.get(index)
    }

    /// Whether JIT code runs right above this C frame.
    fn jit_above(&self, level: usize) -> Option<usize> {
        let above = level.checked_sub(1)?;
        self.frames.get(above)?.is_jit.then_some(above)
    }

    /// Says where the stack and the thread contradict each other.
    pub fn check(&self, thread: Option<u64>, findings: &mut Vec<Finding>) {
        let name = thread.map_or_else(|| "the thread".to_owned(), |id| format!("thread {id}"));
        for (level, frame) in self.frames.iter().enumerate() {
            if frame.is_jit && self.segment(level).is_none() {
                let what =
                    format!("no Python frames of {name} belong to the JIT code of frame {level}");
                findings.push(Finding::warning(what).at(frame.context.pc));
            }
        }
    }

    /// The activations that no C frame was found for: those behind the last one that was.
    fn unplaced(&self) -> &[Segment] {
        let placed = self.activations.iter().flatten().max();
        let first = placed.map_or(0, |last| last + 1);
        self.python.segments.get(first..).unwrap_or_default()
    }
}

impl Session {
    /// What is shown of a frame.
    pub(super) fn call_frame(&self, assembly: &Assembly<'_>, level: usize) -> Result<CallFrame> {
        let Some(frame) = assembly.frames.get(level) else {
            return Err(super::super::unwinding::unknown(format!(
                "there is no frame {level}"
            )));
        };
        let mut shown = CallFrame {
            level: level as u64,
            kind: if frame.is_jit { "jit" } else { "c" },
            signal: frame.is_signal,
            pc: frame.context.pc,
            sp: frame.context.sp(),
            found_by: frame.found_by.word(),
            symbol: None,
            offset: None,
            file: None,
            file_address: None,
            executor: None,
            uop: None,
            inside: None,
            python: Vec::new(),
        };
        let spot = self.jit_spot(frame)?;
        if spot.is_none() {
            self.name_function(frame, &mut shown);
        }
        shown.python = match assembly.segment(level) {
            None => Vec::new(),
            Some(segment) => match &spot {
                Some(spot) => self.python_frames(segment, 0, spot.depth, spot.at)?,
                None => {
                    let above = assembly
                        .jit_above(level)
                        .and_then(|above| assembly.frames.get(above));
                    let above = above
                        .map(|above| self.jit_spot(above))
                        .transpose()?
                        .flatten();
                    let skipped = above.map_or(0, |spot| spot.depth);
                    self.python_frames(segment, skipped, usize::MAX, None)?
                }
            },
        };
        if let Some(spot) = spot {
            shown.executor = Some(Box::new(spot.header));
            shown.inside = Some(spot.inside);
            shown.offset = spot.offset;
            shown.uop = spot.row.map(Box::new);
        }
        Ok(shown)
    }

    fn python_frames(
        &self,
        segment: &Segment,
        skip: usize,
        count: usize,
        at: Option<(Address, BytecodeOffset)>,
    ) -> Result<Vec<PythonFrame>> {
        let frames = segment.frames.iter().enumerate().skip(skip).take(count);
        frames
            .map(|(index, frame)| self.python_frame(frame, at.filter(|_| index == 0)))
            .collect()
    }

    fn name_function(&self, frame: &WalkedFrame, shown: &mut CallFrame) {
        let Some((image, bias)) = self.file_at(frame.inside()) else {
            return self.name_kernel_function(frame, shown);
        };
        shown.file = Some(image.path().display().to_string());
        shown.file_address = Some(Address(shown.pc.0.wrapping_sub(bias)));
        // By the instruction of the call: the function may end right behind it.
        if let Some(near) = image.nearest(Address(frame.inside().0.wrapping_sub(bias))) {
            shown.symbol = Some(plain_name(near.name).to_owned());
            shown.offset = Some(near.offset.saturating_add(u64::from(frame.is_caller)));
        }
    }

    fn name_kernel_function(&self, frame: &WalkedFrame, shown: &mut CallFrame) {
        let Some(vdso) = self.modules().vdso_at(frame.inside()) else {
            return;
        };
        let own = Address(frame.inside().0.wrapping_sub(vdso.bias()));
        shown.file = Some(vdso.name().to_owned());
        shown.file_address = Some(Address(shown.pc.0.wrapping_sub(vdso.bias())));
        if let Some((name, offset)) = vdso.nearest(own) {
            shown.symbol = Some(name);
            shown.offset = Some(offset.saturating_add(u64::from(frame.is_caller)));
        }
    }

    /// Where in JIT code a frame is; `None` if it is in none.
    fn jit_spot(&self, frame: &WalkedFrame) -> Result<Option<JitSpot>> {
        let Some(region) = self.code_region(frame.inside())? else {
            return Ok(None);
        };
        let mapped = self.mapped(region.executor.address)?;
        let (inside, offset, uop) = match mapped.locate(frame.inside()) {
            Some(Place::Uop(index, offset)) => ("uop", Some(offset), Some(index)),
            Some(Place::Data(index, offset)) => ("data", Some(offset), Some(index)),
            Some(Place::Region(kind, offset)) => (kind.word(), Some(offset), None),
            None => ("unknown", None, None),
        };
        let back = u64::from(frame.is_caller);
        Ok(Some(JitSpot {
            header: self.header_of(&mapped)?,
            inside,
            offset: offset.map(|offset| offset.saturating_add(back)),
            row: match uop {
                Some(index) => self.uop_row(&mapped, index)?,
                None => None,
            },
            depth: uop.map_or(1, |index| inlined(&mapped, index)),
            at: uop.and_then(|index| instruction(&mapped, index)),
        }))
    }

    /// What the thread itself says of activations that the C stack was not followed to.
    pub(super) fn remaining(&self, assembly: &Assembly<'_>) -> Result<Vec<Activation>> {
        // The frame that a thread state has of its own (3.15: `base_frame`) belongs to no activation.
        let is_base = |segment: &&Segment| segment.frames.is_empty() && segment.executor.is_none();
        let unplaced = assembly.unplaced().iter();
        unplaced
            .filter(|segment| !is_base(segment))
            .map(|segment| {
                let header = segment
                    .executor
                    .and_then(|executor| self.header(executor).ok());
                Ok(Activation {
                    entry_frame: segment.entry.map(|entry| entry.address),
                    executor: header.map(Box::new),
                    python: self.python_frames(segment, 0, usize::MAX, None)?,
                })
            })
            .collect()
    }
}

/// How many Python frames a trace has at a uop: the one that it began in or has returned to, and those that it has called.
fn inlined(mapped: &Arc<MappedExecutor>, index: UopIndex) -> usize {
    let at = usize::try_from(index.0).unwrap_or(usize::MAX);
    // A stub runs in the frames of the uop that jumps to it.
    let at = match at < mapped.body {
        true => at,
        false => caller_of(mapped, index).unwrap_or(at),
    };
    let depth = |index: usize| mapped.origins.get(index).map_or(0, |origin| origin.depth);
    let lowest = (0..=at.min(mapped.body))
        .map(depth)
        .min()
        .unwrap_or_default();
    let above = depth(at).saturating_sub(lowest);
    usize::try_from(above).unwrap_or_default().saturating_add(1)
}

fn caller_of(mapped: &MappedExecutor, stub: UopIndex) -> Option<usize> {
    let mut body = mapped.executor.uops.iter().take(mapped.body);
    body.position(|uop| uop.jumps.jump == Some(stub) || uop.jumps.error == Some(stub))
}

/// The instruction that a uop of the main part belongs to. A stub's is where the interpreter will go on.
fn instruction(mapped: &MappedExecutor, index: UopIndex) -> Option<(Address, BytecodeOffset)> {
    let at = usize::try_from(index.0).ok()?;
    let origin = mapped.origins.get(at).filter(|_| at < mapped.body)?;
    Some((origin.code.as_ref()?.address, origin.bytecode?))
}

/// Link-time optimisers number what they had to make visible.
fn plain_name(name: &str) -> &str {
    name.split_once(".lto_priv").map_or(name, |(name, _)| name)
}
