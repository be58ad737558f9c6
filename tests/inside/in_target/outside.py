"""Writes what it sees of itself into a directory, and waits to be looked at from outside.

usage: outside.py DIRECTORY
"""
import gc
import pathlib
import sys
import time

import cpyjit
import subjects
from cpyjit import _inside

subjects.heat()
folder = pathlib.Path(sys.argv[1])
gc.collect()
gc.disable()  # it frees invalid executors
count, caller = (cpyjit.listing(one).executors[0] for one in (subjects.count, subjects.caller))
every = cpyjit.executors(all=True)
native = _inside.native()
# From here on nothing runs often enough to be compiled.
found = {"all": cpyjit.listing(every), "count": count.listing(), "guards": caller.listing(uops="_GUARD_*")}
documents = {name: one.to_json() for name, one in found.items()}
documents["list"] = native.run("jit-list", ["--json"]).text
documents["exits"] = native.run("jit-exits", ["--all", "--json"]).text
for name, document in documents.items():
    (folder / f"{name}.inside.json").write_text(document)
(folder / "text.inside.txt").write_text(str(found["count"]))
(folder / "uops.inside.txt").write_text(count.listing(show_code=False).text())
(folder / "count").write_text(hex(count.address))
(folder / "caller").write_text(hex(caller.address))
(folder / "ready").touch()
time.sleep(300)
