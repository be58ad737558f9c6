//! What numbers in the code are.

use super::annotate::{Annotator, Here};
use super::fields::name_of_type;
use super::names::own_field;
use super::value::NumberId;
use crate::address::{Address, BytecodeOffset, Range};
use crate::cpython::{KnownType, Objects, describe, proof_of_code};
use crate::listing::Hex;
use crate::listing::note::{Facts, Note, NoteKind};
use crate::map::{Place, RegionKind};
use std::fmt::Write as _;
use std::sync::Arc;

/// Below this, numbers are no pointers: no program has memory there (`vm.mmap_min_addr`).
const LOWEST_POINTER: u64 = 1 << 16;

/// From here on, addresses are the kernel's, on either machine and with any number of page tables.
const HIGHEST_POINTER: u64 = 1 << 56;

/// The bits of a `_PyStackRef` that are no address.
const TAG_BITS: u64 = 3;

/// Local variables of a function at most.
const MOST_LOCALS: u64 = 1 << 16;

/// Most functions have no more; and most names no more bytes with their heads.
const LIKELY_LOCALS: u64 = 8;
const LIKELY_NAME: u64 = 64;

/// Of `_PyRuntime`, the objects that are always there.
const SINGLETONS: &str = "static_objects.singletons";

/// What a number is.
#[derive(Clone, Debug)]
pub struct Constant {
    text: Arc<str>,
    what: Arc<str>,
    is_object: bool,
}

impl Constant {
    pub(super) fn is_object(&self) -> bool {
        self.is_object
    }

    pub(super) fn text(&self) -> Arc<str> {
        self.text.clone()
    }

    pub(super) fn what(&self) -> Arc<str> {
        self.what.clone()
    }

    pub(super) fn note(&self, value: u64) -> Note {
        let facts = Facts::Constant {
            value: Hex(value),
            what: self.what.clone(),
        };
        Note::new(NoteKind::Constant, self.text.clone(), facts)
    }
}

impl Here<'_> {
    /// Whether a function or variable of CPython begins at this address.
    pub(super) fn is_symbol(&self, address: u64) -> bool {
        let found = self.symbols.nearest(Address(address));
        found.is_some_and(|(_, offset)| offset == 0)
    }
}

impl Annotator {
    /// The remark on a number in the code: what it is.
    pub(super) fn of_number(&mut self, here: &Here<'_>, number: NumberId) -> Option<Note> {
        let value = here.value(number)?;
        // What is the same in all instances was no address when the stencil was compiled.
        if value < LOWEST_POINTER || here.terms().fixed(number).is_some() {
            return None;
        }
        let own = self.own_constant(here, value);
        let constant = own.or_else(|| self.constant(here, value));
        constant.map(|constant| constant.note(value))
    }

    /// What a number means for this uop only.
    fn own_constant(&mut self, here: &Here<'_>, value: u64) -> Option<Constant> {
        if let Some((base, structure, offset)) = here.own_structure(value) {
            let (text, what) = match (structure, offset) {
                ("_PyExecutorObject", 0) => ("this executor".to_owned(), "executor"),
                (_, 0) => (format!("&{base}"), "exit"),
                _ => {
                    let field = self.fields.name(here.python, structure, offset, 1)?;
                    (format!("&{}", own_field(&base, &field)), "field")
                }
            };
            return Some(Constant {
                text: text.into(),
                what: what.into(),
                is_object: false,
            });
        }
        here.bytecode(value)
            .map(|text| (text, "bytecode"))
            .or_else(|| here.own_code(value))
            .map(|(text, what)| Constant {
                text: text.into(),
                what: what.into(),
                is_object: false,
            })
    }

    /// What an address is: an object, a function or variable of CPython.
    pub(super) fn constant(&mut self, here: &Here<'_>, value: u64) -> Option<Constant> {
        if !(LOWEST_POINTER..HIGHEST_POINTER).contains(&value) {
            return None;
        }
        if let Some(known) = self.constants.get(&value) {
            return known.clone();
        }
        let found = symbol(here, value)
            .or_else(|| object(here, value))
            .or_else(|| {
                Some(Constant {
                    text: self.fixed_address(here, value)?,
                    what: "symbol".into(),
                    is_object: false,
                })
            });
        self.constants.insert(value, found.clone());
        found
    }

    /// The name of a fixed address: a symbol, and for the variable that holds the whole state a field of it.
    pub(super) fn fixed_address(&mut self, here: &Here<'_>, address: u64) -> Option<Arc<str>> {
        let (symbol, offset) = here.symbols.nearest(Address(address))?;
        if &*symbol == "_PyRuntime"
            && let Some(field) = self.fields.name(here.python, "_PyRuntimeState", offset, 8)
        {
            return Some(format!("_PyRuntime.{field}").into());
        }
        Some(match offset {
            0 => symbol,
            _ => format!("{symbol}+{offset:#x}").into(),
        })
    }

    /// The name of the local variable in a slot of `localsplus` of the code object that the uop runs in.
    pub(super) fn name_of_local(&mut self, here: &Here<'_>, index: u64) -> Option<Arc<str>> {
        let code = here.code?;
        let names = self
            .locals
            .entry(code)
            .or_insert_with(|| lasting_locals(here, code).unwrap_or_default());
        names.get(usize::try_from(index).ok()?).cloned()
    }
}

/// The names of the local variables of a code object, which it never changes.
fn lasting_locals(here: &Here<'_>, code: Address) -> Option<Arc<[Arc<str>]>> {
    let proof = || proof_of_code(here.python, here.reader, code);
    here.reader.lasting(code, proof, || locals(here, code))
}

/// `co_localsplusnames`.
fn locals(here: &Here<'_>, code: Address) -> Option<Arc<[Arc<str>]>> {
    let layouts = &here.python.layouts;
    let shape = layouts.find("PyCodeObject")?;
    let at = code.wrapping_add(shape.find("co_localsplusnames")?.offset);
    let tuple = here.reader.pointer(at, "names of local variables").ok()?;
    let items = layouts.find("PyTupleObject")?.find("ob_item")?.offset;
    // The head and the first names in one go.
    here.reader
        .prefetch(&[Range::new(tuple, items.saturating_add(LIKELY_LOCALS * 8))]);
    let sized = layouts.find("PyVarObject")?.find("ob_size")?.offset;
    let count = here
        .reader
        .u64(tuple.wrapping_add(sized), "names of local variables");
    let count = count.ok().filter(|count| *count <= MOST_LOCALS)?;
    let names = here
        .reader
        .pointers(tuple.wrapping_add(items), count, "names of local variables")
        .ok()?;
    let objects = Objects::new(here.python, here.reader);
    let texts: Vec<Range> = (names.iter())
        .map(|name| Range::new(*name, LIKELY_NAME))
        .collect();
    here.reader.prefetch(&texts);
    names
        .into_iter()
        .map(|name| objects.text(name).ok().map(Arc::from))
        .collect()
}

/// A function or variable of CPython that begins here: its name says enough, and no memory need be read.
fn symbol(here: &Here<'_>, value: u64) -> Option<Constant> {
    // Functions need not be aligned; tagged are references to objects only.
    let exact = |address| {
        let found = here.symbols.nearest(Address(address));
        found.filter(|(_, offset)| *offset == 0)
    };
    let tagged = || (value & TAG_BITS == 1).then(|| exact(value & !TAG_BITS))?;
    let plain = exact(value);
    let is_tagged = plain.is_none();
    let (symbol, _) = plain.or_else(tagged)?;
    let singleton = match &*symbol {
        "_Py_NoneStruct" => Some(("None", "NoneType")),
        "_Py_TrueStruct" => Some(("True", "bool")),
        "_Py_FalseStruct" => Some(("False", "bool")),
        _ => None,
    };
    Some(match singleton {
        Some((text, what)) => Constant {
            text: text.into(),
            what: what.into(),
            is_object: true,
        },
        None => Constant {
            is_object: symbol.ends_with("_Type"),
            text: match is_tagged {
                true => format!("{symbol} (borrowed)").into(),
                false => symbol,
            },
            what: "symbol".into(),
        },
    })
}

fn object(here: &Here<'_>, value: u64) -> Option<Constant> {
    let address = Address(value & !TAG_BITS);
    if value & TAG_BITS > 1 {
        return None;
    }
    // Of CPython's own variables, only that of its whole state has objects inside.
    let around = here.symbols.nearest(address);
    if around
        .as_ref()
        .is_some_and(|(symbol, offset)| *offset != 0 && &**symbol != "_PyRuntime")
    {
        return None;
    }
    let known_type = |kind| match here.symbols.nearest(kind) {
        Some((symbol, 0)) => {
            Some(name_of_type(&symbol).map_or(KnownType::Static, KnownType::Named))
        }
        _ => None,
    };
    let proof = || {
        let (symbol, offset) = around?;
        (&*symbol == "_PyRuntime" && is_singleton(here, offset)).then(Vec::new)
    };
    let read = || describe(here.python, here.reader, address, &known_type);
    let found = here.reader.lasting(address, proof, read)?;
    let text = match &found.value {
        None if found.kind == "NoneType" => "None".to_owned(),
        None => match here.symbols.nearest(address) {
            Some((symbol, 0)) => format!("{} {symbol}", found.kind),
            _ => format!("a {}", found.kind),
        },
        Some(value) => match found.kind.as_str() {
            "str" | "int" | "float" | "bool" => value.clone(),
            kind => format!("{kind} {value}"),
        },
    };
    Some(Constant {
        text: text.into(),
        what: found.kind.into(),
        is_object: true,
    })
}

/// Whether the object there in `_PyRuntime` is one of CPython's own numbers and strings: they stay what they are.
fn is_singleton(here: &Here<'_>, offset: u64) -> bool {
    let runtime = here.python.layouts.find("_PyRuntimeState");
    let mut fields = runtime.into_iter().flat_map(|shape| &shape.fields);
    fields.any(|field| {
        let inside = offset.checked_sub(field.offset);
        field.name.starts_with(SINGLETONS) && inside.is_some_and(|inside| inside < field.size)
    })
}

impl Here<'_> {
    /// A place in the executor's allocation.
    fn own_code(&self, value: u64) -> Option<(String, &'static str)> {
        let address = Address(value);
        if !self.mapped.contains(address) {
            return None;
        }
        Some(match self.mapped.locate(address)? {
            Place::Uop(index, offset) => {
                let uop = self.mapped.executor.uops.get(index.0 as usize)?;
                let name = &self.python.uops.kind(uop.opcode)?.name;
                let offset = if offset == 0 {
                    String::new()
                } else {
                    format!("+{offset}")
                };
                (format!("&uop {index} {name}{offset}"), "uop")
            }
            Place::Data(_, offset) => (format!("&data+{offset}"), "data"),
            Place::Region(RegionKind::Got, offset) => (format!("&got[{}]", offset / 8), "data"),
            Place::Region(kind, offset) => (format!("&{}+{offset}", kind.word()), "data"),
        })
    }

    /// The bytecode instruction at an address, in the code objects that the trace runs in.
    fn bytecode(&self, value: u64) -> Option<String> {
        let code = self.own.code_around(value)?;
        let offset = value.checked_sub(code.bytecode.0)?;
        let offset = BytecodeOffset(u32::try_from(offset).ok()?);
        let mut text = format!("bytecode {offset}");
        if let Some(name) = code
            .instruction(offset)
            .and_then(|instruction| instruction.name.as_deref())
        {
            text.push(' ');
            text.push_str(name);
        }
        if let Some(line) = code.line(offset) {
            let _ = write!(text, " (line {line})");
        }
        Some(text)
    }
}
