//! The lists of the garbage collector: all that leads to executors which nothing else knows.
//!
//! 3.14 leaks a reference to each executor, so that those which became invalid stay, mapped, in no other list. Both the
//! generations of `Include/internal/pycore_interp_structs.h` and the young and old lists of incremental collectors are
//! rings of `PyGC_Head`s that begin and end in the interpreter's state.

use super::{CPython, Objects};
use crate::address::{Address, Range};
use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::target::Reader;
use std::collections::{BTreeSet, HashMap, HashSet};

/// More objects than are looked at: two million (a heap of 350 MB) take GDB a second and 1,400 requests.
const MOST_OBJECTS: u64 = 4 << 20;

/// More lists than a collector has (two to four).
const MOST_LISTS: u64 = 16;

/// What is fetched around an object: neighbours in a list were mostly allocated one after the other.
const BLOCK: u64 = 256 << 10;

/// After so many blocks (64 MiB) the cache behind the reader has begun anew, and they are to be fetched again.
const MOST_BLOCKS: usize = 256;

/// Blocks that are fetched at all (2 GiB): a list that leads back and forth through more memory than the cache holds
/// would fetch the same again and again.
const MOST_FETCHES: u64 = 8192;

/// Flags in the lowest bits of `_gc_next` and `_gc_prev` (`Include/internal/pycore_gc.h`).
const FLAGS: u64 = 3;

/// What the lists of one interpreter hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tracked {
    /// The executors, by address: the order of the lists changes with each collection.
    pub executors: BTreeSet<Address>,
    /// How many objects were looked at.
    pub objects: u64,
    /// What is missing, and why.
    pub findings: Vec<String>,
}

impl Tracked {
    /// Looks through all objects that the collector of the interpreter at `interpreter` tracks.
    ///
    /// # Errors
    /// If the layouts do not tell where its lists are.
    pub fn read(
        python: &CPython,
        reader: Reader<'_>,
        interpreter: Address,
        limit: Option<u64>,
    ) -> Result<Tracked> {
        let state = python.layouts.shape("PyInterpreterState")?;
        let head = python.layouts.shape("PyGC_Head")?;
        let heads = heads(state, head.size, interpreter);
        if heads.is_empty() {
            return Err(Error::NoField {
                shape: state.name.clone(),
                field: "gc.generations or gc.young".to_owned(),
            });
        }
        let mut walk = Walk {
            reader,
            types: Types::new(python, reader),
            next: head.field("_gc_next")?.offset,
            object: head.size,
            kind: python.layouts.shape("PyObject")?.field("ob_type")?.offset,
            limit: limit.unwrap_or(MOST_OBJECTS),
            blocks: HashSet::new(),
            fetches: 0,
            found: Tracked::default(),
        };
        if collecting(state, reader, interpreter) {
            walk.found.findings.push(
                "the garbage collector is at work: the objects that it examines are in none of its lists".to_owned(),
            );
        }
        for head in heads {
            walk.follow(head);
        }
        Ok(walk.found)
    }
}

/// Where the lists begin: the members of the collector that are generations, and the arrays of such.
fn heads(state: &Shape, head: u64, interpreter: Address) -> Vec<Address> {
    let mut heads = Vec::new();
    for field in &state.fields {
        let Some(name) = field.name.strip_prefix("gc.") else {
            continue;
        };
        match (name, field.element) {
            ("generations" | "old", Some(element)) if element >= head => {
                let count = (field.size / element).min(MOST_LISTS);
                let offsets = (0..count).map(|index| field.offset + index * element);
                heads.extend(offsets.map(|offset| interpreter.wrapping_add(offset)));
            }
            ("permanent_generation.head" | "young.head", None) => {
                heads.push(interpreter.wrapping_add(field.offset));
            }
            _ => {}
        }
    }
    heads
}

/// Whether the process was stopped in a collection.
fn collecting(state: &Shape, reader: Reader<'_>, interpreter: Address) -> bool {
    let Some(field) = state.find("gc.collecting") else {
        return false;
    };
    let at = interpreter.wrapping_add(field.offset);
    reader
        .bytes(at, field.size, "gc.collecting")
        .is_ok_and(|bytes| bytes.iter().any(|byte| *byte != 0))
}

/// Which types are that of executors.
struct Types<'t> {
    objects: Objects<'t>,
    known: Option<Address>,
    names: HashMap<Address, bool>,
}

impl<'t> Types<'t> {
    fn new(python: &'t CPython, reader: Reader<'t>) -> Types<'t> {
        let known = python.symbols.find("_PyUOpExecutor_Type");
        Types {
            objects: Objects::new(python, reader),
            known: known.map(|symbol| symbol.address),
            names: HashMap::new(),
        }
    }

    /// `at` is an object of this type.
    fn is_executor(&mut self, kind: Address, at: Address) -> bool {
        match self.known {
            Some(known) => kind == known,
            None => *self.names.entry(kind).or_insert_with(|| {
                let name = self.objects.type_name(at);
                name.is_ok_and(|name| name == "uop_executor")
            }),
        }
    }
}

struct Walk<'t> {
    reader: Reader<'t>,
    types: Types<'t>,
    /// Of `_gc_next` in `PyGC_Head`.
    next: u64,
    /// Of the object behind its `PyGC_Head`.
    object: u64,
    /// Of `ob_type` in the object.
    kind: u64,
    limit: u64,
    blocks: HashSet<u64>,
    fetches: u64,
    found: Tracked,
}

impl Walk<'_> {
    /// Follows one list until it is back at its head.
    fn follow(&mut self, head: Address) {
        if let Err(reason) = self.try_follow(head) {
            self.found.findings.push(format!(
                "a list of the garbage collector could not be followed to its end, so invalid executors may be missing: {reason}"
            ));
        }
    }

    fn try_follow(&mut self, head: Address) -> Result<(), String> {
        let text = |error: Error| error.to_string();
        let mut at = self.link(head).map_err(text)?;
        // Brent's way to find a ring that does not lead back to the head: a mark that stays behind.
        let (mut mark, mut steps, mut stride) = (head, 0u64, 1u64);
        while at != head {
            if at == mark || at.is_null() {
                return Err(format!("it runs in a circle, or ends, at {at}"));
            }
            if self.fetches > MOST_FETCHES {
                return Err("it leads through too much memory".to_owned());
            }
            if self.found.objects >= self.limit {
                return Err(format!("it has more than {} objects", self.limit));
            }
            if steps == stride {
                (mark, steps, stride) = (at, 0, stride.saturating_mul(2));
            }
            steps += 1;
            self.found.objects += 1;
            at = self.visit(at).map_err(text)?;
        }
        Ok(())
    }

    /// Looks at one object; gives the next.
    fn visit(&mut self, at: Address) -> Result<Address> {
        self.fetch_around(at);
        let object = at.wrapping_add(self.object);
        let kind = self
            .reader
            .pointer(object.wrapping_add(self.kind), "type of an object")?;
        if self.types.is_executor(kind, object) {
            self.found.executors.insert(object);
        }
        self.link(at)
    }

    fn link(&self, at: Address) -> Result<Address> {
        let link = self
            .reader
            .u64(at.wrapping_add(self.next), "list of the garbage collector")?;
        Ok(Address(link & !FLAGS))
    }

    /// Over a connection, what is fetched in vain costs more than it saves.
    fn fetch_around(&mut self, at: Address) {
        if self.reader.keeps_lasting() {
            return;
        }
        let block = at.0 / BLOCK;
        if self.blocks.contains(&block) {
            return;
        }
        if self.blocks.len() >= MOST_BLOCKS {
            self.blocks.clear();
        }
        self.blocks.insert(block);
        self.fetches += 1;
        self.reader
            .prefetch(&[Range::new(Address(block * BLOCK), BLOCK)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Field;

    fn field(name: &str, offset: u64, size: u64, element: Option<u64>) -> Field {
        Field {
            name: name.to_owned(),
            offset,
            size,
            bits: None,
            element,
            signed: false,
        }
    }

    #[test]
    fn finds_the_lists_of_each_kind_of_collector() {
        let shape = |fields| Shape {
            name: "PyInterpreterState".to_owned(),
            size: 4096,
            fields,
        };
        let generations = shape(vec![
            field("gc.generations", 24, 72, Some(24)),
            field("gc.permanent_generation.head", 96, 16, None),
            field("generations", 200, 72, Some(24)),
        ]);
        let at = |offsets: &[u64]| -> Vec<Address> {
            offsets
                .iter()
                .map(|offset| Address(0x1000 + offset))
                .collect()
        };
        let start = Address(0x1000);
        assert_eq!(heads(&generations, 16, start), at(&[24, 48, 72, 96]));
        let incremental = shape(vec![
            field("gc.young.head", 8, 16, None),
            field("gc.old", 32, 48, Some(24)),
        ]);
        assert_eq!(heads(&incremental, 16, start), at(&[8, 32, 56]));
        let damaged = shape(vec![field("gc.old", 32, 48, Some(0))]);
        assert!(heads(&damaged, 16, start).is_empty());
    }
}
