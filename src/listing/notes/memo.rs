//! Remarks that were made before: most are the same for all instances of a stencil.

use super::analysis::Analysis;
use super::annotate::{Annotator, Here};
use super::convention::Convention;
use super::fact::{Fact, Place};
use super::semantics::depends_on_oparg;
use super::value::{NumberId, Terms, Thing, ThingId, Value};
use crate::address::Address;
use crate::listing::note::Note;
use std::sync::Arc;

/// Different answers that are kept of one instruction; a common type or constant comes again soon.
const MOST_KNOWN: usize = 8;

/// Numbers that an instruction's remarks may depend on to be kept.
const MOST_NUMBERS: usize = 2;

/// What the remarks on one instruction depend on besides the stencil.
#[derive(Default, Debug)]
struct Depends {
    /// Numbers that are not the same in all instances.
    numbers: Vec<NumberId>,
    /// Of these, addresses of pointers.
    slots: Vec<NumberId>,
    /// Whether the name of a local variable is told.
    code: bool,
    /// Whether nothing can be kept.
    everything: bool,
    /// Whether the remarks are the same for all instances.
    nothing: bool,
}

/// The numbers, and the code object or `oparg`, of one instance.
type Key = [u64; MOST_NUMBERS + 1];

/// The remarks on an instruction.
pub type Remarks = Option<Arc<[Note]>>;

/// What is kept of one instruction.
#[derive(Debug)]
pub struct Memo {
    depends: Depends,
    known: Vec<(Key, Remarks)>,
    /// Which answer the next new one replaces.
    next: usize,
}

impl Memo {
    /// Memos of all instructions of a stencil.
    pub fn of(analysis: &Analysis, convention: &Convention, base: &str) -> Vec<Memo> {
        (0..analysis.len())
            .map(|index| Memo {
                depends: Depends::of(analysis, convention, base, index),
                known: Vec::new(),
                next: 0,
            })
            .collect()
    }

    /// Forgets all answers that memory of the target had a part in.
    pub fn forget_memory(&mut self) {
        if self.depends.reads_memory() {
            self.known.clear();
            self.next = 0;
        }
    }

    /// The remarks on an instruction, if they are known; else a key to keep them under, if they can be kept.
    pub fn find(&self, annotator: &mut Annotator, here: &Here<'_>) -> Result<Remarks, Option<Key>> {
        if self.depends.nothing
            && let Some((_, remarks)) = self.known.first()
        {
            return Ok(remarks.clone());
        }
        let Some(key) = self.depends.key(annotator, here) else {
            return Err(None);
        };
        match self.known.iter().find(|(known, _)| *known == key) {
            Some((_, remarks)) => Ok(remarks.clone()),
            None => Err(Some(key)),
        }
    }

    /// Keeps the remarks of one instance.
    pub fn keep(&mut self, key: Key, remarks: &Remarks) {
        let new = (key, remarks.clone());
        if let Some(slot) = self.known.get_mut(self.next) {
            *slot = new;
        } else {
            self.known.push(new);
        }
        self.next = (self.next + 1) % MOST_KNOWN;
    }
}

impl Depends {
    fn of(analysis: &Analysis, convention: &Convention, base: &str, index: usize) -> Depends {
        let mut depends = Depends::default();
        let terms = &analysis.terms;
        for fact in analysis.facts(index) {
            depends.add(terms, convention, fact);
        }
        depends.everything =
            depends_on_oparg(base) || depends.numbers.len() + depends.slots.len() > MOST_NUMBERS;
        depends
    }

    /// Numbers may be objects, slots hold pointers, and names are in code objects.
    fn reads_memory(&self) -> bool {
        self.code || !self.numbers.is_empty() || !self.slots.is_empty()
    }

    fn add(&mut self, terms: &Terms, convention: &Convention, fact: &Fact) {
        match fact {
            Fact::Number(number) | Fact::Stack(number) => self.number(terms, *number),
            Fact::Copy(value) | Fact::Target(value) => self.value(terms, *value),
            Fact::Tagged(thing, _) | Fact::Asked(thing, _) => self.thing(terms, *thing),
            Fact::TaggedNumber(number) => self.number(terms, *number),
            Fact::Inside(thing, offset, added) => {
                self.thing(terms, *thing);
                self.number(terms, *offset);
                self.number(terms, *added);
            }
            Fact::Access(access) => {
                match access.place {
                    Place::In(thing, offset) => {
                        self.thing(terms, thing);
                        self.number(terms, offset);
                        self.code |= terms.get(thing) == Some(Thing::Frame)
                            && (terms.fixed(offset)).is_none_or(|at| convention.is_local(at));
                        // Only what is saved is told besides the place.
                        if terms.get(thing) == Some(Thing::MachineStack) {
                            self.value(terms, access.value);
                        }
                    }
                    Place::At(number) => self.slot(terms, number),
                    Place::Unknown => {}
                }
                for (thing, is) in &access.types {
                    self.thing(terms, *thing);
                    self.number(terms, *is);
                }
            }
        }
    }

    fn number(&mut self, terms: &Terms, number: NumberId) {
        if terms.fixed(number).is_none() && !self.numbers.contains(&number) {
            self.numbers.push(number);
        }
    }

    fn slot(&mut self, terms: &Terms, number: NumberId) {
        if terms.fixed(number).is_none() && !self.slots.contains(&number) {
            self.slots.push(number);
        }
    }

    fn value(&mut self, terms: &Terms, value: Value) {
        if let Value::Pointer(thing, offset, _) = value {
            self.thing(terms, thing);
            self.number(terms, offset);
        } else if let Value::Number(number) = value {
            self.number(terms, number);
        }
    }

    fn thing(&mut self, terms: &Terms, thing: ThingId) {
        let mut next = Some(thing);
        while let Some(thing) = next {
            next = None;
            match terms.get(thing) {
                Some(Thing::Local(offset) | Thing::Item(offset)) => self.number(terms, offset),
                Some(Thing::Global(address)) => self.slot(terms, address),
                Some(Thing::Pointee(of, offset)) => {
                    self.number(terms, offset);
                    // Ids of outer things are lower: this ends.
                    next = Some(of);
                }
                Some(Thing::Former(of)) => next = Some(of),
                // It depends on the call before, which is another instruction.
                Some(Thing::Result(_)) => self.everything = true,
                _ => {}
            }
        }
    }

    /// `None` if the remarks must be made anew: they speak of this executor only.
    fn key(&self, annotator: &mut Annotator, here: &Here<'_>) -> Option<Key> {
        if self.everything {
            return None;
        }
        let mut key = Key::default();
        let mut parts = key.iter_mut();
        for number in &self.numbers {
            let value = here.value(*number)?;
            if here.is_own(value) {
                return None;
            }
            *parts.next()? = value;
        }
        for slot in &self.slots {
            let address = here.value(*slot)?;
            let value = match here.mapped.contains(Address(address)) {
                true => annotator.pointer_at(here, address)?,
                false if here.is_own(address) => return None,
                // Not to be taken for what a pointer points at.
                false => address | 1 << 63,
            };
            *parts.next()? = value;
        }
        if self.code {
            *parts.next_back()? = here.code.map_or(0, |code| code.0);
        }
        Some(key)
    }
}
