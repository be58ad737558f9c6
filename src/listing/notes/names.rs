//! Names of things, and the structures that they have.

use super::annotate::{Annotator, Here};
use super::fields::{structure_of_pointee, structure_of_type};
use super::semantics::returns_object;
use super::value::{NumberId, Tag, Thing, ThingId, Value};
use crate::address::Address;
use std::sync::Arc;

/// Pointers that are followed to name a thing; longer paths say nothing to a reader.
const LONGEST_PATH: usize = 4;

impl Annotator {
    /// How a thing is called: `frame`, `stack[-1]`, `tstate->interp`. `None` where that cannot be said.
    pub(super) fn path(&mut self, here: &Here<'_>, thing: ThingId) -> Option<Arc<str>> {
        self.path_within(here, thing, LONGEST_PATH)
    }

    fn path_within(&mut self, here: &Here<'_>, thing: ThingId, left: usize) -> Option<Arc<str>> {
        let left = left.checked_sub(1)?;
        Some(match here.terms().get(thing)? {
            Thing::Executor => "executor".into(),
            Thing::Frame => "frame".into(),
            Thing::ThreadState => "tstate".into(),
            Thing::Stack => "stack_pointer".into(),
            Thing::MachineStack | Thing::Former(_) | Thing::Result(_) => return None,
            Thing::Cached(number) => {
                format!("stack[{}]", i64::from(number) - i64::from(here.cached)).into()
            }
            Thing::Local(offset) => format!("localsplus[{}]", self.local(here, offset)?).into(),
            Thing::Item(offset) => format!("stack[{}]", here.stack_index(offset)?).into(),
            Thing::Global(number) => {
                let address = here.value(number)?;
                match here.own_structure(address) {
                    Some((base, structure, offset)) => {
                        let field = self.fields.name(here.python, structure, offset, 8)?;
                        own_field(&base, &field).into()
                    }
                    None => self.fixed_address(here, address)?,
                }
            }
            Thing::Pointee(of, offset) => {
                let structure = self.structure(here, of, &[])?;
                let offset = here.value(offset)?;
                let field = self.fields.name(here.python, structure, offset, 8)?;
                format!("{}->{field}", self.path_within(here, of, left)?).into()
            }
        })
    }

    /// The index of the slot of `localsplus` so many bytes into the frame.
    pub(super) fn local(&self, here: &Here<'_>, offset: NumberId) -> Option<u64> {
        let behind = here
            .value(offset)?
            .checked_sub(self.convention.localsplus)?;
        behind.is_multiple_of(8).then_some(behind / 8)
    }

    /// The name of the structure of a thing.
    pub(super) fn structure(
        &mut self,
        here: &Here<'_>,
        thing: ThingId,
        types: &[(ThingId, NumberId)],
    ) -> Option<&'static str> {
        let known = types.iter().find(|(typed, _)| *typed == thing);
        if let Some((_, is)) = known
            && let Some(structure) = self.structure_of_type(here, here.value(*is)?)
        {
            return Some(structure);
        }
        match here.terms().get(thing)? {
            Thing::Executor => Some("_PyExecutorObject"),
            Thing::Frame => Some("_PyInterpreterFrame"),
            Thing::ThreadState => Some("PyThreadState"),
            Thing::Stack | Thing::MachineStack => None,
            Thing::Global(address) => {
                let (_, structure, offset) = here.own_structure(here.value(address)?)?;
                let field = self.fields.name(here.python, structure, offset, 8)?;
                structure_of_pointee(structure, &field)
            }
            Thing::Result(call) => self.structure_of_result(here, call),
            Thing::Cached(number) => {
                let index = i64::from(number) - i64::from(here.cached);
                Some(here.structure_of_item(index))
            }
            Thing::Item(offset) => Some(here.structure_of_item(here.stack_index(offset)?)),
            Thing::Local(_) => Some("PyObject"),
            Thing::Former(inner) => self.structure(here, inner, types),
            Thing::Pointee(of, offset) => {
                let structure = self.structure(here, of, types)?;
                let offset = here.value(offset)?;
                let field = self.fields.name(here.python, structure, offset, 8)?;
                structure_of_pointee(structure, &field)
            }
        }
    }

    fn structure_of_type(&mut self, here: &Here<'_>, address: u64) -> Option<&'static str> {
        let symbol = here.symbols.nearest(Address(address))?;
        match symbol.1 {
            0 => structure_of_type(&symbol.0),
            _ => None,
        }
    }

    fn structure_of_result(&mut self, here: &Here<'_>, call: u16) -> Option<&'static str> {
        let target = self.target_of_call(here, usize::from(call))?;
        let (symbol, offset) = here.symbols.nearest(target)?;
        (offset == 0 && returns_object(&symbol)).then_some("PyObject")
    }

    /// What a value is called, for copies and spills.
    pub(super) fn value_name(&mut self, here: &Here<'_>, value: Value) -> Option<Arc<str>> {
        let Value::Pointer(thing, offset, tag) = value else {
            return None;
        };
        let path = self.path(here, thing)?;
        let offset = here.value(offset)?.cast_signed();
        let is_stack = here.terms().get(thing) == Some(Thing::Stack);
        Some(match (offset, tag) {
            (0, Tag::Set) => format!("{path} (borrowed)").into(),
            (0, _) => path,
            (words, _) if is_stack && words % 8 == 0 => {
                format!("{path} {} {}", sign(words), (words / 8).unsigned_abs()).into()
            }
            // An address inside a thing has no name of its own here.
            _ => return None,
        })
    }
}

/// A field of the executor itself or of one of its exits.
pub(super) fn own_field(base: &str, field: &str) -> String {
    match base {
        "executor" => format!("executor->{field}"),
        exit => format!("{exit}.{field}"),
    }
}

fn sign(number: i64) -> char {
    if number < 0 { '-' } else { '+' }
}
