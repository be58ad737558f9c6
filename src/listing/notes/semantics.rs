//! What uops are defined to find on the stack (`Python/bytecodes.c`).

/// Any item.
const ANY: i64 = i64::MIN;

/// Beginnings of base names, the item counted from the top (-1), and its structure. The first that fits counts.
const ITEMS: &[(&str, i64, &str)] = &[
    // Until it is pushed, a frame lies on the stack as a plain pointer.
    ("_PUSH_FRAME", -1, "_PyInterpreterFrame"),
    // Guards before these have checked the types.
    ("_BINARY_OP_ADD_INT", ANY, "PyLongObject"),
    ("_BINARY_OP_SUBTRACT_INT", ANY, "PyLongObject"),
    ("_BINARY_OP_MULTIPLY_INT", ANY, "PyLongObject"),
    ("_COMPARE_OP_INT", ANY, "PyLongObject"),
    ("_BINARY_OP_SUBSCR_LIST_INT", -1, "PyLongObject"),
    ("_BINARY_OP_SUBSCR_LIST_INT", -2, "PyListObject"),
    ("_GUARD_TOS_OVERFLOWED", -1, "PyLongObject"),
    ("_GUARD_NOS_OVERFLOWED", -2, "PyLongObject"),
    ("_BINARY_OP_ADD_FLOAT", ANY, "PyFloatObject"),
    ("_BINARY_OP_SUBTRACT_FLOAT", ANY, "PyFloatObject"),
    ("_BINARY_OP_MULTIPLY_FLOAT", ANY, "PyFloatObject"),
    ("_COMPARE_OP_FLOAT", ANY, "PyFloatObject"),
    // 3.14 has an iterator on top; 3.15 the list or tuple itself, with an index above it that is no object.
    ("_GUARD_NOT_EXHAUSTED_LIST", -1, "_PyListIterObject"),
    ("_GUARD_NOT_EXHAUSTED_LIST", -2, "PyListObject"),
    ("_ITER_NEXT_LIST", -1, "_PyListIterObject"),
    ("_ITER_NEXT_LIST", -2, "PyListObject"),
    ("_GUARD_NOT_EXHAUSTED_TUPLE", -1, "_PyTupleIterObject"),
    ("_GUARD_NOT_EXHAUSTED_TUPLE", -2, "PyTupleObject"),
    ("_ITER_NEXT_TUPLE", -1, "_PyTupleIterObject"),
    ("_ITER_NEXT_TUPLE", -2, "PyTupleObject"),
    // The other item, if there is one, is an index and no object.
    ("_GUARD_NOT_EXHAUSTED_RANGE", ANY, "_PyRangeIterObject"),
    ("_ITER_NEXT_RANGE", ANY, "_PyRangeIterObject"),
];

/// The same for uops that call: the callable lies below `self_or_null` and as many arguments as `oparg` says.
const CALLABLES: &[(&str, &str)] = &[
    ("_INIT_CALL_PY_EXACT_ARGS", "PyFunctionObject"),
    ("_CHECK_FUNCTION_EXACT_ARGS", "PyFunctionObject"),
    ("_CHECK_STACK_SPACE", "PyFunctionObject"),
];

/// The structure of the item of the stack with this index, counted as it is when the uop begins.
pub fn structure_of_item(base: &str, oparg: u16, index: i64) -> &'static str {
    let mut rows = ITEMS.iter();
    let row =
        rows.find(|(name, item, _)| base.starts_with(name) && (*item == index || *item == ANY));
    if let Some((_, _, is)) = row {
        return is;
    }
    let callable = -2 - i64::from(oparg);
    let mut rows = CALLABLES.iter();
    rows.find(|(name, _)| base.starts_with(name) && index == callable)
        .map_or("PyObject", |(_, is)| is)
}

/// Whether an item's structure depends on the uop's argument.
pub fn depends_on_oparg(base: &str) -> bool {
    CALLABLES.iter().any(|(name, _)| base.starts_with(name))
}

/// Beginnings of names of functions that return an object or NULL.
const RETURN_OBJECTS: &[&str] = &[
    "PyLong_From",
    "_PyLong_",
    "_PyCompactLong_",
    "PyFloat_From",
    "PyNumber_",
    "PyObject_Call",
    "PyObject_Vectorcall",
    "PyObject_GetAttr",
    "PyObject_GetItem",
    "PyObject_RichCompare",
    "PyUnicode_Concat",
    "_Py_VectorCall",
    "_PyObject_Vectorcall",
    "_Py_BuildMap_StackRefSteal",
    "_PyList_",
    "_PyTuple_",
    "PyDict_New",
];

/// Whether a function returns an object.
pub fn returns_object(symbol: &str) -> bool {
    // `_PyLong_Add` and its like do; those that return flags or sizes are not followed by accesses.
    RETURN_OBJECTS.iter().any(|name| symbol.starts_with(name))
}
