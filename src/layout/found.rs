//! Structures and symbols of one CPython, each with the place that it was learned from.

use crate::address::Address;
use crate::error::{Error, Result};
use crate::shape::Shape;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// Where a layout or an address was learned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Provenance {
    /// The DWARF of this file.
    Dwarf(PathBuf),
    /// The symbol table (`.symtab`, `.dynsym`) of this file.
    SymbolTable {
        /// The name of the section.
        table: &'static str,
        /// The file.
        file: PathBuf,
    },
    /// A built-in table, which agrees with what the target says of itself.
    Table {
        /// The version that the table was made from: `3.14.10`.
        version: String,
        /// Whether it was a build with `Py_DEBUG`.
        debug_build: bool,
        /// How many sizes and offsets of the target's `_Py_DebugOffsets` are those of the table.
        agreeing: usize,
    },
    /// This file has it in exactly one place, by what it looks like.
    Scan(PathBuf),
    /// Computed from other facts of the target; the text says which.
    Derived(&'static str),
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Provenance::Dwarf(file) => write!(f, "DWARF of {}", file.display()),
            Provenance::SymbolTable { table, file } => write!(f, "{table} of {}", file.display()),
            Provenance::Table {
                version,
                debug_build,
                agreeing,
            } => write!(
                f,
                "built-in table of {version}{}; {agreeing} numbers of _Py_DebugOffsets agree",
                if *debug_build { " (debug)" } else { "" }
            ),
            Provenance::Scan(file) => write!(f, "scan of {}", file.display()),
            Provenance::Derived(from) => f.write_str(from),
        }
    }
}

/// The structures whose layout is known.
#[derive(Clone, Default, Debug)]
pub struct Layouts {
    shapes: BTreeMap<String, (Shape, Provenance)>,
}

impl Layouts {
    /// Adds a shape unless one of that name is there: the better source comes first.
    pub fn add(&mut self, shape: Shape, provenance: Provenance) {
        self.shapes
            .entry(shape.name.clone())
            .or_insert((shape, provenance));
    }

    /// The shape with this name.
    pub fn find(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name).map(|(shape, _)| shape)
    }

    /// The shape with this name, or an error that names it.
    pub fn shape(&self, name: &str) -> Result<&Shape> {
        self.find(name).ok_or_else(|| Error::NoShape {
            shape: name.to_owned(),
        })
    }

    /// All shapes, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Shape, &Provenance)> {
        self.shapes
            .values()
            .map(|(shape, provenance)| (shape, provenance))
    }
}

/// A symbol at the address that it has in the target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SymbolAddress {
    /// Where it is in the target.
    pub address: Address,
    /// Its size in bytes, 0 where the table does not say.
    pub size: u64,
    /// Where this was learned.
    pub provenance: Provenance,
}

/// The symbols that the library needs.
#[derive(Clone, Default, Debug)]
pub struct Symbols {
    symbols: BTreeMap<String, SymbolAddress>,
}

impl Symbols {
    /// Adds a symbol unless one of that name is there.
    pub fn add(&mut self, name: &str, symbol: SymbolAddress) {
        self.symbols.entry(name.to_owned()).or_insert(symbol);
    }

    /// The symbol with this name.
    pub fn find(&self, name: &str) -> Option<&SymbolAddress> {
        self.symbols.get(name)
    }

    /// The symbol with this name, or an error that names it.
    pub fn symbol(&self, name: &str) -> Result<&SymbolAddress> {
        self.find(name).ok_or_else(|| Error::NoSymbol {
            name: name.to_owned(),
        })
    }

    /// All symbols, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SymbolAddress)> {
        self.symbols
            .iter()
            .map(|(name, symbol)| (name.as_str(), symbol))
    }
}
