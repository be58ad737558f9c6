"""A session of GDB: every field offset that the tool reports, beside GDB's own reading of the target's DWARF."""
import gdb

import inferior
import snapshot


def dwarf(shape, path):
    """(bit position, bits) of a field, or why GDB does not know it."""
    for type_name in ("struct " + shape, shape, "struct _" + shape):
        try:
            start, member = inferior.field(type_name, path)
            return {"start": start, "width": member.bitsize or member.type.sizeof * 8}
        except (gdb.error, KeyError) as error:
            reason = str(error)
    return {"missing": reason}


def size(shape):
    for type_name in ("struct " + shape, shape):
        try:
            return gdb.lookup_type(type_name).sizeof
        except gdb.error:
            continue
    return None


def judge(layout):
    fields = [{"told": field, "dwarf": dwarf(layout["shape"], field["name"])} for field in layout["fields"]]
    return {"shape": layout["shape"], "provenance": layout["provenance"], "size": layout["size"],
            "dwarf_size": size(layout["shape"]), "fields": fields}


def main():
    job = inferior.job()
    inferior.prepare(job["environment"])
    end = gdb.Breakpoint("*&Py_FinalizeEx", internal=True)
    end.silent = True
    gdb.execute("run", to_string=True)
    tool = snapshot.Tool(job["tool"], job["documents"])
    document = tool.ask("jit-info --layouts", "info")
    layouts = document["data"].get("layouts", []) if document else []
    with snapshot.Log(job["records"]) as log:
        log.write(kind="layouts", problems=tool.problems, layouts=[judge(layout) for layout in layouts])
    gdb.execute("kill", to_string=True)
