//! The remarks of one instance of a stencil.

use super::analysis::Analysis;
use super::constant::Constant;
use super::convention::Convention;
use super::fact::Fact;
use super::fields::Fields;
use super::memo::{Memo, Remarks};
use super::own::Own;
use super::semantics::structure_of_item;
use super::symbols::SymbolNames;
use super::value::{NumberId, Tag, Terms, ThingId, Value};
use crate::address::Address;
use crate::cpython::{CPython, Uop};
use crate::disasm::{Architecture, Instruction, Lifter};
use crate::error::Result;
use crate::listing::note::{Facts, Note, NoteKind};
use crate::map::MappedExecutor;
use crate::target::Reader;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// Analyses that are kept of one kind of uop: code of one stencil differs in nothing but holes, so there is one, and a
/// few more only if the code was tampered with.
const MOST_VARIANTS: usize = 4;

/// Instructions of all analyses that are kept, some hundred bytes each, so that hostile code cannot fill the memory. All
/// stencils of a debug build together have fewer.
const MOST_ANALYSED: usize = 1 << 20;

/// Makes remarks, and remembers what it has found out.
pub struct Annotator {
    pub(super) lifter: Lifter,
    pub(super) convention: Convention,
    /// By opcode.
    analyses: Vec<Vec<Known>>,
    /// Whether the registers are those of the convention: what `_SET_IP` does tells.
    agrees: Option<bool>,
    /// How many instructions were analysed since there were none.
    analysed: usize,
    pub(super) fields: Fields,
    /// What constants are, at this stop.
    pub(super) constants: HashMap<u64, Option<Constant>>,
    /// The names of the local variables of code objects, at this stop.
    pub(super) locals: HashMap<Address, Arc<[Arc<str>]>>,
    /// Pointers that were read from executors, at this stop.
    pub(super) pointers: HashMap<u64, Option<u64>>,
}

/// A stencil that was seen, and what was said of its instances.
struct Known {
    analysis: Analysis,
    memos: Vec<Memo>,
}

/// One uop whose instructions get remarks.
pub struct Here<'h> {
    /// The CPython.
    pub python: &'h CPython,
    /// Its memory.
    pub reader: Reader<'h>,
    /// Its symbols.
    pub symbols: SymbolNames<'h>,
    /// The executor.
    pub own: &'h Own<'h>,
    /// The same.
    pub mapped: &'h MappedExecutor,
    /// The uop.
    pub uop: &'h Uop,
    /// Its base name.
    pub base: &'h str,
    /// How many stack items are in registers where it begins.
    pub cached: u8,
    /// The code object that its frame certainly runs.
    pub code: Option<Address>,
    /// Its instructions.
    pub instructions: &'h [Instruction],
    /// What is known of them.
    analysis: Option<&'h Analysis>,
}

impl<'h> Here<'h> {
    /// A uop that has not been looked at.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        python: &'h CPython,
        reader: Reader<'h>,
        symbols: SymbolNames<'h>,
        own: &'h Own<'h>,
        uop: &'h Uop,
        code: Option<Address>,
        instructions: &'h [Instruction],
    ) -> Option<Here<'h>> {
        let kind = python.uops.kind(uop.opcode)?;
        Some(Here {
            python,
            reader,
            symbols,
            own,
            mapped: own.mapped,
            uop,
            base: &kind.base,
            cached: kind.cached.map_or(0, |(before, _)| before),
            code,
            instructions,
            analysis: None,
        })
    }

    pub(super) fn terms(&self) -> &Terms {
        static NONE: LazyLock<Terms> = LazyLock::new(Terms::default);
        self.analysis.map_or(&*NONE, |analysis| &analysis.terms)
    }

    pub(super) fn analysis(&self) -> Option<&Analysis> {
        self.analysis
    }

    /// The value of a number in this instance.
    pub(super) fn value(&self, number: NumberId) -> Option<u64> {
        self.terms().value(number, self.instructions)
    }

    /// The item of the stack, from its top when the uop began, that is so many bytes from its pointer then.
    pub(super) fn stack_index(&self, offset: NumberId) -> Option<i64> {
        let offset = self.value(offset)?.cast_signed();
        (offset % 8 == 0).then(|| offset / 8 - i64::from(self.cached))
    }

    pub(super) fn structure_of_item(&self, index: i64) -> &'static str {
        structure_of_item(self.base, self.uop.oparg, index)
    }
}

impl Annotator {
    /// An annotator for this CPython; `None` if its calling convention is not known.
    pub fn new(python: &CPython, architecture: Architecture) -> Result<Option<Annotator>> {
        let lifter = Lifter::new(architecture)?;
        Ok(
            Convention::of(python, architecture).map(|convention| Annotator {
                lifter,
                convention,
                analyses: Vec::new(),
                agrees: None,
                analysed: 0,
                fields: Fields::default(),
                constants: HashMap::new(),
                locals: HashMap::new(),
                pointers: HashMap::new(),
            }),
        )
    }

    /// Whether the code was found to keep to the convention; `None` before a `_SET_IP` was seen.
    pub fn agrees(&self) -> Option<bool> {
        self.agrees
    }

    /// Forgets what the target may have changed.
    pub fn invalidate(&mut self) {
        self.constants.clear();
        self.locals.clear();
        self.pointers.clear();
        let known = self.analyses.iter_mut().flatten();
        known
            .flat_map(|known| &mut known.memos)
            .for_each(Memo::forget_memory);
    }

    /// Appends the remarks on each instruction, the best of each first. Returns by how many items the uop changes the
    /// evaluation stack in memory before the next uop, if that is certain.
    pub fn annotate(
        &mut self,
        here: Here<'_>,
        code: &[u8],
        into: &mut Vec<Remarks>,
    ) -> Option<i64> {
        if self.agrees == Some(false) {
            return None;
        }
        let opcode = here.uop.opcode;
        let mut known = self.take(&here, code);
        let Known { analysis, memos } = &mut known;
        let here = Here {
            analysis: Some(analysis),
            ..here
        };
        for (index, memo) in memos.iter_mut().enumerate() {
            let remarks = match memo.find(self, &here) {
                Ok(remarks) => remarks,
                Err(key) => {
                    let remarks = self.remarks(&here, analysis, index);
                    if let Some(key) = key {
                        memo.keep(key, &remarks);
                    }
                    remarks
                }
            };
            into.push(remarks);
        }
        let bytes = analysis.stack().and_then(|offset| here.value(offset));
        if let Some(variants) = self.analyses.get_mut(usize::from(opcode)) {
            if variants.len() >= MOST_VARIANTS {
                variants.remove(0);
            }
            variants.push(known);
        }
        let bytes = bytes?.cast_signed();
        (bytes % 8 == 0).then_some(bytes / 8)
    }

    fn remarks(&mut self, here: &Here<'_>, analysis: &Analysis, index: usize) -> Remarks {
        let mut notes = Vec::new();
        for fact in analysis.facts(index) {
            self.of_fact(here, fact, &mut notes);
        }
        notes.sort_by_key(|note: &Note| rank(note.kind));
        (!notes.is_empty()).then(|| notes.into())
    }

    /// The analysis of this stencil, to be given back.
    fn take(&mut self, here: &Here<'_>, code: &[u8]) -> Known {
        let opcode = usize::from(here.uop.opcode);
        if opcode >= self.analyses.len() {
            self.analyses.resize_with(opcode + 1, Vec::new);
        }
        if let Some(variants) = self.analyses.get_mut(opcode) {
            let mut all = variants.iter();
            if let Some(index) = all.position(|known| known.analysis.fits(here.instructions)) {
                return variants.swap_remove(index);
            }
        }
        self.analysed = self.analysed.saturating_add(here.instructions.len());
        if self.analysed > MOST_ANALYSED {
            self.analyses.iter_mut().for_each(Vec::clear);
            self.analysed = here.instructions.len();
        }
        let operations = self.lifter.lift(here.instructions, code);
        let analysis = Analysis::new(
            &self.convention,
            here.instructions,
            &operations,
            here.cached,
        );
        if let ("_SET_IP", Some(field)) = (here.base, self.convention.instr_ptr) {
            self.agrees = Some(analysis.writes_frame(field));
        }
        Known {
            memos: Memo::of(&analysis, &self.convention, here.base),
            analysis,
        }
    }

    fn of_fact(&mut self, here: &Here<'_>, fact: &Fact, notes: &mut Vec<Note>) {
        match fact {
            Fact::Access(access) => notes.extend(self.of_access(here, access)),
            Fact::Number(number) => notes.extend(self.of_number(here, *number)),
            Fact::Copy(value) => notes.extend(self.of_copy(here, *value)),
            Fact::Tagged(thing, tag) => notes.extend(self.of_tag(here, *thing, *tag)),
            Fact::TaggedNumber(number) => notes.extend(self.of_tagged_number(here, *number)),
            Fact::Asked(thing, question) => {
                notes.extend(self.of_question(here, *thing, *question));
            }
            Fact::Inside(thing, offset, added) => {
                notes.extend(self.of_code_unit(here, *thing, *offset, *added));
            }
            Fact::Stack(offset) => notes.extend(of_stack_pointer(here, *offset)),
            Fact::Target(value) => notes.extend(self.of_target(here, *value)),
        }
    }

    pub(super) fn of_copy(&mut self, here: &Here<'_>, value: Value) -> Option<Note> {
        let name = self.value_name(here, value)?;
        let facts = Facts::Register {
            holds: name.clone(),
        };
        Some(Note::new(NoteKind::Register, name, facts))
    }

    fn of_tag(&mut self, here: &Here<'_>, thing: ThingId, tag: Tag) -> Option<Note> {
        let holds = self.path(here, thing)?;
        let text = match tag {
            Tag::Set => format!("{holds} (borrowed)"),
            Tag::None => format!("{holds}{WITHOUT_TAG}"),
            Tag::Maybe => return None,
        };
        Some(Note::new(
            NoteKind::Register,
            text,
            Facts::Register { holds },
        ))
    }
}

/// What is said of a reference whose tag bit was cleared.
pub const WITHOUT_TAG: &str = " without tag";

fn of_stack_pointer(here: &Here<'_>, offset: NumberId) -> Option<Note> {
    let offset = here.value(offset)?.cast_signed();
    if offset % 8 != 0 {
        return None;
    }
    let words = offset / 8;
    let text = match words {
        0 => "stack_pointer".to_owned(),
        1.. => format!("stack_pointer + {words}"),
        _ => format!("stack_pointer - {}", words.unsigned_abs()),
    };
    Some(Note::new(
        NoteKind::Register,
        text,
        Facts::StackPointer { words },
    ))
}

/// What is worth most to a reader comes first.
fn rank(kind: NoteKind) -> u8 {
    match kind {
        NoteKind::Differs | NoteKind::Branch | NoteKind::Call => 0,
        NoteKind::Field | NoteKind::Stack => 1,
        NoteKind::Constant => 2,
        NoteKind::Hole => 3,
        NoteKind::Spill | NoteKind::Register | NoteKind::Data => 4,
    }
}
