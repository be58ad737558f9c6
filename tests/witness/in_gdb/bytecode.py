"""A session of GDB: what the tool says about bytecode and exits, beside GDB's own reading of the same exits."""
import json
import os

import gdb

import inferior
import snapshot

EXECUTOR = "struct _PyExecutorObject"
EXIT = "struct _PyExitData"
NAMES = {"exit": ("_PyExitData", EXIT), "executor": (EXECUTOR, "_PyExecutorObject")}


def type_name(names):
    """A struct or its typedef, whichever this target has."""
    for name in names:
        try:
            gdb.lookup_type(name)
            return name
        except gdb.error:
            continue
    raise gdb.error(f"there is no type {names[0]}")


class Exits:
    """Exit records by GDB's own expressions: it evaluates the members, no offset is written down here."""

    def __init__(self):
        self.executor = type_name(NAMES["executor"])

    def of(self, address):
        head = f"(({self.executor} *) {address})"
        count = int(gdb.parse_and_eval(f"{head}->exit_count"))
        return [self.one(f"{head}->exits[{index}]") for index in range(count)]

    def one(self, exit):
        address = int(gdb.parse_and_eval(f"&{exit}"))
        target = int(gdb.parse_and_eval(f"{exit}.target"))
        linked = int(gdb.parse_and_eval(f"{exit}.executor"))
        counter = int(gdb.parse_and_eval(f"{exit}.temperature.value_and_backoff"))
        return [address, target, linked, counter]


def main():
    job = inferior.job()
    inferior.prepare(job["environment"])
    gdb.execute("run", to_string=True)
    disassembled = os.path.join(job["documents"], "disassembled.json")
    with open(disassembled, encoding="utf-8") as file:
        codes = json.load(file)
    with open(disassembled + ".entries", encoding="utf-8") as file:
        for code, entries in zip(codes, json.load(file)):
            code["entries"] = entries
    tool, reader = snapshot.Tool(job["tool"], job["documents"]), Exits()
    with snapshot.Log(job["records"]) as log:
        for number, code in enumerate(codes):
            answer = tool.ask(f"jit-bytecode {code['address']:#x}", f"bytecode-{number}")
            log.write(kind="bytecode", witness=code, tool=answer)
        for executor in (tool.ask("jit-exits --all", "exits") or {"data": {"executors": []}})["data"]["executors"]:
            address = executor["executor"]["address"]
            log.write(kind="exits", witness=reader.of(address), tool=executor)
        log.write(kind="colds", witness=colds())
        log.write(kind="end", problems=tool.problems)
    gdb.execute("kill", to_string=True)


def colds():
    """3.15: the two executors that stand for exits without one. 3.14 has none."""
    interpreter = "((PyInterpreterState *) _PyRuntime.interpreters.head)"
    found = []
    for name in ("cold_executor", "cold_dynamic_executor"):
        try:
            found.append(int(gdb.parse_and_eval(f"{interpreter}->{name}")))
        except gdb.error:
            continue
    return [address for address in found if address]
