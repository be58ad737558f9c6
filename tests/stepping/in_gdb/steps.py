"""Lets the tool step, and records what it says and how long it takes."""
import json
import re
import time

import gdb


def carry_out(command):
    start = time.perf_counter()
    try:
        text = gdb.execute(command, to_string=True)
    except gdb.error as reason:
        text = str(reason)
    return {"command": command, "text": text, "seconds": time.perf_counter() - start}


def main(commands, path):
    said = [carry_out(command) for command in commands]
    gdb.execute("jit-symbols off")  # what follows JIT code for them goes, too
    # Not GDB's own, which lie in other code: at events of libraries, threads and exceptions.
    listing = gdb.execute("maint info breakpoints", to_string=True)
    places = re.findall(r"^-\d+ +breakpoint .*", listing, re.MULTILINE)
    gdb.execute("continue", to_string=True)
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"said": said, "places": places, "exited": not gdb.selected_inferior().pid}, out)
