//! Remarks on memory that is read or written, and on functions that are called through it.

use super::annotate::{Annotator, Here};
use super::fact::{Access, Fact, Place};
use super::names::own_field;
use super::value::{NumberId, Thing, ThingId, Value};
use crate::address::Address;
use crate::listing::note::{AccessKind, Facts, Note, NoteKind};

impl Annotator {
    pub(super) fn of_access(&mut self, here: &Here<'_>, access: &Access) -> Option<Note> {
        match access.place {
            Place::Unknown => None,
            Place::At(number) => self.at_fixed(here, access, number),
            Place::In(thing, offset) => self.in_thing(here, access, thing, offset),
        }
    }

    fn in_thing(
        &mut self,
        here: &Here<'_>,
        access: &Access,
        thing: ThingId,
        offset: NumberId,
    ) -> Option<Note> {
        match here.terms().get(thing)? {
            Thing::MachineStack => self.of_spill(here, access, offset),
            Thing::Stack => {
                let index = here.stack_index(offset)?;
                let facts = Facts::Stack {
                    index,
                    size: access.size,
                    access: kind(access),
                };
                Some(Note::new(NoteKind::Stack, format!("stack[{index}]"), facts))
            }
            Thing::Frame if self.convention.is_local(here.value(offset)?) => {
                self.of_local(here, access, offset)
            }
            _ => self.of_field(here, access, thing, offset),
        }
    }

    fn of_spill(&mut self, here: &Here<'_>, access: &Access, offset: NumberId) -> Option<Note> {
        let holds = self.value_name(here, access.value);
        let word = if access.writes { "save" } else { "restore" };
        let text = match &holds {
            Some(name) => format!("{word} {name}"),
            None => "scratch".to_owned(),
        };
        let facts = Facts::Spill {
            offset: here.value(offset)?.cast_signed(),
            holds,
            access: kind(access),
        };
        Some(Note::new(NoteKind::Spill, text, facts))
    }

    fn of_local(&mut self, here: &Here<'_>, access: &Access, offset: NumberId) -> Option<Note> {
        let index = self.local(here, offset)?;
        let local = self.name_of_local(here, index);
        let field = format!("localsplus[{index}]");
        let text = match &local {
            Some(name) => format!("frame->{field} '{name}'"),
            None => format!("frame->{field}"),
        };
        let facts = Facts::Field {
            base: Some("frame".into()),
            structure: "_PyInterpreterFrame".into(),
            field: field.into(),
            local,
            offset: here.value(offset)?,
            size: access.size,
            access: kind(access),
        };
        Some(Note::new(NoteKind::Field, text, facts))
    }

    fn of_field(
        &mut self,
        here: &Here<'_>,
        access: &Access,
        thing: ThingId,
        offset: NumberId,
    ) -> Option<Note> {
        let offset = here.value(offset)?;
        let structure = self.structure(here, thing, &access.types)?;
        let field = self
            .fields
            .name(here.python, structure, offset, access.size)?;
        let base = self.path(here, thing);
        let text = match &base {
            Some(base) => format!("{base}->{field}"),
            None => format!("{structure}.{field}"),
        };
        let facts = Facts::Field {
            base,
            structure: structure.into(),
            field,
            local: None,
            offset,
            size: access.size,
            access: kind(access),
        };
        Some(Note::new(NoteKind::Field, text, facts))
    }

    /// Memory at an address that is written in the code: the executor's own, or a variable of CPython.
    fn at_fixed(&mut self, here: &Here<'_>, access: &Access, number: NumberId) -> Option<Note> {
        let address = here.value(number)?;
        if let Some(note) = self.in_executor(here, access, address) {
            return Some(note);
        }
        if here.mapped.contains(Address(address)) {
            return self.in_allocation(here, access, address);
        }
        if let Some(note) = self.in_constant(here, access, address) {
            return Some(note);
        }
        let name = self.fixed_address(here, address)?;
        let facts = Facts::Constant {
            value: crate::listing::Hex(address),
            what: "memory".into(),
        };
        Some(Note::new(NoteKind::Field, name, facts))
    }

    /// A field of the executor or of one of its exits, where the code names them by their addresses.
    fn in_executor(&mut self, here: &Here<'_>, access: &Access, address: u64) -> Option<Note> {
        let (base, structure, offset) = here.own_structure(address)?;
        let field = self
            .fields
            .name(here.python, structure, offset, access.size)?;
        let text = own_field(&base, &field);
        let facts = Facts::Field {
            base: Some(base.into()),
            structure: structure.into(),
            field,
            local: None,
            offset,
            size: access.size,
            access: kind(access),
        };
        Some(Note::new(NoteKind::Field, text, facts))
    }

    /// The head of an object that the code names by its address.
    fn in_constant(&mut self, here: &Here<'_>, access: &Access, address: u64) -> Option<Note> {
        let head = here.python.layouts.find("PyObject")?;
        let offset = match access.size {
            4 if address.is_multiple_of(8) => 0,
            // A variable that begins here is no second field of an object.
            8 if !here.is_symbol(address) => self.convention.ob_type,
            _ => return None,
        };
        let object = self.constant(here, address.checked_sub(offset)?)?;
        if !object.is_object() || offset >= head.size {
            return None;
        }
        let field = self
            .fields
            .name(here.python, "PyObject", offset, access.size)?;
        let facts = Facts::Field {
            base: Some(object.text()),
            structure: "PyObject".into(),
            field: field.clone(),
            local: None,
            offset,
            size: access.size,
            access: kind(access),
        };
        let text = format!("{}->{field}", object.text());
        Some(Note::new(NoteKind::Field, text, facts))
    }

    /// What a pointer in the executor's GOT or data points at; other data by its place.
    fn in_allocation(&mut self, here: &Here<'_>, access: &Access, address: u64) -> Option<Note> {
        let pointed = match access.size {
            8 => self.pointer_at(here, address),
            _ => None,
        };
        if let Some(pointed) = pointed
            && let Some(constant) = self.constant(here, pointed)
        {
            return Some(constant.note(pointed));
        }
        // Where it is follows from the map alone.
        None
    }

    /// Where a call or jump through a register or memory goes, if that cannot change: the address is written in the
    /// code or in the executor's own data.
    pub(super) fn of_target(&mut self, here: &Here<'_>, value: Value) -> Option<Note> {
        match self.fixed_target(here, value) {
            Some(target) => here.symbols.call(target),
            None => self.of_copy(here, value),
        }
    }

    fn fixed_target(&mut self, here: &Here<'_>, value: Value) -> Option<Address> {
        let target = match value {
            Value::Number(number) => here.value(number)?,
            Value::Pointer(thing, offset, _) if here.value(offset)? == 0 => {
                let Thing::Global(slot) = here.terms().get(thing)? else {
                    return None;
                };
                let slot = here.value(slot)?;
                let is_own = here.mapped.contains(Address(slot));
                is_own.then(|| self.pointer_at(here, slot))??
            }
            _ => return None,
        };
        Some(Address(target))
    }

    /// The function that an instruction calls, if that is certain.
    pub(super) fn target_of_call(&mut self, here: &Here<'_>, index: usize) -> Option<Address> {
        let direct = here.instructions.get(index)?.target();
        if direct.is_some() {
            return direct;
        }
        let analysis = here.analysis()?;
        let mut facts = analysis.facts(index);
        let value = facts.find_map(|fact| match fact {
            Fact::Target(value) => Some(*value),
            _ => None,
        });
        self.fixed_target(here, value?)
    }

    /// The pointer in the executor's own memory.
    pub(super) fn pointer_at(&mut self, here: &Here<'_>, address: u64) -> Option<u64> {
        let executor = &here.mapped.executor;
        let proof = || executor.proof(here.python, here.reader);
        let word = || here.reader.u64(Address(address), "data of an executor");
        let read = || here.reader.lasting(executor.address, proof, word).ok();
        *self.pointers.entry(address).or_insert_with(read)
    }
}

fn kind(access: &Access) -> AccessKind {
    match (access.reads, access.writes) {
        (true, true) => AccessKind::Update,
        (false, true) => AccessKind::Write,
        _ => AccessKind::Read,
    }
}
