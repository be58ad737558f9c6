//! Whether a built-in table is right for a target: what `_Py_DebugOffsets` says must agree with it.

use super::Table;
use crate::address::Address;
use crate::error::{Error, Result};
use crate::target::{Reader, Record};

/// A member of `_Py_DebugOffsets` (`Include/internal/pycore_debug_offsets.h`), the structure it is about, and the field
/// whose offset it is; the size of the structure if empty.
type Check = (&'static str, &'static str, &'static str);

/// The members that a table must agree with, where the version has them. Not `runtime_state.size`: new strings of a bug
/// fix release change it, and nothing else.
const CHECKS: &[Check] = &[
    (
        "runtime_state.interpreters_head",
        "_PyRuntimeState",
        "interpreters.head",
    ),
    ("interpreter_state.size", "PyInterpreterState", ""),
    ("interpreter_state.id", "PyInterpreterState", "id"),
    ("interpreter_state.next", "PyInterpreterState", "next"),
    (
        "interpreter_state.threads_head",
        "PyInterpreterState",
        "threads.head",
    ),
    ("interpreter_state.gc", "PyInterpreterState", "gc"),
    ("thread_state.size", "PyThreadState", ""),
    ("thread_state.prev", "PyThreadState", "prev"),
    ("thread_state.next", "PyThreadState", "next"),
    ("thread_state.interp", "PyThreadState", "interp"),
    (
        "thread_state.current_frame",
        "PyThreadState",
        "current_frame",
    ),
    ("thread_state.thread_id", "PyThreadState", "thread_id"),
    (
        "thread_state.native_thread_id",
        "PyThreadState",
        "native_thread_id",
    ),
    ("interpreter_frame.size", "_PyInterpreterFrame", ""),
    (
        "interpreter_frame.previous",
        "_PyInterpreterFrame",
        "previous",
    ),
    (
        "interpreter_frame.executable",
        "_PyInterpreterFrame",
        "f_executable",
    ),
    (
        "interpreter_frame.instr_ptr",
        "_PyInterpreterFrame",
        "instr_ptr",
    ),
    (
        "interpreter_frame.localsplus",
        "_PyInterpreterFrame",
        "localsplus",
    ),
    ("interpreter_frame.owner", "_PyInterpreterFrame", "owner"),
    (
        "interpreter_frame.stackpointer",
        "_PyInterpreterFrame",
        "stackpointer",
    ),
    ("code_object.size", "PyCodeObject", ""),
    ("code_object.filename", "PyCodeObject", "co_filename"),
    ("code_object.name", "PyCodeObject", "co_name"),
    ("code_object.qualname", "PyCodeObject", "co_qualname"),
    ("code_object.linetable", "PyCodeObject", "co_linetable"),
    ("code_object.firstlineno", "PyCodeObject", "co_firstlineno"),
    (
        "code_object.localsplusnames",
        "PyCodeObject",
        "co_localsplusnames",
    ),
    (
        "code_object.localspluskinds",
        "PyCodeObject",
        "co_localspluskinds",
    ),
    (
        "code_object.co_code_adaptive",
        "PyCodeObject",
        "co_code_adaptive",
    ),
    ("pyobject.size", "PyObject", ""),
    ("pyobject.ob_type", "PyObject", "ob_type"),
    ("type_object.size", "PyTypeObject", ""),
    ("type_object.tp_name", "PyTypeObject", "tp_name"),
    ("tuple_object.ob_item", "PyTupleObject", "ob_item"),
    ("float_object.ob_fval", "PyFloatObject", "ob_fval"),
    ("long_object.lv_tag", "PyLongObject", "long_value.lv_tag"),
    ("bytes_object.size", "PyBytesObject", ""),
    ("bytes_object.ob_size", "PyBytesObject", "ob_base.ob_size"),
    ("bytes_object.ob_sval", "PyBytesObject", "ob_sval"),
    ("unicode_object.state", "PyASCIIObject", "state"),
    ("unicode_object.length", "PyASCIIObject", "length"),
    ("unicode_object.asciiobject_size", "PyASCIIObject", ""),
    (
        "unicode_object.compactunicodeobject_size",
        "PyCompactUnicodeObject",
        "",
    ),
    ("gc.size", "_gc_runtime_state", ""),
    ("gc.collecting", "_gc_runtime_state", "collecting"),
];

/// How a table and a target agree.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fit {
    /// How many sizes and offsets are the same.
    pub agreeing: usize,
    /// Those that are not, as words for people: `sizeof(PyThreadState) is 840 instead of 832`.
    pub differing: Vec<String>,
}

impl Fit {
    /// Compares `table` with what the target says at `runtime`, the address of `_PyRuntime`.
    pub fn of(table: &Table, reader: Reader<'_>, runtime: Address) -> Result<Fit> {
        let shape = (table.shapes.get("_Py_DebugOffsets")).ok_or_else(|| Error::NoShape {
            shape: "_Py_DebugOffsets".to_owned(),
        })?;
        let offsets = reader.record(runtime, shape)?;
        let mut fit = Fit::default();
        for check in CHECKS {
            match compare(table, &offsets, check)? {
                Some((_, here, expected)) if here == expected => fit.agreeing += 1,
                Some((what, here, expected)) => {
                    (fit.differing).push(format!("{what} is {here} instead of {expected}"));
                }
                None => {}
            }
        }
        Ok(fit)
    }
}

/// What is compared, the target's number and the table's; `None` if this version's offsets do not tell.
fn compare(
    table: &Table,
    offsets: &Record<'_>,
    (member, name, field): &Check,
) -> Result<Option<(String, u64, u64)>> {
    let Some(here) = offsets.optional(member)? else {
        return Ok(None);
    };
    let shape = (table.shapes.get(*name)).ok_or_else(|| Error::NoShape {
        shape: (*name).to_owned(),
    })?;
    Ok(Some(match *field {
        "" => (format!("sizeof({name})"), here, shape.size),
        field => (
            format!("the offset of {name}.{field}"),
            here,
            shape.field(field)?.offset,
        ),
    }))
}
