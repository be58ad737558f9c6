//! Runs the emitters of a plan.

use super::machine::{ARGUMENTS, Machine};
use super::plan::{Emission, Plan, SymbolState};
use super::state::state;
use super::{Builtins, Bus, Memory, Part, STATE, Stop, THREAD, Tag, TraceFields, Value, Window};
use crate::address::{Address, Range};

/// Steps of all calls for one executor: twenty times what the longest executors of debug builds take. A damaged trace
/// may be long, and a damaged emitter slow.
const MOST_STEPS: u64 = 64_000_000;

/// Gaps after which nothing more is tried: the executable's code cannot be read, or is not what it should be.
const MOST_GAPS: usize = 256;

/// What runs emitters, and what they see.
pub struct Emitters<'m> {
    /// The interpreter.
    pub machine: &'m mut dyn Machine,
    /// The memory of the target.
    pub memory: &'m Memory<'m>,
    /// What emitters call.
    pub builtins: &'m Builtins,
}

/// An executor's allocation as its emitters write it.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    /// Where it is in the target.
    pub start: Address,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The origins of each.
    pub tags: Vec<Tag>,
    /// What could not be rebuilt.
    pub gaps: Vec<Gap>,
    /// Instructions that were run.
    pub steps: u64,
}

/// Something of which the bytes are not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// Which emitter did not come to its end.
    pub part: Part,
    /// Why, as a sentence.
    pub reason: String,
    /// Where its bytes are.
    pub ranges: Vec<Range>,
}

/// A run of bytes in an instruction that have the same origins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hole {
    /// Bytes from the start of the allocation.
    pub offset: u64,
    /// How many.
    pub length: u64,
    /// Where they come from.
    pub origins: Tag,
}

/// Rebuilds an executor at `executor`, whose trace is at `trace`.
pub fn rebuild(
    emitters: &mut Emitters<'_>,
    plan: &Plan<'_>,
    executor: Address,
    trace: TraceFields,
) -> Rebuilt {
    rebuild_some(emitters, plan, executor, trace, |_| true)
}

/// The same, of these parts only; all other bytes stay zero.
pub fn rebuild_some(
    emitters: &mut Emitters<'_>,
    plan: &Plan<'_>,
    executor: Address,
    trace: TraceFields,
    wanted: impl Fn(Part) -> bool,
) -> Rebuilt {
    let size = usize::try_from(plan.allocation.size).unwrap_or(0);
    let output = Window::new(plan.allocation.start.0, size);
    let mut bus = Bus::new(
        emitters.memory,
        emitters.builtins,
        trace,
        output,
        state(plan),
    );
    let mut gaps = Vec::new();
    let emissions = plan.emissions.iter();
    for emission in emissions.filter(|emission| wanted(emission.part)) {
        let result = match bus.steps() < MOST_STEPS {
            true => call(emitters.machine, &mut bus, emission, executor),
            false => Err(Stop::TooLong.to_string()),
        };
        let Err(reason) = result else {
            continue;
        };
        gaps.push(gap(plan, emission, reason));
        if gaps.len() >= MOST_GAPS {
            gaps.push(all_else(plan, emission));
            break;
        }
    }
    Rebuilt {
        start: plan.allocation.start,
        steps: bus.steps(),
        bytes: bus.output.bytes,
        tags: bus.output.tags,
        gaps,
    }
}

fn call(
    machine: &mut dyn Machine,
    bus: &mut Bus<'_>,
    emission: &Emission<'_>,
    executor: Address,
) -> Result<(), String> {
    if emission.emitter.is_null() {
        return Err("its emitter is not known: no symbol names it".to_owned());
    }
    let arguments: [Value; ARGUMENTS] = [
        Value::new(emission.code.start.0, Tag::CODE),
        Value::new(emission.data.start.0, Tag::DATA),
        Value::new(executor.0, Tag::EXECUTOR),
        Value::body(emission.instruction.0),
        Value::body(STATE),
    ];
    let result = machine.call(bus, emission.emitter, &arguments);
    result.map_err(|stop| match &stop {
        Stop::NoMemory { address, .. } if is_state(*address) => {
            "what it jumps to (jump_target, error_target) is no uop of the trace".to_owned()
        }
        _ => stop.to_string(),
    })
}

/// Whether an address is in reach of the starts of uops: the JIT's state ends with those, and targets have 16 bits.
fn is_state(address: Address) -> bool {
    (STATE..THREAD).contains(&address.0)
}

/// Neither its code nor its data are known, nor the entries of its symbols: others may have written those, but which
/// ones is not looked at.
fn gap(plan: &Plan<'_>, emission: &Emission<'_>, reason: String) -> Gap {
    let mut ranges = vec![emission.code, emission.data];
    let masks = emission.stencil.map(|stencil| {
        let got = stencil.got_mask.as_deref();
        (stencil.trampoline_mask.as_slice(), got.unwrap_or_default())
    });
    if let Some((trampolines, got)) = masks {
        ranges.extend(entries(&plan.trampolines, trampolines));
        let of_got = plan.got.iter().flat_map(|state| entries(state, got));
        ranges.extend(of_got);
    }
    ranges.retain(|range| range.size != 0);
    Gap {
        part: emission.part,
        reason,
        ranges,
    }
}

/// Everything is unknown, since nothing was tried from this emission on.
fn all_else(plan: &Plan<'_>, last: &Emission<'_>) -> Gap {
    Gap {
        part: last.part,
        reason: format!(
            "{MOST_GAPS} emitters did not come to their end, the last ones were not tried"
        ),
        ranges: vec![plan.allocation],
    }
}

/// Where the entries of these symbols are: they lie in the order of the symbols.
fn entries(state: &SymbolState, mask: &[u64]) -> Vec<Range> {
    let mut ranges = Vec::new();
    let mut at = state.memory.start;
    for (all, wanted) in state.mask.iter().zip(mask) {
        for bit in (0..u64::BITS).filter(|bit| (all >> bit) & 1 == 1) {
            if (wanted >> bit) & 1 == 1 {
                ranges.push(Range::new(at, state.entry));
            }
            at = at.wrapping_add(state.entry);
        }
    }
    ranges
}

impl Rebuilt {
    /// The first hole in `length` bytes from `offset` on: in an instruction, for example.
    pub fn hole(&self, offset: u64, length: u64) -> Option<Hole> {
        self.holes(offset, length).next()
    }

    /// The holes in `length` bytes from `offset` on: runs of bytes with the same origins that are not body.
    pub fn holes(&self, offset: u64, length: u64) -> impl Iterator<Item = Hole> {
        let start = usize::try_from(offset).ok();
        let end = usize::try_from(offset.saturating_add(length)).ok();
        let tags = start.zip(end).and_then(|(start, end)| {
            let end = end.min(self.tags.len());
            self.tags.get(start..end)
        });
        let runs = tags.unwrap_or_default().chunk_by(|one, next| one == next);
        let placed = runs.scan(offset, |at, run| {
            let length = u64::try_from(run.len()).unwrap_or(0);
            let hole = Hole {
                offset: *at,
                length,
                origins: run.first().copied().unwrap_or_default(),
            };
            *at = at.saturating_add(length);
            Some(hole)
        });
        placed.filter(|hole| !hole.origins.is_body())
    }

    /// `length` bytes from `offset` on, if all of them could be rebuilt.
    pub fn known(&self, offset: u64, length: u64) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        let end = usize::try_from(offset.checked_add(length)?).ok()?;
        let first = self.start.wrapping_add(offset);
        let within =
            |range: &Range| range.start < first.wrapping_add(length) && first < range.end();
        let mut unknown = self.gaps.iter().flat_map(|gap| &gap.ranges);
        (!unknown.any(within)).then(|| self.bytes.get(start..end))?
    }

    /// Takes these bytes for those of the shim, if it could not be rebuilt and has as many.
    pub fn supply_shim(&mut self, bytes: &[u8]) {
        let gap = self.gaps.iter().position(|gap| gap.part == Part::Shim);
        let fits = |gap: &Gap| {
            gap.ranges
                == [Range::new(
                    self.start,
                    u64::try_from(bytes.len()).unwrap_or(0),
                )]
        };
        let gap = gap.filter(|index| self.gaps.get(*index).is_some_and(fits));
        if let Some(index) = gap
            && let Some(to) = self.bytes.get_mut(..bytes.len())
        {
            to.copy_from_slice(bytes);
            self.gaps.remove(index);
        }
    }

    /// Whether the byte at `address` could not be rebuilt.
    pub fn is_unknown(&self, address: Address) -> bool {
        let mut ranges = self.gaps.iter().flat_map(|gap| &gap.ranges);
        ranges.any(|range| range.contains(address))
    }
}
