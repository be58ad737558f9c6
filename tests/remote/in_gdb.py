"""Runs inside GDB, at the first stop of fifty.py: carries out commands at later stops, with a mark for the proxy before
each, and writes down whether what a warm session says is what one says that has forgotten everything."""
import json
import os
import sys

import gdb

MEASURED = ("jit-dis", "jit-list", "jit-list --quick")  # one at each of the stops after the first
COMPARED = ("jit-list --json", "jit-dis --all --json")


def run(command):
    return gdb.execute(command, to_string=True)


def marked(mark, command):
    connection = gdb.selected_inferior().connection
    connection.send_packet(os.environ["CPYJIT_MARK"] + mark)
    output = run(command)
    connection.send_packet(os.environ["CPYJIT_MARK"] + "rest")
    return output


def differing():
    """The commands whose answer depends on what was read at earlier stops."""
    warm = {command: run(command) for command in COMPARED}
    sys.modules["cpyjit_gdb_sessions"].mark_all(files_changed=True)
    return [command for command in COMPARED if run(command) != warm[command]]


def main():
    result = {"executors": 0, "differing": [], "uops": 0}
    for command in MEASURED:
        run(command)
    for command in MEASURED:
        run("continue")
        marked(command, command)
    listed = json.loads(run("jit-list --quick --json"))["data"]["executors"]
    result["executors"] = len(listed)
    result["codes"] = len({one["qualname"] for one in listed})
    result["differing"] += differing()
    for command in MEASURED:
        run(command)
    run("continue")  # all functions but one are others now
    result["differing"] += differing()
    with open(os.environ["CPYJIT_RESULT"], "w", encoding="utf-8") as file:
        json.dump(result, file)


main()
