//! From the innermost frame of a thread to the outermost.

use super::context::Context;
use crate::address::Address;
use crate::platform::Link;

/// Frames that a stack has at most: each takes 16 bytes at least, and a stack of 8 MB is usual. What is beyond is a
/// damaged stack, or a recursion of which this is enough.
pub const MOST_FRAMES: usize = 1 << 16;

/// How a frame was found, the most certain first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FoundBy {
    /// By the registers of the thread.
    Registers,
    /// By the unwind table of the function that it has called.
    UnwindTable,
    /// By the machine code of the uop that it has entered.
    JitCode,
    /// On top of the stack, since the frame that it has called is at no code: it was called by a wrong pointer.
    StackTop,
}

impl FoundBy {
    /// The word that the JSON uses.
    pub fn word(self) -> &'static str {
        match self {
            FoundBy::Registers => "registers",
            FoundBy::UnwindTable => "unwind-table",
            FoundBy::JitCode => "jit-code",
            FoundBy::StackTop => "stack-top",
        }
    }
}

/// A frame of a stack.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WalkedFrame {
    /// Its registers.
    pub context: Context,
    /// Whether it waits for a function that it has called: its pc then is where that one returns to.
    pub is_caller: bool,
    /// How it was found.
    pub found_by: FoundBy,
    /// Whether it is in JIT code.
    pub is_jit: bool,
    /// Whether it is what a signal handler returns to: the next frame was interrupted by the signal.
    pub is_signal: bool,
    /// Where its part of the stack ends, if that is known.
    pub cfa: Option<Address>,
}

impl WalkedFrame {
    /// An address inside the instruction that it is at.
    pub fn inside(&self) -> Address {
        Address(self.context.pc.0.wrapping_sub(u64::from(self.is_caller)))
    }

    /// Whether an address is in its part of the stack.
    pub fn holds(&self, address: Address) -> bool {
        let end = self.cfa.unwrap_or(Address(u64::MAX));
        self.context.sp().is_some_and(|start| start <= address) && address < end
    }
}

/// What leads to a caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The caller; `None` if there is none.
    pub caller: Option<Context>,
    /// Where the part of the stack of the frame ends.
    pub cfa: Address,
    /// Whether the frame is in JIT code.
    pub is_jit: bool,
    /// Whether the caller was interrupted by a signal, and so waits for no call.
    pub is_signal: bool,
}

/// What knows the code of a target.
pub trait Source {
    /// The step from a frame to its caller, or why there is none.
    fn step(&self, context: &Context, is_caller: bool) -> Result<Step, String>;

    /// Whether there is code at an address.
    fn is_code(&self, address: Address) -> bool;

    /// The word of memory at an address.
    fn word(&self, address: Address) -> Option<u64>;
}

/// The frames of a thread, the innermost first, and why no more, if the last is not the outermost.
pub fn walk(source: &dyn Source, innermost: Context) -> (Vec<WalkedFrame>, Option<String>) {
    let mut frames = Vec::new();
    let mut next = (innermost, false, FoundBy::Registers);
    loop {
        let (context, is_caller, found_by) = next;
        let (step, called_by) = match source.step(&context, is_caller) {
            Err(reason) => match from_stack_top(source, &context, is_caller) {
                Some(step) => (Ok(step), FoundBy::StackTop),
                None => (Err(reason), found_by),
            },
            Ok(step) => {
                let called_by = match step.is_jit {
                    true => FoundBy::JitCode,
                    false => FoundBy::UnwindTable,
                };
                (Ok(step), called_by)
            }
        };
        let sp = context.sp();
        let mut frame = WalkedFrame {
            context,
            is_caller,
            found_by,
            is_jit: false,
            is_signal: false,
            cfa: None,
        };
        let step = match step {
            Ok(step) => step,
            Err(reason) => {
                frames.push(frame);
                return (frames, Some(reason));
            }
        };
        (frame.is_jit, frame.is_signal) = (step.is_jit, step.is_signal);
        frame.cfa = Some(step.cfa);
        frames.push(frame);
        let Some(caller) = &step.caller else {
            return (frames, None);
        };
        if let Some(reason) = implausible(sp, &step, caller, frames.len()) {
            return (frames, Some(reason));
        }
        next = (caller.clone(), !step.is_signal, called_by);
    }
}

/// Why a caller cannot be one.
fn implausible(
    sp: Option<Address>,
    step: &Step,
    caller: &Context,
    frames: usize,
) -> Option<String> {
    if frames >= MOST_FRAMES {
        return Some(format!("{MOST_FRAMES} frames are as many as are followed"));
    }
    // A signal handler may run on a stack of its own, and a leaf of AArch64 needs none.
    let goes_up = sp.is_none_or(|sp| step.cfa > sp || (frames == 1 && step.cfa == sp));
    if !goes_up && !step.is_signal {
        return Some(format!(
            "the frame at {} would be inside of the one that it has called: the stack is damaged",
            caller.pc
        ));
    }
    None
}

/// The caller of a frame that is at no code, as after a call through a wrong pointer: what the call left is still where
/// it was put.
fn from_stack_top(source: &dyn Source, context: &Context, is_caller: bool) -> Option<Step> {
    if is_caller || source.is_code(context.pc) {
        return None;
    }
    let sp = context.sp()?;
    let (pc, cfa) = match context.architecture.platform().link {
        Link::Pushed(size) => (source.word(sp)?, sp.wrapping_add(size)),
        Link::Register(link) => (context.get(link)?, sp),
    };
    let pc = context.architecture.code_address(pc);
    if !source.is_code(pc) {
        return None;
    }
    let mut caller = context.clone();
    caller.pc = pc;
    caller.set_sp(cfa);
    Some(Step {
        caller: Some(caller),
        cfa,
        is_jit: false,
        is_signal: false,
    })
}
