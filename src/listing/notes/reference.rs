//! Remarks on references and addresses that are made or looked at without being followed.

use super::annotate::{Annotator, Here};
use super::fact::Question;
use super::value::{NumberId, ThingId};
use crate::listing::Hex;
use crate::listing::note::{Facts, Note, NoteKind};

/// `Py_TAG_REFCNT`: the reference does not own its object.
const BORROWED: u64 = 1;

/// `sizeof(_Py_CODEUNIT)`.
const CODE_UNIT: u64 = 2;

impl Annotator {
    /// `or rdi, 1` on the address of an object that stands in the code.
    pub(super) fn of_tagged_number(&mut self, here: &Here<'_>, number: NumberId) -> Option<Note> {
        let value = here.value(number)?;
        let constant = self
            .constant(here, value)
            .filter(|constant| constant.is_object())?;
        let text = format!("{} (borrowed)", constant.text());
        let facts = Facts::Constant {
            value: Hex(value | BORROWED),
            what: constant.what(),
        };
        (value & BORROWED == 0).then(|| Note::new(NoteKind::Constant, text, facts))
    }

    /// `test dil, 1`, `cmp rdi, 1`.
    pub(super) fn of_question(
        &mut self,
        here: &Here<'_>,
        thing: ThingId,
        question: Question,
    ) -> Option<Note> {
        let holds = self.path(here, thing)?;
        let text = match question {
            Question::Borrowed => format!("is {holds} borrowed?"),
            Question::Null => format!("is {holds} NULL?"),
        };
        let facts = Facts::Register { holds };
        Some(Note::new(NoteKind::Register, text, facts))
    }

    /// `add rax, 0xd0`: behind it the address is that of a code unit of a code object.
    pub(super) fn of_code_unit(
        &mut self,
        here: &Here<'_>,
        thing: ThingId,
        offset: NumberId,
        added: NumberId,
    ) -> Option<Note> {
        let shape = here.python.layouts.find("PyCodeObject")?;
        let start = shape.find("co_code_adaptive")?.offset;
        let is_code =
            here.value(added)? == start && self.structure(here, thing, &[]) == Some("PyCodeObject");
        let path = self.path(here, thing).filter(|_| is_code)?;
        let bytes = here.value(offset)?.checked_sub(start)?;
        let unit = bytes
            .is_multiple_of(CODE_UNIT)
            .then_some(bytes / CODE_UNIT)?;
        let facts = Facts::Register {
            holds: format!("&{path}->co_code_adaptive[{unit}]").into(),
        };
        let text = format!("bytecode {bytes} of {path}");
        Some(Note::new(NoteKind::Register, text, facts))
    }
}
