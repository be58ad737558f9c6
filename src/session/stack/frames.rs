//! The frames of a thread: where they are, and in which order they have called each other.

use super::StackRequest;
use super::items::Items;
use super::selected::{Here, Selected};
use crate::address::{Address, BytecodeOffset};
use crate::cpython::{Frame, Limits, Reprs, Variables};
use crate::error::{Error, Result};
use crate::listing::{Bytecode, Finding, StackFrame, ThreadStack};
use crate::session::Session;

/// Frames of one thread that are told at a time. Recursion goes deeper; `--frame` shows any of them.
const MOST_FRAMES: usize = 64;

impl Session {
    /// The frames of a thread that are wanted.
    pub(super) fn thread_stack(
        &self,
        selected: &Selected<'_>,
        request: &StackRequest,
        findings: &mut Vec<Finding>,
    ) -> Result<ThreadStack> {
        let chain = self.chain(selected, request, findings)?;
        let limits = if request.full {
            Limits::LONG
        } else {
            Limits::SHORT
        };
        let reprs = Reprs::new(self.python()?, self.reader(), limits);
        let (frames, more) = self.wanted_frames(&chain, selected, request, &reprs);
        if let (Some(wanted), true) = (request.frame, frames.is_empty()) {
            let all = chain.frames.iter().filter(|frame| !frame.is_entry).count();
            return Err(Error::NotFound {
                message: format!("there is no frame {wanted}: this thread has {all}"),
                hint: None,
            });
        }
        let here = selected.here.as_ref();
        let uop = here.and_then(|here| here.uop.as_ref());
        Ok(ThreadStack {
            thread: selected.thread.native_id,
            pc: selected.pc,
            inside: selected.inside,
            executor: selected.executor,
            uop: uop.map(|(row, _)| row.clone()),
            offset: uop.map(|(_, offset)| *offset),
            in_call: here.is_some_and(|here| here.in_call),
            frames,
            more,
        })
    }

    /// The frames that are wanted, and whether there are more.
    fn wanted_frames(
        &self,
        chain: &Chain,
        selected: &Selected<'_>,
        request: &StackRequest,
        reprs: &Reprs<'_>,
    ) -> (Vec<StackFrame>, bool) {
        let mut frames = Vec::new();
        let (mut level, mut activation) = (0, 0);
        for (place, frame) in chain.frames.iter().enumerate() {
            if frame.is_entry {
                activation += 1;
                continue;
            }
            if chain.is_wanted(place, level, request) {
                if frames.len() >= MOST_FRAMES {
                    return (frames, true);
                }
                let place = (level, activation);
                frames.push(self.stack_frame(selected, frame, place, reprs));
            }
            level += 1;
        }
        (frames, false)
    }

    /// The frames as far as they are wanted.
    fn chain(
        &self,
        selected: &Selected<'_>,
        request: &StackRequest,
        findings: &mut Vec<Finding>,
    ) -> Result<Chain> {
        let python = self.python()?;
        let own = selected.here.as_ref().map(|here| here.frame);
        let (mut level, mut seen_own) = (0u64, own.is_none());
        let (frames, broken) =
            Frame::chain(python, self.reader(), selected.current.frame, |frame| {
                seen_own |= Some(frame.address) == own;
                level += u64::from(!frame.is_entry);
                match request.frame {
                    Some(wanted) => level > wanted,
                    None => frame.is_entry && seen_own,
                }
            });
        if let Some(error) = broken {
            return Err(error);
        }
        let start = frames.iter().position(|frame| Some(frame.address) == own);
        if request.frame.is_none() {
            findings.extend(own.and_then(|own| place_of(own, start, &frames)));
        }
        Ok(Chain {
            frames,
            start: start.unwrap_or(0),
        })
    }

    fn stack_frame(
        &self,
        selected: &Selected<'_>,
        frame: &Frame,
        (level, activation): (u64, u64),
        reprs: &Reprs<'_>,
    ) -> StackFrame {
        let mut row = unknown(frame, level, activation);
        let here = selected.here.as_ref();
        let here = here.filter(|here| here.frame == frame.address);
        self.position(&mut row, frame, here);
        let variables = match self.variables(frame) {
            Ok(variables) => variables,
            Err(error) => {
                row.why = Some(error.to_string());
                return row;
            }
        };
        row.locals = self.locals(frame, &variables, reprs);
        let items = match here {
            Some(here) => self.items_of_uop(here, frame, &variables),
            None if frame.address == selected.current.frame => {
                self.items_of_innermost(selected, frame, &variables)
            }
            // Whoever calls Python code has saved where its stack ends.
            None => Items::saved(frame, &variables),
        };
        match items {
            Ok(items) => {
                row.stack_as_of = Some(items.as_of);
                row.stack = Some(self.item_rows(&items, row.locals.as_deref(), reprs));
            }
            Err(why) => row.why = Some(why),
        }
        row
    }

    fn variables(&self, frame: &Frame) -> Result<Variables> {
        Variables::read(self.python()?, self.reader(), frame.code)
    }

    /// Function, line and instruction.
    fn position(&self, row: &mut StackFrame, frame: &Frame, here: Option<&Here>) {
        let Ok(sources) = self.sources() else { return };
        let code = sources
            .codes
            .get(sources.python, sources.reader, frame.code);
        let Some(code) = code else { return };
        row.function = Some(code.qualname.clone());
        row.filename = Some(code.filename.clone());
        let uop = here.and_then(|here| here.uop.as_ref());
        let of_uop = uop.filter(|(uop, _)| {
            let code = uop.code.as_ref();
            code.is_some_and(|code| code.object == frame.code) && uop.bytecode.is_some()
        });
        if let Some((uop, _)) = of_uop {
            row.position = "uop";
            row.line = uop.line;
            row.bytecode.clone_from(&uop.bytecode);
            return;
        }
        let offset = frame.instr_ptr.offset_from(code.bytecode);
        let offset = offset.filter(|offset| *offset < u64::from(code.units) * 2);
        let offset = offset.and_then(|offset| u32::try_from(offset).ok());
        if let Some(offset) = offset.map(BytecodeOffset) {
            let instruction = code.instruction(offset);
            row.line = code.line(offset);
            row.bytecode = Some(Bytecode {
                offset,
                opname: instruction.and_then(|instruction| instruction.name.clone()),
                oparg: instruction.map(|instruction| instruction.oparg),
            });
        }
    }
}
/// What is said of a frame of which nothing is known yet.
fn unknown(frame: &Frame, level: u64, activation: u64) -> StackFrame {
    StackFrame {
        level,
        address: frame.address,
        code: Some(frame.code),
        function: None,
        filename: None,
        line: None,
        bytecode: None,
        position: "frame",
        activation,
        locals: None,
        stack: None,
        stack_as_of: None,
        why: None,
    }
}

/// What is to be said of where the frame of the uop is among the frames of the thread.
fn place_of(own: Address, start: Option<usize>, frames: &[Frame]) -> Option<Finding> {
    let Some(start) = start else {
        let what = "the frame that this uop began in has been left and may be gone";
        return Some(Finding::warning(what).at(own));
    };
    let inner = frames.get(..start).unwrap_or_default();
    let inner = inner.iter().filter(|frame| !frame.is_entry).count();
    let number = match inner {
        0 => return None,
        1 => "1 Python frame is".to_owned(),
        several => format!("{several} Python frames are"),
    };
    Some(Finding::note(format!(
        "the selected frame is an outer one: {number} inside it, which --frame 0 shows first"
    )))
}

/// The frames of a thread, entry frames among them.
struct Chain {
    frames: Vec<Frame>,
    /// The one that the selected frame of the debugger runs.
    start: usize,
}

impl Chain {
    fn is_wanted(&self, place: usize, level: u64, request: &StackRequest) -> bool {
        match request.frame {
            Some(wanted) => level == wanted,
            None if request.first_only => place == self.start,
            None => place >= self.start,
        }
    }
}
