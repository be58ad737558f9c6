//! The Python frames of a thread, by activation of the interpreter.

use crate::address::{Address, BytecodeOffset};
use crate::cpython::Frame;
use crate::error::Result;
use crate::listing::{Finding, PythonFrame};
use crate::session::Session;
use crate::unwind::WalkedFrame;

/// The Python frames of a thread.
#[derive(Default)]
pub(super) struct PythonStack {
    /// The thread state; `None` if the thread has none.
    pub state: Option<Address>,
    /// What of it belongs to each activation, the innermost first.
    pub segments: Vec<Segment>,
}

/// The frames of one activation.
#[derive(Default)]
pub(super) struct Segment {
    /// The innermost first.
    pub frames: Vec<Frame>,
    /// The entry frame; `None` where the chain breaks off before it.
    pub entry: Option<Frame>,
    /// The executor that it was in when it called the next activation, or is in now.
    pub executor: Option<Address>,
}

impl PythonStack {
    /// The frames of the thread with this id.
    pub fn of_thread(
        session: &Session,
        id: Option<u64>,
        walked: &[WalkedFrame],
        findings: &mut Vec<Finding>,
    ) -> Result<PythonStack> {
        let (python, reader) = (session.python()?, session.reader());
        let threads = session.at_stop.threads(python, reader)?;
        let by_id = threads
            .iter()
            .find(|thread| thread.native_id.is_some() && thread.native_id == id);
        // Where the thread state tells no id, there may be one thread only, or the frames tell whose stack this is.
        let on_stack = |frame: Address| {
            let start = walked.first().and_then(|first| first.context.sp());
            let end = walked.iter().rev().find_map(|last| last.cfa);
            start
                .zip(end)
                .is_some_and(|(start, end)| (start..end).contains(&frame))
        };
        let chain_of = |start: Address| Frame::chain(python, reader, start, |_| false);
        let by_stack = || {
            threads
                .iter()
                .filter(|thread| thread.native_id.is_none())
                .find(|thread| {
                    let (frames, _) = chain_of(thread.current_frame);
                    frames
                        .iter()
                        .any(|frame| frame.is_entry && on_stack(frame.address))
                })
        };
        let Some(thread) = by_id.or_else(by_stack) else {
            return Ok(PythonStack::default());
        };
        let (frames, broken) = chain_of(thread.current_frame);
        if let Some(reason) = broken {
            let what = format!("the chain of Python frames breaks off: {reason}");
            findings.push(Finding::warning(what));
        }
        let current = thread
            .running
            .first()
            .filter(|activation| activation.innermost);
        let executor = current.map(|activation| activation.executor);
        Ok(PythonStack {
            state: Some(thread.address),
            segments: segments(&frames, executor),
        })
    }
}

fn segments(frames: &[Frame], running: Option<Address>) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut open = Segment {
        executor: running,
        ..Segment::default()
    };
    for frame in frames {
        if frame.is_entry {
            open.entry = Some(*frame);
            let waiting = Some(frame.waiting).filter(|executor| !executor.is_null());
            let next = Segment {
                executor: waiting,
                ..Segment::default()
            };
            segments.push(std::mem::replace(&mut open, next));
        } else {
            open.frames.push(*frame);
        }
    }
    if !open.frames.is_empty() {
        segments.push(open);
    }
    segments
}

impl Session {
    /// What is shown of a Python frame. `at` is the instruction where the frame's own pointer to it lags behind: the code
    /// object that it is of, and its offset.
    pub(super) fn python_frame(
        &self,
        frame: &Frame,
        at: Option<(Address, BytecodeOffset)>,
    ) -> Result<PythonFrame> {
        let sources = self.sources()?;
        let code = match frame.code.is_null() {
            true => None,
            false => sources
                .codes
                .get(sources.python, sources.reader, frame.code),
        };
        let own = code.as_ref().and_then(|code| {
            let bytes = frame.instr_ptr.offset_from(code.bytecode)?;
            let offset = u32::try_from(bytes).ok().map(BytecodeOffset)?;
            (offset.code_unit() < code.units).then_some(offset)
        });
        let known = at.filter(|(of, _)| *of == frame.code);
        let offset = known.map(|(_, offset)| offset).or(own);
        Ok(PythonFrame {
            frame: frame.address,
            function: code.as_ref().map(|code| code.qualname.clone()),
            filename: code.as_ref().map(|code| code.filename.clone()),
            line: code
                .as_ref()
                .zip(offset)
                .and_then(|(code, offset)| code.line(offset)),
            bytecode_offset: offset,
            code: Some(frame.code).filter(|code| !code.is_null()),
        })
    }
}
