//! One CPython: its version, layouts, symbols and tables, all that does not change while it runs.

use super::{OpcodeTable, UopTable};
use crate::address::Address;
use crate::error::{Error, Result};
use crate::layout::{DebugOffsets, Layouts, Provenance, Symbols};
use crate::target::Reader;

/// The structures that are read, by the names that CPython's source uses. The one that the fewest compilation units
/// mention goes first: its unit, `Python/jit.c`, defines nearly all others too.
pub const SHAPES: &[&str] = &[
    "StencilGroup",
    "PyASCIIObject",
    "PyBytesObject",
    "PyCodeObject",
    "PyCompactUnicodeObject",
    "PyFloatObject",
    "PyGC_Head",
    "PyInterpreterState",
    "PyLongObject",
    "PyObject",
    "PyThreadState",
    "PyTupleObject",
    "PyTypeObject",
    "PyVarObject",
    "_PyExecutorArray",
    "_PyExecutorObject",
    "_PyExitData",
    "_PyInterpreterFrame",
    "_PyRuntimeState",
    "_PyUOpInstruction",
];

/// The symbols that are looked up.
pub const SYMBOLS: &[&str] = &[
    "PyCode_Type",
    "_PyOpcode_Caches",
    "_PyOpcode_Deopt",
    "_PyOpcode_OpName",
    "_PyOpcode_uop_name",
    "_PyRuntime",
    "_PyUOpExecutor_Type",
    "__jit_debug_descriptor",
    "_PyJIT_Entry",
    "_Py_NegativeRefcount",
    "shim",
    "stencil_groups",
];

/// What is known of the CPython in a target.
#[derive(Clone, Debug)]
pub struct CPython {
    /// What it says of itself.
    pub offsets: DebugOffsets,
    /// Whether it was built with `Py_DEBUG` (or reference tracing, which comes with it).
    pub debug_build: bool,
    /// Where `_PyRuntime` is.
    pub runtime: Address,
    /// Where fields are.
    pub layouts: Layouts,
    /// Where symbols are.
    pub symbols: Symbols,
    /// Its uops.
    pub uops: UopTable,
    /// Its bytecode instructions.
    pub opcodes: OpcodeTable,
}

impl CPython {
    /// Reads the tables of a CPython whose layouts and symbols are known.
    pub fn read(reader: Reader<'_>, layouts: Layouts, symbols: Symbols) -> Result<CPython> {
        let runtime = symbols.symbol("_PyRuntime")?.address;
        let offsets = DebugOffsets::read(reader, runtime)?;
        without_jit(&symbols, offsets)?;
        let uops = UopTable::read(reader, &layouts, &symbols)?;
        let opcodes = OpcodeTable::read(reader, &symbols, offsets.version_hex, &uops)?;
        Ok(CPython {
            offsets,
            debug_build: is_debug_build(&layouts, &symbols),
            runtime,
            layouts,
            symbols,
            uops,
            opcodes,
        })
    }
}

/// Only builds with `Py_REF_DEBUG` have this function, which they export; or a table of such a build fits.
fn is_debug_build(layouts: &Layouts, symbols: &Symbols) -> bool {
    let of_table = |(_, provenance): (_, &Provenance)| {
        matches!(
            provenance,
            Provenance::Table {
                debug_build: true,
                ..
            }
        )
    };
    symbols.find("_Py_NegativeRefcount").is_some() || layouts.iter().any(of_table)
}

/// An error for a CPython that cannot have JIT code.
fn without_jit(symbols: &Symbols, offsets: DebugOffsets) -> Result<()> {
    let version = offsets.version();
    if offsets.free_threaded {
        return Err(Error::NotFound {
            message: format!(
                "CPython {version} here is a free-threaded build, which creates no executors"
            ),
            hint: None,
        });
    }
    if symbols.find("stencil_groups").is_none() {
        return Err(Error::NotFound {
            message: format!("no stencils of a JIT were found in CPython {version}"),
            hint: Some(
                "either it was built without --enable-experimental-jit, or its debug symbols are missing \
                 (install the -dbg package or set up debuginfod)"
                    .to_owned(),
            ),
        });
    }
    Ok(())
}
