"""The current Python frame as GDB's DWARF tells it, and as the target itself tells it: `frame.f_locals`, asked for by a call."""
import gdb

import inferior

TAG_BITS = 3
WORD = 8


class Frame:
    """The innermost frame of the thread."""

    def __init__(self, dwarf, tstate):
        field = lambda name: dwarf.offset("_PyInterpreterFrame", name)
        self.address = inferior.read_pointer(tstate + dwarf.offset("PyThreadState", "current_frame"))
        self.code = inferior.read_pointer(self.address + field("f_executable")) & ~TAG_BITS
        self.locals_at = self.address + field("localsplus")
        size = inferior.read(self.code + dwarf.offset("PyCodeObject", "co_nlocalsplus"), 4)
        self.bottom = self.locals_at + WORD * int.from_bytes(size, "little")
        code = lambda name: self.code + dwarf.offset("PyCodeObject", name)
        first = int.from_bytes(inferior.read(code("_co_firsttraceable"), 4), "little")
        instruction = inferior.read_pointer(self.address + field("instr_ptr"))
        # CPython shows no frame to Python before that (_PyFrame_IsIncomplete); what JIT code has run is not counted.
        self.is_complete = instruction >= code("co_code_adaptive") + 2 * first
        self.saved_at = self.address + field("stackpointer")
        self.saved = inferior.read_pointer(self.saved_at)

    def words(self, top):
        """What lies on its stack below `top`, from the bottom."""
        return words(self.bottom, (top - self.bottom) // WORD)

    def local_words(self):
        return words(self.locals_at, (self.bottom - self.locals_at) // WORD)


def words(address, count):
    data = inferior.read(address, WORD * count) if count > 0 else b""
    return [int.from_bytes(data[at:at + WORD], "little") for at in range(0, len(data), WORD)]


class Inside:
    """Calls of functions of the target. Only where it is about to go on in the interpreter, which holds the GIL then."""

    def __init__(self, claims):
        self.dwarf = claims.dwarf
        names = ("PyEval_GetFrameLocals", "PyDict_Items", "PyObject_Repr", "Py_DecRef")
        self.functions = {name: min(claims.symbols[name]) for name in names}

    def call(self, name, *arguments):
        types = ",".join(["unsigned long"] * len(arguments)) or "void"
        given = ",".join(hex(argument) for argument in arguments)
        text = f"((unsigned long (*)({types})) {self.functions[name]:#x})({given})"
        return int(gdb.parse_and_eval(text)) & inferior.POINTER_MASK

    def locals(self):
        """{name: address of the object}"""
        mapping = self.call("PyEval_GetFrameLocals")
        items = self.call("PyDict_Items", mapping)
        size = inferior.read_pointer(items + self.dwarf.offset("PyVarObject", "ob_size"))
        rows = words(inferior.read_pointer(items + self.dwarf.offset("PyListObject", "ob_item")), size)
        pair = self.dwarf.offset("PyTupleObject", "ob_item")
        found = {self.text(name): value for name, value in (words(row + pair, 2) for row in rows)}
        self.call("Py_DecRef", items)
        self.call("Py_DecRef", mapping)
        return found

    def repr(self, value):
        text = self.call("PyObject_Repr", value)
        found = self.text(text)
        self.call("Py_DecRef", text)
        return found

    def text(self, address):
        """A str that is all ASCII; `None` for another."""
        ascii_object = self.dwarf.type("PyASCIIObject")
        head = gdb.Value(address).cast(ascii_object.pointer()).dereference()
        if not int(head["state"]["ascii"]):
            return None
        return inferior.read(address + ascii_object.sizeof, int(head["length"])).decode("ascii")
