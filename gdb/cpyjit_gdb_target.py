"""The selected inferior as the core sees it: memory, values of expressions, and files."""
import os
import re
import struct

import cpyjit_gdb_constants as constants
import gdb

ADDRESS_MASK = 2**64 - 1

OWN_FILES = set()  # paths of object files that we have made for GDB: no part of the program
own_work = []      # not empty while we load or unload one: what GDB tells meanwhile is of no program's files


class Host:
    """Memory, values and file names of the selected inferior."""

    may_evaluate = True
    known_bias = None, None

    def read_memory(self, address, length):
        inferior = gdb.selected_inferior()
        data = bytes(inferior.read_memory(address, length))
        executable = gdb.current_progspace().filename if is_core(inferior) else None
        bias = self.bias_in_core(inferior, executable) if executable else None
        return data if bias is None else constants.filled_in(data, address, executable, bias)

    def bias_in_core(self, inferior, executable):
        """Asked for once: neither changes while the core is open."""
        key = inferior.connection.num, executable
        if self.known_bias[0] != key:
            self.known_bias = key, executable_bias(executable)
        return self.known_bias[1]

    def evaluate(self, text):
        if not self.may_evaluate:
            raise ValueError("nothing can be evaluated while GDB is finding a frame")
        refuse_changes(text)
        try:
            with gdb.with_parameter("may-call-functions", False):
                return as_address(gdb.parse_and_eval(text), text)
        except gdb.error as reason:
            symbol = re.fullmatch(r"\s*&\s*(\w+)\s*", text)
            address = symbol and static_address(symbol.group(1))
            if address is not None:
                return address
            raise ValueError(str(reason)) from None

    def registers(self, names):
        """Of the selected frame; and whether it waits for a function that it has called (a signal may come anywhere)."""
        frame = gdb.selected_frame()
        newer = frame.newer()
        is_caller = newer is not None and newer.type() != gdb.SIGTRAMP_FRAME
        return [register_value(name) for name in names], is_caller

    def threads(self, names, everything):
        """The selected thread, or all of this inferior: kernel's id, whether it is selected, registers of its innermost
        frame. What the user has selected stays selected."""
        thread, frame = gdb.selected_thread(), gdb.selected_frame()
        try:
            return [(one.ptid[1] or one.ptid[0], one == thread, innermost_registers(one, names))
                    for one in (gdb.selected_inferior().threads() if everything else [thread])]
        finally:
            thread.switch()
            frame.select()

    def describe(self):
        inferior = gdb.selected_inferior()
        return {
            "architecture": inferior.architecture().name(),
            "kind": "core" if is_core(inferior) else "live",
            "pid": inferior.pid or None,
            "files": loaded_files(),
            "debug_directories": [d for d in (gdb.parameter("debug-file-directory") or "").split(os.pathsep) if d],
            "packet": memory_of_packet(inferior),
        }


def memory_of_packet(inferior):
    """Bytes of memory that a packet of a remote target holds, two digits each; None where there are no packets. GDB asks
    for no more where the stub sends bytes as they are."""
    connection = inferior.connection
    if connection is None or connection.type not in ("remote", "extended-remote"):
        return None
    told = re.search(r"limited to (\d+) bytes", gdb.execute("show remote memory-read-packet-size", to_string=True))
    return int(told.group(1)) // 2 if told else None


def innermost_registers(thread, names):
    thread.switch()
    gdb.newest_frame().select()
    return [register_value(name) for name in names]


def register_value(name):
    """None where GDB does not know it in this frame."""
    try:
        return int(gdb.parse_and_eval("$" + name)) & ADDRESS_MASK
    except gdb.error:
        return None


def refuse_changes(text):
    """`may-call-functions off` stops calls; GDB 13 lets nobody set `may-write-memory` while there is a process."""
    if re.search(r"(?<![=!<>])=(?!=)|<<=|>>=|\+\+|--", text):
        raise ValueError("'%s' would change the program; only its state can be asked for" % text)


def as_address(value, text):
    """A pointer or an integer as an unsigned number; arrays and functions are where they are."""
    kind = value.type.strip_typedefs()
    if kind.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
        return as_address(value.referenced_value(), text)
    if kind.code == gdb.TYPE_CODE_VOID:
        raise ValueError("%s has no value" % text)
    if value.is_optimized_out:
        raise ValueError("%s is optimized out here" % text)
    if kind.code in (gdb.TYPE_CODE_ARRAY, gdb.TYPE_CODE_FUNC) and value.address is not None:
        return int(value.address) & ADDRESS_MASK
    if kind.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION, gdb.TYPE_CODE_FLT, gdb.TYPE_CODE_ARRAY):
        raise ValueError("%s is a %s, not an address" % (text, value.type))
    return int(value) & ADDRESS_MASK


def static_address(name):
    """The address of a static variable of an LTO build. `&name` alone may find its "optimized out" twin: both are in
    the debug information, and which one GDB meets depends on the compilation units that it has read so far."""
    try:
        symbols = gdb.lookup_static_symbols(name)
        found = [s for s in symbols if s.addr_class == gdb.SYMBOL_LOC_STATIC]
        return int(found[0].value().address) & ADDRESS_MASK if found else None
    except gdb.error:
        return None


def is_core(inferior):
    connection = inferior.connection
    return connection is not None and connection.type == "core"


def loaded_files():
    """The ELF files of this program space, the executable first, each with the debug file that GDB chose for it.
    GDB tells no load address; the core finds those of libraries in the dynamic linker's list."""
    debug_files = {}
    paths = []
    for objfile in gdb.objfiles():
        path = local_path(objfile)
        if path is None or path in OWN_FILES:
            continue
        if objfile.owner is not None:
            debug_files.setdefault(local_path(objfile.owner), []).append(path)
        elif path not in paths:
            paths.append(path)
    executable = gdb.current_progspace().filename
    paths.sort(key=lambda path: path != executable)
    return [{"path": path, "debug_files": debug_files.get(path, []),
             "bias": executable_bias(path) if path == executable else None} for path in paths]


def executable_bias(path):
    """Load address less address in the file, by where the kernel says that the program begins. Asked for without any
    frame, since this may be needed while GDB is finding one."""
    try:
        with open(path, "rb") as file:
            header = file.read(32)  # e_entry are the last eight bytes
        return entry_address(gdb.selected_inferior()) - int.from_bytes(header[24:32], "little")
    except (gdb.error, OSError, TypeError):
        return None


def entry_address(inferior):
    """AT_ENTRY of the auxiliary vector; None if it is not known. Not by a command where a process is live: GDB would
    run the commands of a breakpoint that it has just come to."""
    if is_core(inferior):
        found = re.search(r"^9 .* (0x[0-9a-f]+)$", gdb.execute("info auxv", to_string=True), re.MULTILINE)
        return int(found.group(1), 16) if found else None
    connection = inferior.connection
    if connection is None or connection.type != "native":
        return None
    with open("/proc/%d/auxv" % inferior.pid, "rb") as file:
        entries = dict(struct.iter_unpack("<QQ", file.read()))
    return entries.get(9)


def local_path(objfile):
    """The file's path, or None for what is no file: the vDSO, and the JIT's `<in-memory@…>` object files."""
    path = objfile.filename or ""
    if path.startswith("target:"):
        path = path[len("target:"):]
    return path if os.path.isabs(path) else None
