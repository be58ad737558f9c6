"""What remarks on an instruction claim, and what GDB finds at the moment that it runs: addresses by its DWARF and memory.

Each claim becomes one record: what is claimed, what GDB expects by that claim, and what really happens.
"""
import re
import struct

import gdb

import inferior

TAG_BITS = 3
WORD = 8
LONGEST_TEXT = 40  # what the tool shows of a string or name
STACK_REF = ("f_executable", "f_funcobj")
# How the structures of objects are told by the name of their type.
STRUCTURES = {"PyLongObject": ("int", "bool"), "PyFloatObject": ("float",), "PyListObject": ("list",),
              "PyTupleObject": ("tuple",), "PyFunctionObject": ("function",), "PyCodeObject": ("code",),
              "_PyRangeIterObject": ("range_iterator",), "_PyListIterObject": ("list_iterator",),
              "_PyTupleIterObject": ("tuple_iterator",), "PyDictObject": ("dict",), "PyMethodObject": ("method",)}
POINTED_AT = {"interp": "PyInterpreterState", "current_frame": "_PyInterpreterFrame", "jit_exit": "_PyExitData",
              "current_executor": "_PyExecutorObject", "previous": "_PyInterpreterFrame", "executor": "_PyExecutorObject",
              "f_executable": "PyCodeObject", "f_funcobj": "PyFunctionObject", "func_code": "PyCodeObject",
              "ob_type": "PyTypeObject", "co_executors": "_PyExecutorArray", "it_seq": "PyListObject",
              "datastack_top": "_PyInterpreterFrame", "ma_keys": "PyDictKeysObject", "f_globals": "PyDictObject",
              "f_builtins": "PyDictObject", "func_globals": "PyDictObject", "func_builtins": "PyDictObject",
              "im_func": "PyObject", "im_self": "PyObject", "ma_values": "PyDictValues", "co_consts": "PyTupleObject",
              "co_names": "PyTupleObject", "ob_ref": "PyObject", "md_dict": "PyDictObject", "gi_iframe": "_PyInterpreterFrame"}
TAGGED = {"struct": ("_PyInterpreterFrame", "_PyExecutorObject", "_PyExitData", "_PyExecutorArray", "_PyUOpInstruction")}


class Unknown(Exception):
    """Something that GDB cannot evaluate; it is counted, and more than a few fail the check."""


class Dwarf:
    """Offsets of fields by GDB's reading of the DWARF."""

    def __init__(self):
        self.types, self.offsets = {}, {}

    def type(self, name):
        if name not in self.types:
            for spelled in (f"struct {name}", name):
                try:
                    self.types[name] = gdb.lookup_type(spelled).strip_typedefs()
                    break
                except gdb.error:
                    continue
            else:
                raise Unknown(f"no type {name}")
        return self.types[name]

    def offset(self, structure, path):
        """Bytes to a field like `exits[2].executor`; members of the object that a structure begins with need no prefix."""
        key = structure, path
        if key not in self.offsets:
            self.offsets[key] = self.find(structure, path)
        return self.offsets[key]

    def find(self, structure, path):
        for prefix in ("", "ob_base.", "ob_base.ob_base.", "d_common.ob_base."):
            try:
                return self.walk(self.type(structure), (prefix + path).split("."))
            except KeyError:
                continue
        raise Unknown(f"{structure} has no {path}")

    def walk(self, current, parts):
        bits = 0
        for part in parts:
            name, indices = re.fullmatch(r"(\w+)((?:\[\d+\])*)", part).groups()
            inner, member = inferior.find_member(current, name)
            bits += inner
            current = member.type.strip_typedefs()
            for index in re.findall(r"\d+", indices):
                if current.code != gdb.TYPE_CODE_ARRAY:
                    raise KeyError(part)
                current = current.target().strip_typedefs()
                bits += int(index) * current.sizeof * 8
        return bits // 8


class Moment:
    """One uop activation: what GDB knew when it began."""

    def __init__(self, facts, registers):
        self.frame, self.tstate, self.executor = facts["frame"], facts["tstate"], facts["executor"]
        self.stack, self.machine_stack = registers[facts["stack_register"]], registers[facts["machine_stack"]]
        self.cached, self.registers = facts["cached"], facts["cached_registers"]
        self.items = [registers[name] for name in self.registers[:self.cached]]


class Claims:
    def __init__(self):
        self.dwarf = Dwarf()
        self.symbols = {}
        for name, address in inferior.symbols(".*"):
            self.symbols.setdefault(name.split(".lto_priv")[0], set()).add(address)

    # Values and addresses of things by their paths.

    def slot(self, moment, name, index):
        """(address, None) of a slot in memory, or (None, value) of one that was in a register."""
        if name == "localsplus":
            return moment.frame + self.dwarf.offset("_PyInterpreterFrame", "localsplus") + WORD * index, None
        if -moment.cached <= index < 0:
            return None, moment.items[moment.cached + index]
        return moment.stack + WORD * (index + moment.cached), None

    def value(self, moment, path):
        """The value of a thing that is called so, with the name of its structure."""
        first, *steps = path.split("->")
        roots = {"frame": (moment.frame, "_PyInterpreterFrame"), "tstate": (moment.tstate, "PyThreadState"),
                 "executor": (moment.executor, "_PyExecutorObject"), "stack_pointer": (moment.stack, None)}
        item = re.fullmatch(r"(stack|localsplus)\[(-?\d+)\]", first)
        if item:
            address, value = self.slot(moment, item[1], int(item[2]))
            value, structure = (inferior.read_pointer(address) if address else value), "PyObject"
        elif first in roots:
            value, structure = roots[first]
        else:
            value, structure = inferior.read_pointer(self.fixed(moment, first)), None
        for step in steps:
            owner = structure if step != "ob_type" else "PyObject"
            at = (value & ~TAG_BITS) + self.dwarf.offset(self.deduced(value, owner, step), step)
            value = inferior.read_pointer(at)
            structure = POINTED_AT.get(step.rsplit(".")[-1])
        return value

    def fixed(self, moment, text):
        """The address of a variable, or of a field of the executor's exits."""
        exit_ = re.fullmatch(r"executor->(exits\[\d+\]\.\w+)", text)
        if exit_:
            return moment.executor + self.dwarf.offset("_PyExecutorObject", exit_[1])
        return self.named_address(text)

    def deduced(self, value, structure, field):
        """The structure of an object by its type, where the path alone does not tell it."""
        if structure != "PyObject" or field.startswith("ob_"):
            return structure
        name = self.type_name(value & ~TAG_BITS)
        for candidate, names in STRUCTURES.items():
            if name in names:
                return candidate
        raise Unknown(f"the structure of a {name}")

    def type_name(self, address):
        kind = inferior.read_pointer(address + self.dwarf.offset("PyObject", "ob_type"))
        name = inferior.read_pointer(kind + self.dwarf.offset("PyTypeObject", "tp_name"))
        return inferior.read(name, 64).split(b"\0")[0].decode("utf-8", "replace")

    def named_value(self, moment, text):
        """The value of `stack[-1] (borrowed)` or `stack_pointer - 2`, and the bits of it that count."""
        if text.endswith(" (borrowed)"):
            value, mask = self.value(moment, text.removesuffix(" (borrowed)")), ~0
            return value | 1, mask
        moved = re.fullmatch(r"stack_pointer ([+-]) (\d+)", text)
        if moved:
            return moment.stack + WORD * int(moved[1] + moved[2]), ~0
        # Whether a reference is tagged is not claimed.
        return self.value(moment, text), ~TAG_BITS

    # Checks: each returns (expected, actual).

    def field(self, moment, note, step):
        if "field" not in note:
            return self.constant(moment, note, step)
        if note["field"].endswith("..."):
            note = {**note, "field": note["field"][:-3]}
        field = note["field"].split("/")[0].split("+")[0]
        extra = int((re.search(r"\+(\d+)$", note["field"]) or [0, 0])[1])
        if note["base"] is None:
            return self.structure_only(note, field, step)
        if note["structure"] == "PyObject" and "->" not in note["base"] and not re.match("stack|localsplus|frame|tstate|exec", note["base"]):
            return None  # an object that the code names: its constant is checked where it is loaded
        expected = self.base_address(moment, note) + self.dwarf.offset(note["structure"], field) + extra
        return expected, step.place(expected)

    def base_address(self, moment, note):
        exit_ = re.fullmatch(r"executor->exits\[(\d+)\]", note["base"])
        if exit_:
            return moment.executor + self.dwarf.offset("_PyExecutorObject", f"exits[{exit_[1]}]")
        exit_ = re.fullmatch(r"executor->exits\[(\d+)\]\.executor", note["base"])
        if exit_:
            return inferior.read_pointer(moment.executor + self.dwarf.offset("_PyExecutorObject", f"exits[{exit_[1]}].executor"))
        return self.value(moment, note["base"]) & ~TAG_BITS

    def structure_only(self, note, field, step):
        """No slot need hold the object any more: then its type must fit."""
        names = STRUCTURES.get(note["structure"])
        address = step.operand - self.dwarf.offset(note["structure"], field)
        if note["structure"] == "PyObject":
            # The type of its type's type is itself or has the same type: so it is a type.
            kinds = [address]
            for _ in range(4):
                kinds.append(inferior.read_pointer(kinds[-1] + self.dwarf.offset("PyObject", "ob_type")))
            return True, kinds[-1] == kinds[-2]
        if not names:
            return None
        return True, self.type_name(address) in names

    def stack(self, moment, note, step):
        expected = moment.stack + WORD * (note["index"] + moment.cached)
        return expected, step.place(expected)

    def spill(self, moment, note, step):
        place = moment.machine_stack + note["offset"]
        if place != step.place(place) or note["holds"] is None:
            return place, step.place(place)
        expected, mask = self.named_value(moment, note["holds"])
        return expected & mask, step.memory(note["access"], place) & mask

    def register(self, moment, note, step):
        if "words" in note:
            return moment.stack + WORD * note["words"], step.after(step.written_back or step.destination)
        text = note["text"]
        if text.startswith("is "):
            return self.value(moment, note["holds"]), step.before(step.destination)
        unit = re.fullmatch(r"&(.*)->co_code_adaptive\[(\d+)\]", note["holds"])
        if unit:
            code = self.value(moment, unit[1]) & ~TAG_BITS
            return code + self.dwarf.offset("PyCodeObject", "co_code_adaptive") + 2 * int(unit[2]), step.after(step.destination)
        if text.endswith(" without tag"):
            return self.value(moment, note["holds"]) & ~TAG_BITS, step.after(step.destination) & ~TAG_BITS
        if text.endswith(" (borrowed)") and step.mnemonic in ("or", "orr"):
            return self.value(moment, note["holds"]) | 1, step.after(step.destination)
        expected, mask = self.named_value(moment, note["holds"])
        actual = step.before(step.source) if step.source else step.memory("read")
        return expected & mask, actual & mask

    def call(self, moment, note, step):
        addresses = {address + note["offset"] for address in self.symbols.get(note["symbol"], ())}
        return step.pc_after in addresses, True

    def branch(self, moment, note, step):
        if step.pc_after == step.pc + step.size:
            return None  # not taken
        return int(note["target"], 16), step.pc_after

    def hole(self, moment, note, step):
        if note["operand"] not in ("oparg", "operand0", "operand1"):
            return None
        uop = self.uop_address(moment, step.uop["index"])
        size = 2 if note["operand"] == "oparg" else WORD
        offset = self.dwarf.offset("_PyUOpInstruction", note["operand"])
        return int.from_bytes(inferior.read(uop + offset, size), "little"), int(note["value"], 16)

    def uop_address(self, moment, index):
        trace = inferior.read_pointer(moment.executor + self.dwarf.offset("_PyExecutorObject", "trace"))
        return trace + index * self.dwarf.type("_PyUOpInstruction").sizeof

    def constant(self, moment, note, step):
        what, text, value = note["what"], note["text"], int(note["value"], 16)
        if what == "memory":
            return self.named_address(text), step.operand
        if what == "symbol":
            # Several functions of different files may have one name.
            tag = text.endswith(" (borrowed)")
            return True, value - tag in self.named_addresses(text.removesuffix(" (borrowed)"))
        if what == "bytecode":
            code = value - int(text.split()[1]) - self.dwarf.offset("PyCodeObject", "co_code_adaptive")
            return "code", self.type_name(code)
        if what in ("executor", "exit", "field"):
            path = {"this executor": "ob_base"}.get(text, text.removeprefix("&executor->").split("/")[0])
            return moment.executor + self.dwarf.offset("_PyExecutorObject", path), value
        if what in ("uop", "data"):
            return None  # places in the executor's own code: the check "emitters" judges the map
        if text.endswith(" (borrowed)"):
            # Said of a register that gets the tag, not of a number in the code.
            text, told = text.removesuffix(" (borrowed)"), step.before(step.source or step.destination) | 1
            if value != told:
                return value, told
        return text, self.describe(value & ~TAG_BITS, what)

    def named_addresses(self, text):
        name, _, offset = text.partition("+")
        if "." in name:
            return {self.named_address(text)}
        return {address + int(offset or "0", 16) for address in self.symbols.get(name, ())}

    def named_address(self, text):
        name, _, offset = text.partition("+")
        if "." in name:
            try:
                return int(gdb.parse_and_eval(f"(unsigned long)&{name}"))
            except gdb.error:
                structure, path = "_PyRuntimeState", name.partition(".")[2]
                return min(self.symbols["_PyRuntime"]) + self.dwarf.offset(structure, path.split("/")[0])
        addresses = self.symbols.get(name)
        if not addresses:
            raise Unknown(f"symbol {name}")
        return min(addresses) + int(offset or "0", 16)

    def describe(self, address, what):
        """An object in the words of the tool, by GDB's own reading."""
        name = self.type_name(address)
        if name != what:
            return f"a {name}"
        if name == "NoneType":
            return "None"
        if name in ("int", "bool"):
            tag = inferior.read_pointer(address + self.dwarf.offset("PyLongObject", "long_value.lv_tag"))
            digits = address + self.dwarf.offset("PyLongObject", "long_value.ob_digit")
            number = sum(int.from_bytes(inferior.read(digits + 4 * i, 4), "little") << 30 * i for i in range(tag >> 3))
            number = -number if tag & 3 == 2 else number
            return str(bool(number)) if name == "bool" else str(number)
        if name == "float":
            return repr(struct.unpack("<d", inferior.read(address + self.dwarf.offset("PyFloatObject", "ob_fval"), 8))[0])
        if name == "str":
            return f"'{self.text(address)}'"
        if name in ("function", "code"):
            structure, field = {"function": ("PyFunctionObject", "func_qualname"), "code": ("PyCodeObject", "co_qualname")}[name]
            return f"{name} {self.text(inferior.read_pointer(address + self.dwarf.offset(structure, field)))}"
        if name == "type":
            text = inferior.read_pointer(address + self.dwarf.offset("PyTypeObject", "tp_name"))
            return "type " + clipped(inferior.read(text, 64).split(b"\0")[0].decode("utf-8", "replace"))
        names = [symbol for symbol, addresses in self.symbols.items() if address in addresses]
        return f"{name} {names[0]}" if names else f"a {name}"

    def text(self, address):
        length = inferior.read_pointer(address + self.dwarf.offset("PyASCIIObject", "length"))
        start = address + self.dwarf.type("PyASCIIObject").sizeof
        return clipped(inferior.read(start, length).decode("ascii", "replace") if length else "")


def clipped(text):
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "..."
