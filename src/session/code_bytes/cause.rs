//! What a difference may come from.

use super::InMemory;
use crate::address::Address;
use crate::disasm::{Disassembler, Instruction};
use crate::listing::Cause;
use crate::map::{Place, RegionKind};
use crate::restitch::{Difference, Rebuilt, Tag};

/// A stray write changes a word or two; another opcode changes nearly all bytes of a uop.
const FEW: u64 = 16;

const BREAKPOINT: &str = "a breakpoint instruction stands at the start of an instruction: a debugger's, or what is left of one \
    (debuggers hide their own from themselves; /proc and cores of the kernel show them)";

const OVERWRITTEN: &str = "the copy that CPython registered for debuggers has what is expected: the code was overwritten after it \
    was compiled";

/// Whether a breakpoint stands at the start of the instruction that differs first.
pub(super) fn is_breakpoint(
    found: &Difference,
    memory: &InMemory<'_>,
    expected: &[u8],
    disassembler: &mut Disassembler,
) -> bool {
    use RegionKind::{Guard, Shim};
    let within = match found.place {
        Some(Place::Uop(_, within) | Place::Region(Shim | Guard, within)) => within,
        _ => return false,
    };
    let start = memory.mapped.executor.jit_code;
    let offset = |address: Address| usize::try_from(address.offset_from(start)?).ok();
    let uop = Address(found.address.0.wrapping_sub(within));
    let code = offset(uop).and_then(|from| expected.get(from..));
    let code = code.unwrap_or_default();
    let longest = usize::try_from(within).unwrap_or(0).saturating_add(16);
    let mut instructions = Vec::new();
    let code = code.get(..longest.min(code.len())).unwrap_or_default();
    disassembler.decode(None, uop, code, &mut instructions);
    let mut before = instructions.iter().map(Instruction::address);
    let here = before.rfind(|address| *address <= found.address);
    let there = here.and_then(offset).and_then(|at| memory.bytes.get(at..));
    let breakpoint = disassembler.architecture().platform().breakpoint;
    there.is_some_and(|there| there.starts_with(breakpoint))
}

/// What is said of one.
pub(super) fn breakpoint() -> (Cause, String) {
    (Cause::Breakpoint, BREAKPOINT.to_owned())
}

/// What is said of code that is not what was registered.
pub(super) fn overwritten() -> (Cause, String) {
    (Cause::Overwritten, OVERWRITTEN.to_owned())
}

/// What a difference may come from.
pub(super) fn cause(
    found: &Difference,
    memory: &InMemory<'_>,
    rebuilt: &Rebuilt,
) -> (Cause, String) {
    match Witness::of(found, memory, rebuilt) {
        Some(Witness::Trace) => overwritten(),
        Some(Witness::Code) => (
            Cause::Trace,
            format!(
                "the copy that CPython registered for debuggers has what is there: the code is as it was compiled, and {} has changed since",
                in_trace(found)
            ),
        ),
        None => without_witness(found, memory, rebuilt),
    }
}

/// Which side the copy that was registered for debuggers is on.
enum Witness {
    Trace,
    Code,
}

impl Witness {
    fn of(found: &Difference, memory: &InMemory<'_>, rebuilt: &Rebuilt) -> Option<Witness> {
        let copy = memory.copy.as_ref().ok()?;
        let at = usize::try_from(found.address.offset_from(copy.address)?).ok()?;
        let copied = copy.text.get(at)?;
        if memory.bytes.get(at) == Some(copied) {
            return Some(Witness::Code);
        }
        (rebuilt.bytes.get(at) == Some(copied)).then_some(Witness::Trace)
    }
}

/// What of the trace a byte depends on.
fn in_trace(found: &Difference) -> String {
    let mut fields = found.origins.only(Tag::OF_TRACE).words();
    match (fields.next(), found.place) {
        (Some(field), Some(Place::Uop(index, _) | Place::Data(index, _))) => {
            format!("{field} of uop {index}")
        }
        (_, Some(Place::Uop(index, _) | Place::Data(index, _))) => {
            format!("the opcode of uop {index}, or of one before it,")
        }
        _ => "the trace".to_owned(),
    }
}

fn without_witness(
    found: &Difference,
    memory: &InMemory<'_>,
    rebuilt: &Rebuilt,
) -> (Cause, String) {
    let text = |cause: Cause, text: &str| (cause, text.to_owned());
    let field = found.origins.only(Tag::OF_TRACE).words().next();
    if rebuilt.bytes.len() != memory.bytes.len() {
        return text(
            Cause::Trace,
            "the trace asks for more code than was mapped: opcodes in it have changed",
        );
    }
    if let Some(field) = field {
        let what = format!(
            "the code has one {field}, the trace another: one of them was changed after the code was compiled"
        );
        return (Cause::Either, what);
    }
    match found.place {
        Some(Place::Region(RegionKind::Padding, _)) => text(
            Cause::Overwritten,
            "nothing is emitted there, so that it should be zero: something wrote to it",
        ),
        Some(Place::Region(RegionKind::Got | RegionKind::Trampolines, _)) if found.count <= FEW => {
            text(
                Cause::Overwritten,
                "it is the same whatever the trace says: something wrote to it",
            )
        }
        _ if found.count <= FEW => text(
            Cause::Overwritten,
            "no operand is in these bytes, which are the same wherever this is compiled: something wrote to them",
        ),
        _ => (
            Cause::Either,
            format!(
                "many bytes differ: the code was overwritten, or {} has changed since it was compiled",
                in_trace(found)
            ),
        ),
    }
}
