"""What somebody who works on CPython's JIT would write in an hour to read its machine code in GDB, without cpyjit:
GDB's Python API for the structures, PyPI's `capstone` for the instructions.

    (gdb) source capstone_script.py
    (gdb) pyjit-list               address, machine code, uops and bytes of each executor
    (gdb) pyjit-dis [EXECUTOR]     uop names and instructions of one executor, or of all

For CPython 3.15 on x86-64 with its debug symbols. Where a uop begins follows from the sizes of the stencils before it.
"""
import functools
import itertools

import capstone
import gdb


class Executor:
    """One executor, read through the types that the debug information describes."""

    def __init__(self, value):
        self.address = int(value)
        self.jit_code = int(value["jit_code"])
        self.count = int(value["code_size"])
        # As one array, so that GDB reads the trace at once instead of each field of each uop.
        trace = value["trace"]
        array = trace.type.target().unqualified().array(self.count - 1)
        self.trace = trace.cast(array.pointer()).dereference()

    def opcodes(self):
        self.trace.fetch_lazy()
        return [int(self.trace[index]["opcode"]) for index in range(self.count)]


def static_variable(name):
    """In an optimised build a static variable may also have an "optimized out" symbol, without an address."""
    for symbol in gdb.lookup_static_symbols(name):
        if symbol.addr_class == gdb.SYMBOL_LOC_STATIC:
            return symbol.value()
    raise gdb.GdbError(f"no variable {name}: are the debug symbols of Python installed?")


@functools.cache
def stencil_groups():
    return static_variable("stencil_groups")


@functools.cache
def stencil_size(opcode):
    return int(stencil_groups()[opcode]["code_size"])


@functools.cache
def uop_name(opcode):
    return gdb.parse_and_eval("_PyOpcode_uop_name")[opcode].string()


@functools.cache
def disassembler():
    return capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)


def executors():
    interpreter = gdb.parse_and_eval("_PyRuntime")["interpreters"]["head"]
    while interpreter:
        pointers = interpreter["executor_ptrs"]
        for index in range(int(interpreter["executor_count"])):
            yield Executor(pointers[index])
        interpreter = interpreter["next"]


def disassemble(executor):
    opcodes = executor.opcodes()
    sizes = [stencil_size(opcode) for opcode in opcodes]
    ends = list(itertools.accumulate(sizes))
    code = bytes(gdb.selected_inferior().read_memory(executor.jit_code, ends[-1]))
    decode = disassembler().disasm_lite
    lines = [f"executor {executor.address:#x}: {executor.count} uops, {ends[-1]} bytes at {executor.jit_code:#x}"]
    for index, (opcode, size, end) in enumerate(zip(opcodes, sizes, ends)):
        lines.append(f"{index:6} {uop_name(opcode)}")
        lines += [f"        {address:#x}  {mnemonic:<7} {operands}"
                  for address, _, mnemonic, operands in decode(code[end - size:end], executor.jit_code + end - size)]
    return "\n".join(lines) + "\n"


class PyjitList(gdb.Command):
    """List the executors."""

    def __init__(self):
        super().__init__("pyjit-list", gdb.COMMAND_DATA)

    def invoke(self, _arguments, _from_tty):
        lines = []
        for executor in executors():
            size = sum(map(stencil_size, executor.opcodes()))
            lines.append(f"{executor.address:#x}  code {executor.jit_code:#x}  {executor.count:5} uops  {size:6} bytes\n")
        gdb.write("".join(lines))


class PyjitDis(gdb.Command):
    """Disassemble one executor, or all."""

    def __init__(self):
        super().__init__("pyjit-dis", gdb.COMMAND_DATA)

    def invoke(self, arguments, _from_tty):
        if arguments:
            pointer = gdb.lookup_type("_PyExecutorObject").pointer()
            chosen = [Executor(gdb.parse_and_eval(arguments).cast(pointer))]
        else:
            chosen = executors()
        gdb.write("".join(map(disassemble, chosen)))


PyjitList()
PyjitDis()
