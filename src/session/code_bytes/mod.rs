//! Holds the machine code of executors against what their stencils and operands give.

mod cause;
mod row;
mod shim;

pub(super) use row::{failure, row};

use super::Session;
use super::emitters::Rebuilder;
use crate::address::{Address, Range, UopIndex};
use crate::cpython::CPython;
use crate::disasm::Disassembler;
use crate::listing::{
    Against, ByteDifference, Cause, CodeBytes, GapRow, RangeRow, SymbolNames, Verdict,
};
use crate::map::check::{NoCopy, RegisteredCopy};
use crate::map::{MappedExecutor, Place, RegionKind};
use crate::restitch::{Comparison, Difference, Gap, Part, Plan, Rebuilt, Tag, compare};
use std::cell::OnceCell;
use std::fmt::Write;
use std::sync::Arc;

/// Gaps that are told: the first say what is wrong, the rest repeat it.
const MOST_GAPS: usize = 8;

/// Instructions that all executors of one command may take: some seconds, and more than any process needs by far. A
/// damaged target may have any number of executors.
const MOST_STEPS: u64 = 1 << 30;

/// An executor as it is in memory.
struct InMemory<'t> {
    mapped: &'t MappedExecutor,
    /// All bytes of its allocation.
    bytes: &'t [u8],
    /// What was registered for debuggers.
    copy: &'t Result<RegisteredCopy, NoCopy>,
}

/// Compares executors of one stop.
pub(super) struct BytesCheck<'s> {
    python: &'s CPython,
    names: SymbolNames<'s>,
    against: Against,
    /// Not made before an executor needs it; or why it cannot be.
    rebuilder: Option<Result<Rebuilder<'s>, String>>,
    session: &'s Session,
    /// What other executors have, looked up when one needs it.
    shim: OnceCell<Option<Vec<u8>>>,
    steps: u64,
}

impl<'s> BytesCheck<'s> {
    pub(super) fn new(session: &'s Session, against: Against) -> crate::error::Result<Self> {
        let python = session.python()?;
        Ok(BytesCheck {
            python,
            names: session.program()?.symbol_names(python),
            against,
            rebuilder: None,
            session,
            shim: OnceCell::new(),
            steps: 0,
        })
    }

    /// Whether machine code is all that is to be checked.
    pub(super) fn is_quick(&self) -> bool {
        self.against == Against::Copy
    }

    /// Compares all bytes of an executor, given those of its allocation or why they cannot be read, and what was
    /// registered for debuggers.
    pub(super) fn check(
        &mut self,
        bytes: Result<&[u8], &str>,
        mapped: &MappedExecutor,
        copy: &Result<RegisteredCopy, NoCopy>,
        disassembler: &mut Disassembler,
    ) -> CodeBytes {
        let memory = bytes.map(|bytes| InMemory {
            mapped,
            bytes,
            copy,
        });
        let memory = memory.map_err(ToOwned::to_owned);
        let checked = memory.and_then(|memory| match self.against {
            Against::Emitters => self.against_emitters(&memory, disassembler),
            Against::Copy => self.against_copy(&memory, disassembler),
        });
        checked.unwrap_or_else(|reason| CodeBytes::not_checkable(self.against, reason))
    }

    fn against_emitters(
        &mut self,
        memory: &InMemory<'_>,
        disassembler: &mut Disassembler,
    ) -> Result<CodeBytes, String> {
        let (plan, rebuilt) = self.rebuild(memory.mapped)?;
        let comparison = compare(&rebuilt, memory.bytes, &plan, memory.mapped);
        let difference = comparison.difference.as_ref().map(|found| {
            match cause::is_breakpoint(found, memory, &rebuilt.bytes, disassembler) {
                true => self.row(found, memory.mapped, cause::breakpoint()),
                false => self.row(found, memory.mapped, cause::cause(found, memory, &rebuilt)),
            }
        });
        Ok(CodeBytes {
            gaps: self.gaps(memory.mapped, &rebuilt),
            difference,
            ..outcome(Against::Emitters, &comparison)
        })
    }

    fn against_copy(
        &self,
        memory: &InMemory<'_>,
        disassembler: &mut Disassembler,
    ) -> Result<CodeBytes, String> {
        let copy = match memory.copy {
            Ok(copy) => copy,
            Err(NoCopy::NotKnown(reason) | NoCopy::Missing(reason)) => return Err(reason.clone()),
        };
        let start = memory.mapped.executor.jit_code;
        if copy.address != start {
            return Err(format!(
                "the registered copy is of code at {}",
                copy.address
            ));
        }
        let comparison = compare_copy(copy, memory);
        let difference = comparison.difference.as_ref().map(|found| {
            match cause::is_breakpoint(found, memory, &copy.text, disassembler) {
                true => self.row(found, memory.mapped, cause::breakpoint()),
                false => self.row(found, memory.mapped, cause::overwritten()),
            }
        });
        Ok(CodeBytes {
            difference,
            ..outcome(Against::Copy, &comparison)
        })
    }

    fn rebuild(&mut self, mapped: &MappedExecutor) -> Result<(Plan<'s>, Rebuilt), String> {
        if self.steps > MOST_STEPS {
            return Err("the emitters of all executors take too long".to_owned());
        }
        let session = self.session;
        let rebuilder = self
            .rebuilder
            .get_or_insert_with(|| Rebuilder::new(session));
        let rebuilder = rebuilder.as_mut().map_err(|reason| reason.clone())?;
        let plan = rebuilder.plan(mapped)?;
        let mut rebuilt = rebuilder.rebuild(&plan, mapped)?;
        if rebuilt.gaps.iter().any(|gap| gap.part == Part::Shim)
            && let Some(shim) = self.shim.get_or_init(|| shim::common_shim(session))
        {
            rebuilt.supply_shim(shim);
        }
        self.steps = self.steps.saturating_add(rebuilt.steps);
        Ok((plan, rebuilt))
    }

    fn gaps(&self, mapped: &MappedExecutor, rebuilt: &Rebuilt) -> Vec<GapRow> {
        let gaps = rebuilt.gaps.iter().take(MOST_GAPS);
        let row = |gap: &Gap| GapRow {
            uop: uop(gap.part),
            name: self.name(mapped, gap.part),
            reason: gap.reason.clone(),
        };
        gaps.map(row).collect()
    }

    fn name(&self, mapped: &MappedExecutor, part: Part) -> Option<Arc<str>> {
        let index = match part {
            Part::Shim => return Some("shim".into()),
            Part::Guard => return Some("guard".into()),
            Part::Uop(index) => index,
        };
        let uop = mapped.executor.uops.get(index.0 as usize)?;
        Some(self.python.uops.kind(uop.opcode)?.name.clone())
    }

    fn row(
        &self,
        found: &Difference,
        mapped: &MappedExecutor,
        (cause, explanation): (Cause, String),
    ) -> ByteDifference {
        let (region, offset) = match found.place {
            Some(Place::Uop(_, offset)) => (RegionKind::Uops, offset),
            Some(Place::Data(_, offset)) => (RegionKind::Data, offset),
            Some(Place::Region(kind, offset)) => (kind, offset),
            None => (RegionKind::Unknown, 0),
        };
        ByteDifference {
            count: found.count,
            address: found.address,
            range: RangeRow {
                address: found.range.start,
                size: found.range.size,
            },
            region: region.word(),
            uop: found.part.and_then(uop),
            name: found.part.and_then(|part| self.name(mapped, part)),
            offset,
            hole: found.origins.words().collect(),
            expected: hex(&found.expected),
            found: hex(&found.found),
            expected_symbol: self.symbol(found, &found.expected),
            found_symbol: self.symbol(found, &found.found),
            cause,
            explanation,
        }
    }

    /// What a pointer in GOT or data points to.
    fn symbol(&self, found: &Difference, bytes: &[u8]) -> Option<String> {
        let holds_pointers = matches!(
            found.place,
            Some(Place::Data(..) | Place::Region(RegionKind::Got | RegionKind::Data, _))
        );
        let word = bytes.first_chunk::<8>().filter(|_| holds_pointers)?;
        let (name, offset) = self.names.nearest(Address(u64::from_le_bytes(*word)))?;
        Some(match offset {
            0 => name.to_string(),
            _ => format!("{name}+{offset}"),
        })
    }
}

fn uop(part: Part) -> Option<UopIndex> {
    match part {
        Part::Uop(index) => Some(index),
        Part::Shim | Part::Guard => None,
    }
}

fn outcome(against: Against, comparison: &Comparison) -> CodeBytes {
    let verdict = match (&comparison.difference, comparison.unknown) {
        (Some(_), _) => Verdict::Differs,
        (None, 0) => Verdict::Identical,
        (None, _) => Verdict::NotCheckable,
    };
    CodeBytes {
        verdict,
        against,
        compared: comparison.compared,
        unknown: comparison.unknown,
        reason: None,
        gaps: Vec::new(),
        difference: None,
    }
}

/// The copy has code and trampolines, so only those are compared.
fn compare_copy(copy: &RegisteredCopy, memory: &InMemory<'_>) -> Comparison {
    let start = memory.mapped.executor.jit_code;
    let pairs = (0u64..).zip(copy.text.iter().zip(memory.bytes));
    let mut wrong = pairs.filter(|(_, (copy, live))| copy != live);
    let first = wrong.next();
    let others = wrong.count() as u64;
    Comparison {
        compared: copy.text.len().min(memory.bytes.len()) as u64,
        unknown: 0,
        difference: first.map(|(offset, (expected, found))| {
            let address = start.wrapping_add(offset);
            let place = memory.mapped.locate(address);
            Difference {
                count: others.saturating_add(1),
                address,
                range: Range::new(address, 1),
                part: match place {
                    Some(Place::Uop(index, _)) => Some(Part::Uop(index)),
                    _ => None,
                },
                place,
                origins: Tag::BODY,
                expected: vec![*expected],
                found: vec![*found],
            }
        }),
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
