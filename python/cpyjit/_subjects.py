"""From what a user names to code objects: functions, classes, generators and whatever else contains bytecode."""
import functools
import sys
import types

NESTED = (types.FunctionType, types.MethodType, types.CodeType, classmethod, staticmethod, type, property,
          functools.partial, functools.partialmethod, functools.cached_property)
INSTEAD = "give a function, method, class, module, code object, generator, coroutine, executor, or the name of one"


def codes_of(x, depth=None):
    """The code objects in `x`, each once: its own, and those of nested functions down to `depth` (None: all)."""
    found, seen = [], set()
    for code in _own_codes(x, seen):
        _add(code, depth, found)
    if not found:
        raise TypeError(_what_it_is(x))
    return found


def last_code():
    """The function in which the last exception that nobody caught was raised."""
    error = getattr(sys, "last_exc", None)
    traceback = error.__traceback__ if error is not None else getattr(sys, "last_traceback", None)
    if traceback is None:
        raise RuntimeError("no last traceback to disassemble: name a function, or see cpyjit.executors()")
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback.tb_frame.f_code


def _own_codes(x, seen):
    if id(x) in seen:
        return
    seen.add(id(x))
    if isinstance(x, types.CodeType):
        yield x
    elif isinstance(x, types.ModuleType):
        yield from _members(x, seen, lambda member: getattr(member, "__module__", None) == x.__name__)
    elif isinstance(x, type):
        yield from _members(x, seen, lambda member: True)
    else:
        for part in _parts(x):
            yield from _own_codes(part, seen)


def _members(container, seen, is_own):
    for member in list(vars(container).values()):
        if isinstance(member, NESTED) or hasattr(member, "__wrapped__"):
            if is_own(member):
                yield from _own_codes(member, seen)


def _parts(x):
    """What `x` is made of. A decorated function is the wrapper and what it wraps."""
    if isinstance(x, types.TracebackType):
        while x.tb_next is not None:
            x = x.tb_next
        return [x.tb_frame.f_code]
    names = ("__func__", "__code__", "gi_code", "cr_code", "ag_code", "f_code", "__wrapped__", "func", "fget", "fset",
             "fdel")
    if not isinstance(x, NESTED + (types.FrameType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)):
        # Of other objects only what decorators make: anything may have an attribute `func`.
        names = ("__func__", "__code__", "__wrapped__")
    return [part for part in (_attribute(x, name) for name in names) if part is not None]


def _attribute(x, name):
    """An attribute, or None; an object whose attributes raise is one without them."""
    try:
        return getattr(x, name, None)
    except Exception:
        return None


def _add(code, depth, found):
    if not isinstance(code, types.CodeType) or any(code is known for known in found):
        return
    found.append(code)
    if depth is None or depth > 0:
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                _add(constant, None if depth is None else depth - 1, found)


def _what_it_is(x):
    kind = type(x).__name__
    if isinstance(x, (types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType)):
        return f"{x.__name__} is written in C: it has no bytecode that could be compiled"
    if isinstance(x, (type, types.ModuleType)):
        return f"{x.__name__} has no functions that are written in Python"
    return f"don't know how to find machine code of {kind} objects: {INSTEAD}"
