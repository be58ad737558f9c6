"""The interpreter that this code runs in: what `dis`, `listing` and `executors` do."""
import os
import sys

from . import _subjects
from ._records import Executor, Executors, Finding, Instruction, Listing, Uop
from .cpyjit import Inside

__all__ = ["Executor", "Finding", "Instruction", "Listing", "Uop", "dis", "executors", "get_instructions", "listing"]

OLDEST = (3, 14)
# Names that several sources have, so that a line of one would be shown for another's.
AMBIGUOUS = ("<string>", "<stdin>")
_native = None


def native():
    """The native side, made when it is first needed. Directories in CPYJIT_DEBUG_DIR are like /usr/lib/debug."""
    global _native
    reason = unavailable()
    if reason:
        raise RuntimeError(reason)
    if _native is None:
        named = os.environ.get("CPYJIT_DEBUG_DIR", "").split(os.pathsep)
        _native = Inside([directory for directory in named if directory])
    _native.set_sources(typed_sources())
    return _native


def typed_sources():
    """Name and text of what was typed at a prompt or in a notebook: Python keeps it for its own tracebacks."""
    linecache = sys.modules.get("linecache")
    entries = {}
    # A source without a time is in no file. The prompt's are apart.
    for cache in (getattr(linecache, "cache", {}), getattr(linecache, "_interactive_cache", {})):
        entries.update((entry[3], entry[2]) for entry in list(cache.values()) if len(entry) == 4 and entry[1] is None)
    return [(name, "".join(lines)) for name, lines in entries.items() if name not in AMBIGUOUS]


def unavailable():
    """Why this interpreter can have no machine code of a JIT, or None."""
    if sys.version_info < OLDEST:
        return (f"this is Python {sys.version.split()[0]}; CPython has the JIT that cpyjit shows from "
                f"{'.'.join(map(str, OLDEST))} on")
    jit = getattr(sys, "_jit", None)
    if jit is not None and not jit.is_available():
        return "this CPython was built without its JIT (configure it with --enable-experimental-jit)"
    return None


def dis(x=None, *, file=None, depth=None, uops=None, show_source=True, show_bytecode=True, show_code=True, show_stubs=True,
        show_offsets=False, show_bytes=False, notes=True, att=False, quiet=False, arrows=True, ascii=None, color=None,
        width=None):
    """Print the machine code of all executors of `x`, with its uops, bytecode and source lines.

    `x` is a function, method, class, module, code object, generator, coroutine, frame, traceback, an executor (of
    `executors()` or of `_opcode.get_executor(code, offset)`), a list of these, or text that names one ("f", "C.f",
    "#3", "file.py:8"). Without it, the function in which the last traceback ended.

    file            where to print; standard output by default
    depth           how deep to go into nested functions; all by default, 0 for none
    uops            only these: "12", "3..9" or a pattern like "_GUARD_*"
    show_source     source lines
    show_bytecode   bytecode instructions
    show_code       machine code; without it, one line a uop
    show_stubs      the stubs behind the main part of the trace
    show_offsets    offsets into the uop instead of addresses
    show_bytes      the bytes of the machine code
    notes           remarks on instructions: True, False or "all", the obvious ones too
    att             AT&T syntax instead of Intel's
    quiet           uops and their machine code, nothing else
    arrows          arrows of jumps inside the code
    ascii, color, width   by default as the terminal is that `file` is

        >>> def total(n):
        ...     result = 0
        ...     for i in range(n):
        ...         result += i
        ...     return result
        >>> result = total(10000)
        >>> cpyjit.dis(total, uops="_STORE_FAST*", show_code=False)     # doctest: +ELLIPSIS
        executor #...: total (...), entered at bytecode ...
        >>> cpyjit.dis(len)
        Traceback (most recent call last):
          ...
        TypeError: len is written in C: it has no bytecode that could be compiled
    """
    found = listing(x, depth=depth, uops=uops, show_code=show_code, show_stubs=show_stubs, att=att, notes=bool(notes))
    file = sys.stdout if file is None else file
    style = terminal(file, ascii, color, width)
    text = found.text(show_source=show_source, show_bytecode=show_bytecode, show_offsets=show_offsets,
                      show_bytes=show_bytes, notes=notes, quiet=quiet, arrows=arrows, **style)
    write(text, file)


def listing(x=None, *, depth=None, uops=None, show_code=True, show_stubs=True, att=False, notes=True):
    """The listings of all executors of `x` as they are now; `x` and the options are those of `dis`.

        >>> def total(n):
        ...     result = 0
        ...     for i in range(n):
        ...         result += i
        ...     return result
        >>> result = total(10000)
        >>> found = cpyjit.listing(total)
        >>> found.executors                                  # doctest: +ELLIPSIS
        [<executor #... total (...
        >>> any(uop.base == "_ITER_NEXT_RANGE" for uop in found)
        True
        >>> cpyjit.listing(lambda: 1).findings               # doctest: +ELLIPSIS
        [Finding(severity='note', what='it has not been compiled...

    Where nothing is compiled the listing is empty, and `findings` says why.
    """
    inside = native()
    options = ["--uops=" + str(uops)] if uops is not None else []
    options += [word for word, wanted in (("--no-stubs", not show_stubs), ("--att", att), ("--no-notes", not notes))
                if wanted]
    addresses, codes = [], []
    several = isinstance(x, (list, tuple)) and not isinstance(x, Executor)
    for one in x if several else [x]:
        _resolve(inside, one, depth, addresses, codes)
    found = inside.executors_of([id(code) for code in codes]) if codes else []
    addresses += [address for address in found if address not in addresses]
    taken = inside.listing(addresses, [id(code) for code in codes], options, machine_code=bool(show_code))
    return Listing(inside, taken)


def get_instructions(x=None, *, depth=None, uops=None, show_stubs=True, att=False):
    """The machine instructions of all executors of `x`, each an `Instruction`, as `dis.get_instructions` has bytecode.

        >>> def total(n):
        ...     result = 0
        ...     for i in range(n):
        ...         result += i
        ...     return result
        >>> result = total(10000)
        >>> sum(one.size for one in cpyjit.get_instructions(total)) > 100
        True
    """
    for uop in listing(x, depth=depth, uops=uops, show_stubs=show_stubs, att=att):
        yield from uop.instructions


def executors(*, all=False):
    """Everything that has been compiled and is still there, each an `Executor` with function, place, size and state.

    With `all`, also the invalid ones that only a look at all objects of the program finds.

        >>> [one.qualname for one in cpyjit.executors() if one.qualname == "no such function"]
        []
    """
    import json
    reply = native().run("jit-list", ["--json"] + ([] if all else ["--quick"]))
    document = json.loads(reply.text)
    if reply.failed:
        raise RuntimeError("; ".join(finding["what"] for finding in document["findings"]))
    return Executors(Executor.of(header) for header in document["data"]["executors"])


def _resolve(inside, x, depth, addresses, codes):
    """Adds the executors or the code objects that `x` is."""
    if isinstance(x, Executor):
        addresses.append(x.address)
    elif type(x).__name__ == "uop_executor":
        addresses.append(id(x))
    elif isinstance(x, int) and not isinstance(x, bool):
        addresses.append(inside.find(hex(x)))
    elif isinstance(x, str):
        addresses.extend(named(inside, x))
    elif x is None:
        codes.append(_subjects.last_code())
    else:
        codes.extend(code for code in _subjects.codes_of(x, depth) if code not in codes)


def named(inside, text):
    """The executors that a name stands for: all of a function, or the one that the commands would take."""
    of_function = [one.address for one in executors() if text in (one.function, one.qualname)]
    return of_function or [inside.find(text)]


def terminal(file, ascii=None, color=None, width=None):
    """What `file` can show, where the caller does not say."""
    is_terminal = bool(getattr(file, "isatty", bool)())
    if color is None:
        color = _wants_color(is_terminal)
    if width is None:
        width = _width(file) if is_terminal else 0
    if ascii is None:
        ascii = not _can_write("╭│╰─>", file)
    return {"ascii": bool(ascii), "color": bool(color), "width": width}


def _wants_color(is_terminal):
    """By the conventions that Python's own tracebacks follow."""
    if sys.flags.ignore_environment:
        return is_terminal
    chosen = os.environ.get("PYTHON_COLORS")
    if chosen in ("0", "1"):
        return chosen == "1"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or is_terminal and os.environ.get("TERM") != "dumb"


def _width(file):
    try:
        return os.get_terminal_size(file.fileno()).columns
    except (OSError, ValueError, AttributeError):
        return 0


def _can_write(text, file):
    try:
        text.encode(getattr(file, "encoding", None) or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True


def write(text, file):
    """Prints it; what the file's encoding does not have is escaped."""
    if not _can_write(text, file):
        text = text.encode(file.encoding, "backslashreplace").decode(file.encoding)
    file.write(text)
