//! Which field of which structure an access means.

use crate::cpython::CPython;
use crate::shape::{Field, Shape};
use std::collections::HashMap;
use std::sync::Arc;

/// What pointers in structures point at, as CPython's headers declare them; DWARF's types are not kept.
const POINTEES: &[(&str, &str, &str)] = &[
    ("PyThreadState", "interp", "PyInterpreterState"),
    ("PyThreadState", "current_frame", "_PyInterpreterFrame"),
    ("PyThreadState", "current_executor", "_PyExecutorObject"),
    ("PyThreadState", "jit_exit", "_PyExitData"),
    // Declared as an array of objects: the place of the next frame.
    ("PyThreadState", "datastack_top", "_PyInterpreterFrame"),
    ("_PyInterpreterFrame", "f_executable", "PyCodeObject"),
    ("_PyInterpreterFrame", "f_funcobj", "PyFunctionObject"),
    ("_PyInterpreterFrame", "previous", "_PyInterpreterFrame"),
    ("_PyInterpreterFrame", "f_globals", "PyDictObject"),
    ("_PyInterpreterFrame", "f_builtins", "PyDictObject"),
    ("_PyExitData", "executor", "_PyExecutorObject"),
    ("PyObject", "ob_type", "PyTypeObject"),
    ("PyFunctionObject", "func_code", "PyCodeObject"),
    ("PyFunctionObject", "func_globals", "PyDictObject"),
    ("PyFunctionObject", "func_builtins", "PyDictObject"),
    ("PyMethodObject", "im_func", "PyObject"),
    ("PyMethodObject", "im_self", "PyObject"),
    ("PyDictObject", "ma_keys", "PyDictKeysObject"),
    ("PyDictObject", "ma_values", "PyDictValues"),
    ("_PyListIterObject", "it_seq", "PyListObject"),
    ("_PyTupleIterObject", "it_seq", "PyTupleObject"),
    ("PyCodeObject", "co_consts", "PyTupleObject"),
    ("PyCodeObject", "co_names", "PyTupleObject"),
    ("PyCodeObject", "co_executors", "_PyExecutorArray"),
    ("PyCellObject", "ob_ref", "PyObject"),
    ("PyModuleObject", "md_dict", "PyDictObject"),
    ("PyGenObject", "gi_iframe", "_PyInterpreterFrame"),
];

/// Structures that remarks name fields of, besides those that are read.
pub const SHAPES: &[&str] = &[
    "PyCellObject",
    "PyCFunctionObject",
    "PyCoroObject",
    "PyDictKeysObject",
    "PyDictObject",
    "PyDictValues",
    "PyFloatObject",
    "PyFunctionObject",
    "PyGenObject",
    "PyListObject",
    "PyLongObject",
    "PyMethodDescrObject",
    "PyMethodObject",
    "PyModuleObject",
    "PySetObject",
    "PySliceObject",
    "PyTupleObject",
    "_PyListIterObject",
    "_PyRangeIterObject",
    "_PyTupleIterObject",
];

/// Types of CPython: symbol, `tp_name`, and the structure of their objects.
const TYPES: &[(&str, &str, &str)] = &[
    ("PyLong_Type", "int", "PyLongObject"),
    ("PyBool_Type", "bool", "PyLongObject"),
    ("PyFloat_Type", "float", "PyFloatObject"),
    ("PyUnicode_Type", "str", "PyASCIIObject"),
    ("PyBytes_Type", "bytes", "PyBytesObject"),
    ("PyList_Type", "list", "PyListObject"),
    ("PyTuple_Type", "tuple", "PyTupleObject"),
    ("PyDict_Type", "dict", "PyDictObject"),
    ("PySet_Type", "set", "PySetObject"),
    ("PyFrozenSet_Type", "frozenset", "PySetObject"),
    ("PyFunction_Type", "function", "PyFunctionObject"),
    ("PyMethod_Type", "method", "PyMethodObject"),
    ("PyModule_Type", "module", "PyModuleObject"),
    ("PySlice_Type", "slice", "PySliceObject"),
    ("PyCell_Type", "cell", "PyCellObject"),
    ("PyGen_Type", "generator", "PyGenObject"),
    ("PyCoro_Type", "coroutine", "PyCoroObject"),
    ("PyRangeIter_Type", "range_iterator", "_PyRangeIterObject"),
    ("PyListIter_Type", "list_iterator", "_PyListIterObject"),
    ("PyTupleIter_Type", "tuple_iterator", "_PyTupleIterObject"),
    (
        "PyCFunction_Type",
        "builtin_function_or_method",
        "PyCFunctionObject",
    ),
    (
        "PyMethodDescr_Type",
        "method_descriptor",
        "PyMethodDescrObject",
    ),
    ("PyCode_Type", "code", "PyCodeObject"),
    ("PyType_Type", "type", "PyTypeObject"),
];

/// The structure of the objects whose type has this symbol.
pub fn structure_of_type(symbol: &str) -> Option<&'static str> {
    let mut rows = TYPES.iter();
    rows.find(|(name, ..)| *name == symbol)
        .map(|(_, _, is)| *is)
}

/// The name of the type with this symbol.
pub fn name_of_type(symbol: &str) -> Option<&'static str> {
    let mut rows = TYPES.iter();
    rows.find(|(name, ..)| *name == symbol)
        .map(|(_, is, _)| *is)
}

/// The structure that a pointer in a field points at.
pub fn structure_of_pointee(structure: &str, field: &str) -> Option<&'static str> {
    // What begins as an object has its fields.
    let field = field.rsplit("ob_base.").next().unwrap_or(field);
    let structure = match field {
        "ob_type" => "PyObject",
        _ => structure,
    };
    let field = field.strip_suffix(".bits").unwrap_or(field);
    let mut rows = POINTEES.iter();
    rows.find(|(of, name, _)| *of == structure && *name == field)
        .map(|(_, _, is)| *is)
}

/// More bytes than any structure has; more would be no offset but a negative number.
const LARGEST_OFFSET: u64 = 1 << 24;

/// Names that are kept: far more than stencils use.
const MOST_NAMES: usize = 1 << 16;

/// Names of fields that were asked for.
#[derive(Default, Debug)]
pub struct Fields {
    known: HashMap<(&'static str, u64, u8), Option<Arc<str>>>,
}

impl Fields {
    /// The field at this offset of a structure that an access of so many bytes means.
    pub fn name(
        &mut self,
        python: &CPython,
        structure: &'static str,
        offset: u64,
        size: u8,
    ) -> Option<Arc<str>> {
        if self.known.len() > MOST_NAMES {
            self.known.clear();
        }
        self.known
            .entry((structure, offset, size))
            .or_insert_with(|| {
                let shape = python.layouts.find(structure)?;
                name(shape, offset, size.into()).map(Arc::from)
            })
            .clone()
    }
}

/// Without the steps that only say that an object begins with an object.
fn plain(name: &str) -> &str {
    name.rsplit("ob_base.").next().unwrap_or(name)
}

fn name(shape: &Shape, offset: u64, size: u64) -> Option<String> {
    if offset > LARGEST_OFFSET {
        return None;
    }
    let end = offset.checked_add(size)?;
    if let Some(exact) = exact(shape, offset, size) {
        return Some(exact);
    }
    // The smallest that contains the access.
    let around = shape
        .fields
        .iter()
        .filter(|field| {
            field.bits.is_none()
                && field.size != 0
                && field.offset <= offset
                && end <= field.offset.saturating_add(field.size)
        })
        .min_by_key(|field| field.size);
    around
        .map(|field| inside(field, offset))
        .or_else(|| behind(shape, offset))
        .or_else(|| several(shape, offset, end))
}

fn exact(shape: &Shape, offset: u64, size: u64) -> Option<String> {
    let at = |field: &&Field| field.offset == offset && field.size == size;
    let mut whole = shape.fields.iter().filter(at);
    let bits: Vec<&str> = (whole.clone())
        .filter(|field| field.bits.is_some())
        .map(|field| plain(&field.name))
        .collect();
    // The shortest: that of the structure around a single field.
    let best = whole
        .by_ref()
        .filter(|field| field.bits.is_none())
        .min_by_key(|field| field.name.matches('.').count());
    match (best, bits.as_slice()) {
        (Some(field), _) if field.element.is_none_or(|element| element == size) => {
            Some(plain(&field.name).to_owned())
        }
        (_, [first, others @ ..]) if others.len() < 8 => {
            let mut name = (*first).to_owned();
            for other in others {
                name.push('/');
                name.push_str(other.rsplit('.').next().unwrap_or(other));
            }
            Some(name)
        }
        _ => None,
    }
}

/// A part of a field: an element of an array, or some bytes of it.
fn inside(field: &Field, offset: u64) -> String {
    let name = plain(&field.name);
    let within = offset - field.offset;
    match field.element {
        Some(element) if element != 0 && within.is_multiple_of(element) => {
            format!("{name}[{}]", within / element)
        }
        _ if within == 0 => name.to_owned(),
        _ => format!("{name}+{within}"),
    }
}

/// An element of the array without a size at the end of a structure.
fn behind(shape: &Shape, offset: u64) -> Option<String> {
    let last = shape.fields.iter().filter(|field| field.offset <= offset);
    let last = last.max_by_key(|field| field.offset)?;
    let element = last.element.filter(|element| *element != 0)?;
    let is_open = last.size == 0 || last.offset.checked_add(last.size)? >= shape.size;
    let within = offset.checked_sub(last.offset)?;
    (is_open && within.is_multiple_of(element))
        .then(|| format!("{}[{}]", plain(&last.name), within / element))
}

/// Fields one behind the other that are accessed at once.
fn several(shape: &Shape, offset: u64, end: u64) -> Option<String> {
    let first = [8, 4, 2, 1]
        .into_iter()
        .find_map(|size| exact(shape, offset, size))?;
    (offset < end && end <= shape.size).then(|| format!("{first}..."))
}
