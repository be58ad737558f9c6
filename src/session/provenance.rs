//! What listings tell of the emitters that wrote the code: which bytes come from which operand, and which were changed.

use super::Session;
use super::emitters::Rebuilder;
use crate::address::{Range, UopIndex};
use crate::cpython::Uop;
use crate::listing::{Finding, different_bytes};
use crate::map::MappedExecutor;
use crate::restitch::{Part, Rebuilt, StencilForm, StencilHole};
use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Forms that are kept of one stencil: real ones have two or three (short and long jumps, relaxed loads).
const MOST_FORMS: usize = 8;

/// The holes of the stencils that were seen, by opcode. They stay the same as long as the file is loaded.
pub(super) type Forms = HashMap<u16, Vec<StencilForm>>;

/// The holes in the code of a uop.
type Holes = Option<Arc<[StencilHole]>>;

/// Finds the holes in the code of executors, and runs an emitter only for stencils that it has not seen.
pub(super) struct HoleFinder<'s> {
    session: &'s Session,
    rebuilder: OnceCell<Option<Rebuilder<'s>>>,
    /// Opcodes whose emitters cannot be run; for each executor until the next stop, too.
    failed: HashSet<u16>,
}

/// A uop whose holes are looked for.
struct Sought<'c> {
    index: UopIndex,
    uop: &'c Uop,
    range: Range,
    data: Range,
    code: &'c [u8],
}

impl<'s> HoleFinder<'s> {
    pub(super) fn new(session: &'s Session) -> HoleFinder<'s> {
        HoleFinder {
            session,
            rebuilder: OnceCell::new(),
            failed: HashSet::new(),
        }
    }

    /// The holes of the uops for which `wanted` holds; none where they are not certain.
    pub(super) fn holes(
        &mut self,
        mapped: &MappedExecutor,
        wanted: impl Fn(UopIndex) -> bool,
    ) -> Vec<Holes> {
        let mut holes = vec![None; mapped.executor.uops.len()];
        let Some(code) = self.code(mapped) else {
            return holes;
        };
        let mut unknown = Vec::new();
        for sought in sought(mapped, &code).filter(|sought| wanted(sought.index)) {
            match self.known(&sought) {
                Some(found) => set(&mut holes, sought.index, found),
                None if self.has_failed(mapped, &sought) => {}
                None => unknown.push(sought),
            }
        }
        if !unknown.is_empty()
            && let Some(rebuilt) = self.rebuild(mapped, &unknown)
        {
            for sought in &unknown {
                if let Some(found) = self.learn(mapped, &rebuilt, sought) {
                    set(&mut holes, sought.index, found);
                }
            }
        }
        holes
    }

    /// The same as long as the executor has it, as it is for the listing.
    fn code(&self, mapped: &MappedExecutor) -> Option<Vec<u8>> {
        let executor = &mapped.executor;
        let size = mapped.map.range()?.size.min(executor.jit_size);
        let python = self.session.python().ok()?;
        let reader = self.session.reader();
        let read = || reader.bytes(executor.jit_code, size, "machine code").ok();
        let proof = || executor.proof(python, reader);
        reader.lasting(executor.address, proof, read)
    }

    fn known(&self, sought: &Sought<'_>) -> Option<Arc<[StencilHole]>> {
        let forms = self.session.forms.borrow();
        let mut forms = forms.get(&sought.uop.opcode)?.iter();
        let form = forms.find(|form| form.fits(sought.code))?;
        Some(form.holes().clone())
    }

    fn rebuild(&mut self, mapped: &MappedExecutor, unknown: &[Sought<'_>]) -> Option<Rebuilt> {
        let session = self.session;
        self.rebuilder.get_or_init(|| Rebuilder::new(session).ok());
        let rebuilder = self.rebuilder.get_mut()?.as_mut()?;
        let plan = rebuilder.plan(mapped).ok()?;
        let wanted: BTreeSet<u32> = unknown.iter().map(|sought| sought.index.0).collect();
        let is_wanted = |part| matches!(part, Part::Uop(index) if wanted.contains(&index.0));
        rebuilder.rebuild_some(&plan, mapped, is_wanted).ok()
    }

    fn has_failed(&self, mapped: &MappedExecutor, sought: &Sought<'_>) -> bool {
        let (executor, opcode) = (mapped.executor.address, sought.uop.opcode);
        let at_stop = &self.session.rebuilt.borrow().failed;
        self.failed.contains(&opcode) || at_stop.contains(&(executor, opcode))
    }

    fn learn(&mut self, mapped: &MappedExecutor, rebuilt: &Rebuilt, sought: &Sought<'_>) -> Holes {
        let Some(form) = StencilForm::new(rebuilt, sought.range, sought.data, sought.uop) else {
            let (executor, opcode) = (mapped.executor.address, sought.uop.opcode);
            self.failed.insert(opcode);
            let mut at_stop = self.session.rebuilt.borrow_mut();
            at_stop.failed.insert((executor, opcode));
            return None;
        };
        // What was changed in memory is no instance of it.
        if !form.fits(sought.code) {
            return None;
        }
        let holes = form.holes().clone();
        let mut forms = self.session.forms.borrow_mut();
        let forms = forms.entry(sought.uop.opcode).or_default();
        if forms.len() < MOST_FORMS && !forms.iter().any(|known| known.fits(sought.code)) {
            forms.push(form);
        }
        Some(holes)
    }
}

fn set(holes: &mut [Holes], index: UopIndex, found: Arc<[StencilHole]>) {
    if let Some(slot) = holes.get_mut(index.0 as usize) {
        *slot = Some(found);
    }
}

/// The uops that have code, in one piece.
fn sought<'c>(mapped: &'c MappedExecutor, code: &'c [u8]) -> impl Iterator<Item = Sought<'c>> {
    let ranges = mapped.map.uops.iter().zip(&mapped.executor.uops);
    (0..).zip(ranges).filter_map(|(index, (ranges, uop))| {
        let [range] = ranges.as_slice() else {
            return None;
        };
        let start = range.start.offset_from(mapped.executor.jit_code)?;
        let start = usize::try_from(start).ok()?;
        let end = start.checked_add(usize::try_from(range.size).ok()?)?;
        Some(Sought {
            index: UopIndex(index),
            uop,
            range: *range,
            data: mapped
                .map
                .data
                .get(index as usize)
                .copied()
                .unwrap_or(*range),
            code: code.get(start..end)?,
        })
    })
}

impl Session {
    /// What the comparison of the machine code with what was rebuilt has to say beyond the marks at instructions.
    pub(super) fn verified(
        &self,
        mapped: &MappedExecutor,
        rebuilt: Result<&Rebuilt, &str>,
    ) -> Vec<Finding> {
        let executor = &mapped.executor;
        let what = format_args!("machine code of executor {}", executor.address);
        let compared = rebuilt.map_err(str::to_owned).and_then(|rebuilt| {
            let found = self
                .reader()
                .bytes(executor.jit_code, executor.jit_size, what);
            let found = found.map_err(|error| error.to_string())?;
            Ok(different_bytes(mapped, rebuilt, &found))
        });
        compared.unwrap_or_else(|reason| {
            let text = format!(
                "the machine code could not be compared with what the emitters write: {reason}"
            );
            vec![Finding::warning(text).at(executor.address)]
        })
    }
}
