//! From a place in JIT code to the C function that entered it.

use super::context::Context;
use super::shim::{At, Shim};
use super::stack_flow::StackFlow;
use super::stack_state::{Place, StackState};
use crate::address::Address;
use crate::platform::{Link, Register};
use crate::target::Reader;

/// Words that a uop may have pushed when its depth is not known: the largest (3.14d) keeps 20.
const MOST_PUSHED: u64 = 64;

/// How far the frame of the interpreter reaches: a frame pointer further up is none of it.
const LARGEST_INTERPRETER_FRAME: u64 = 1 << 20;

/// The C function that entered JIT code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JitCaller {
    /// Its registers, as far as they are known.
    pub context: Context,
    /// Where its stack ends and that of JIT code begins.
    pub cfa: Address,
}

/// Where the pc is in JIT code.
#[derive(Clone, Copy)]
pub struct JitPlace<'f> {
    /// The code with its stack: of one uop, or of a shim.
    pub flow: &'f StackFlow,
    /// How far the pc is behind the start of it.
    pub offset: u64,
    /// Whether the code is the shim itself.
    pub in_shim: bool,
    /// Whether the pc is where a call returns to, which may lie behind the code.
    pub is_caller: bool,
}

/// What tells addresses apart.
#[derive(Clone, Copy)]
pub struct Known<'k> {
    /// Whether an executor's code starts there.
    pub starts_executor: &'k dyn Fn(Address) -> bool,
    /// Whether there is code of the program that enters JIT code.
    pub is_interpreter: &'k dyn Fn(Address) -> bool,
}

/// The caller of the JIT code that `context` is in.
///
/// # Errors
/// A sentence that says why it cannot be told. Nothing is guessed: what is on the stack must fit.
pub fn caller(
    shim: &Shim,
    place: JitPlace<'_>,
    context: &Context,
    known: Known<'_>,
    reader: Reader<'_>,
) -> Result<JitCaller, String> {
    let sp = context.sp().ok_or("the stack pointer is not known")?;
    let stack = Stack::read(reader, sp, shim);
    if place.in_shim {
        return in_shim(shim, place, context, known, &stack, sp);
    }
    for (boundary, state) in boundaries(shim, place, context, sp) {
        if let Some(caller) = (Attempt {
            shim,
            context,
            known,
            stack: &stack,
            state,
        })
        .at(boundary)
        {
            return Ok(caller);
        }
    }
    scan(shim, context, known, &stack, sp).ok_or_else(|| {
        "no address that returns to the code which enters JIT code is on the stack".to_owned()
    })
}

/// Where the stack pointer was at the start of the uop, the most certain first.
fn boundaries<'f>(
    shim: &Shim,
    place: JitPlace<'f>,
    context: &Context,
    sp: Address,
) -> Vec<(Address, Option<&'f StackState>)> {
    let here = place.flow.at(place.offset);
    let call = (place.offset.checked_sub(1)).and_then(|before| place.flow.at(before));
    // Behind the last call of a uop begins the next one.
    let order = match place.is_caller {
        true => [call, here],
        false => [here, call],
    };
    let by_depth = order.into_iter().flatten().filter_map(|state| {
        let depth = u64::try_from(state.depth()?).ok()?;
        Some((sp.wrapping_add(depth), Some(state)))
    });
    let fp = shim.architecture.platform().frame_pointer;
    let is_pinned = |state: &&StackState| state.place(fp) == Place::Unchanged;
    let by_pointer = order.into_iter().flatten().filter(is_pinned);
    let by_pointer = by_pointer.filter_map(|state| {
        let boundary = shim.boundary_by_frame_pointer(context.get(fp)?)?;
        Some((boundary, Some(state)))
    });
    by_depth.chain(by_pointer).collect()
}

/// A place where the stack of the shim may begin.
struct Attempt<'a> {
    shim: &'a Shim,
    context: &'a Context,
    known: Known<'a>,
    stack: &'a Stack,
    /// What is known of the registers at the pc.
    state: Option<&'a StackState>,
}

impl Attempt<'_> {
    /// The caller, if all that must be there is.
    fn at(&self, boundary: Address) -> Option<JitCaller> {
        let link = match self.shim.architecture.platform().link {
            Link::Pushed(_) => Some(self.stack.word(boundary)?),
            // A uop that no longer needs it may have lost it.
            Link::Register(link) => self.before_uop(link, boundary),
        };
        if let Some(link) = link {
            let returns_to = self.shim.architecture.code_address(link);
            if !(self.shim).is_returned_to(returns_to, self.known.starts_executor) {
                return None;
            }
        }
        let architecture = self.shim.architecture;
        let pc = architecture.code_address(self.stack.word(self.shim.return_address(boundary)?)?);
        if !(self.known.is_interpreter)(pc) {
            return None;
        }
        let cfa = self.shim.cfa(boundary);
        let mut caller = Context::at(architecture, pc);
        for (register, at) in self.shim.saved(boundary) {
            let value = match at {
                At::Memory(address) => self.stack.word(address),
                At::Register => self.before_uop(register, boundary),
                At::Nowhere => None,
            };
            caller.set(register, value);
        }
        caller.set_sp(cfa);
        Some(JitCaller {
            context: caller,
            cfa,
        })
    }

    /// What a register held at the start of the uop.
    fn before_uop(&self, register: Register, boundary: Address) -> Option<u64> {
        match self.state?.place(register) {
            Place::Unchanged => self.context.get(register),
            Place::Saved(at) => self.stack.word(boundary.wrapping_add(at.cast_unsigned())),
            Place::Lost => None,
        }
    }
}

/// Looks for the end of the frame where the uop's own depth is not known.
fn scan(
    shim: &Shim,
    context: &Context,
    known: Known<'_>,
    stack: &Stack,
    sp: Address,
) -> Option<JitCaller> {
    if let Link::Register(_) = shim.architecture.platform().link {
        return None;
    }
    (0..MOST_PUSHED).find_map(|word| {
        let boundary = sp.wrapping_add(word * 8);
        let attempt = Attempt {
            shim,
            context,
            known,
            stack,
            state: None,
        };
        let mut caller = attempt.at(boundary)?;
        let fp = shim.architecture.platform().frame_pointer;
        if shim
            .saved(boundary)
            .any(|(one, at)| one == fp && at == At::Register)
        {
            // Uops that need it for themselves push it first.
            let pushed = Address(boundary.0.wrapping_sub(8));
            let candidates = [context.get(fp), stack.word(pushed).filter(|_| word > 0)];
            let inside = |value: &u64| {
                let offset = value.checked_sub(caller.cfa.0);
                offset.is_some_and(|offset| offset < LARGEST_INTERPRETER_FRAME)
            };
            let found = candidates.into_iter().flatten().find(inside);
            caller.context.set(fp, found);
        }
        Some(caller)
    })
}

/// The shim itself: its own instructions tell what it has saved so far.
fn in_shim(
    shim: &Shim,
    place: JitPlace<'_>,
    context: &Context,
    known: Known<'_>,
    stack: &Stack,
    sp: Address,
) -> Result<JitCaller, String> {
    let unknown = || "the stack at this place of the shim is not known".to_owned();
    let state = place.flow.at(place.offset).ok_or_else(unknown)?;
    let depth = state.depth().and_then(|depth| u64::try_from(depth).ok());
    let entry = sp.wrapping_add(depth.ok_or_else(unknown)?);
    let value = |register: Register| match state.place(register) {
        Place::Unchanged => context.get(register),
        Place::Saved(at) => stack.word(entry.wrapping_add(at.cast_unsigned())),
        Place::Lost => None,
    };
    let platform = shim.architecture.platform();
    let (pc, cfa) = match platform.link {
        Link::Pushed(size) => (stack.word(entry), entry.wrapping_add(size)),
        Link::Register(register) => (value(register), entry),
    };
    let pc = pc
        .map(|pc| shim.architecture.code_address(pc))
        .filter(|pc| (known.is_interpreter)(*pc));
    let mut caller = Context::at(shim.architecture, pc.ok_or_else(unknown)?);
    for register in platform.callee_saved {
        caller.set(*register, value(*register));
    }
    caller.set_sp(cfa);
    Ok(JitCaller {
        context: caller,
        cfa,
    })
}

/// The words of the stack around a frame, in one read.
struct Stack {
    start: Address,
    bytes: Vec<u8>,
}

impl Stack {
    /// What can be read from the stack pointer on; less at the end of the stack.
    fn read(reader: Reader<'_>, sp: Address, shim: &Shim) -> Stack {
        let whole = MOST_PUSHED * 8 + shim.size() + 64;
        let lengths = [whole, whole / 2, shim.size() + 16];
        let found = lengths
            .into_iter()
            .find_map(|length| reader.bytes(sp, length, "stack").ok());
        Stack {
            start: sp,
            bytes: found.unwrap_or_default(),
        }
    }

    fn word(&self, address: Address) -> Option<u64> {
        let offset = usize::try_from(address.offset_from(self.start)?).ok()?;
        let bytes = self.bytes.get(offset..)?.first_chunk::<8>()?;
        Some(u64::from_le_bytes(*bytes))
    }
}
