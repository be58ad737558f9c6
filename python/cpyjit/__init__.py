"""See into CPython's copy-and-patch JIT: the sister of the `dis` module for the machine code behind bytecode.

    >>> import cpyjit
    >>> def count(numbers):
    ...     found = 0
    ...     for number in numbers:
    ...         if number < 3:
    ...             found += 1
    ...     return found
    >>> numbers = [1, 2, 3, 4] * 5000
    >>> found = count(numbers)
    >>> cpyjit.dis(count)                          # doctest: +ELLIPSIS
    executor #...: count (...), entered at bytecode ...

`dis` prints the machine code of a function with its uops, bytecode and source lines, `listing` gives the same as objects,
JSON or a page for a browser, and `executors` lists everything that has been compiled. All of them look at the interpreter
that they run in, which needs a JIT (CPython 3.14 or newer) that is switched on (`PYTHON_JIT=1`).

`python -m cpyjit script.py` runs a script and shows what was compiled.

The debuggers' side of the package is the native module `cpyjit.cpyjit`.
"""
from .cpyjit import Session, __version__, commands, settings

__all__ = ["Executor", "Finding", "Instruction", "Listing", "Uop", "dis", "executors", "get_instructions", "listing"]

_HERE = frozenset(__all__)


def __getattr__(name):
    # Debuggers import the package for the four names above; what follows is for the interpreter that is looked at.
    if name not in _HERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import _inside
    globals().update({known: getattr(_inside, known) for known in __all__})
    return globals()[name]


def __dir__():
    return sorted(_HERE | set(globals()))
