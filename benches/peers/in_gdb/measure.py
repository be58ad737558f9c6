"""Runs inside GDB, which is attached to the target: carries out the job named by CPYJIT_BENCH_JOB and records the times.

The job is JSON: side ("cpyjit", "gdb" or "capstone"), task (a function below), `result` (the file to write), and what
the task needs. One process measures one side, so no side finds symbols or memory that another one made GDB read.
"""
import bisect
import json
import os
import re
import sys
import time
import traceback

import gdb

SOURCES = {"cpyjit": "tool", "capstone": "script"}
LISTS = {"cpyjit": "jit-list", "capstone": "pyjit-list"}
# As a person's first command does not follow on GDB's start at once. On a busy machine, a process that has just worked
# hard would also be the first to be interrupted.
PAUSE = 0.5  # seconds
# A line that begins with an address, in the output of all three; GDB's and ours may have the mark of the pc before it, ours
# arrows of jumps.
ADDRESS = re.compile(r"^[^\w\n]*(0x[0-9a-f]+)[: ]", re.MULTILINE)


def timed(side, commands):
    """(seconds, processor seconds, output) of GDB commands. Of the peers' processor time only the main thread's counts:
    whatever GDB's helper threads take is a present to them."""
    processor_time = time.process_time if side == "cpyjit" else time.thread_time
    start, processor = time.perf_counter(), processor_time()
    output = "".join([gdb.execute(command, to_string=True) for command in commands])
    return time.perf_counter() - start, processor_time() - processor, output


def count_instructions(text, ranges):
    """How many lines begin with an address in the ranges: guards, data and the like have addresses too."""
    starts, ends = zip(*sorted((start, start + size) for start, size in ranges))
    addresses = (int(address, 16) for address in ADDRESS.findall(text))
    return sum(address < ends[bisect.bisect(starts, address) - 1] for address in addresses if address >= starts[0])


def load(job):
    if job["side"] in SOURCES:
        gdb.execute("source " + job[SOURCES[job["side"]]])


def next_stop(job):
    """What a stop tells the front-end: memory may have changed. GDB and the script keep nothing that it would change."""
    if job["side"] == "cpyjit":
        sys.modules["cpyjit_gdb_sessions"].mark_all(memory_changed=True)


def survey(job):
    """What is there to measure, by cpyjit's JSON; only its addresses and numbers are used."""
    load(job)
    listed = json.loads(gdb.execute("jit-dis --all --json", to_string=True))["data"]["executors"]
    executors = []
    for entry in listed:
        regions = [region for region in entry["regions"] if region["kind"] == "uops"]
        executors.append({
            "address": entry["executor"]["address"],
            "uops": len(entry["uops"]),
            "functions": len({uop["code"]["object"] for uop in entry["uops"] if uop["code"]}),
            "mapped": entry["executor"]["code"]["mapped"],
            "ranges": [[int(region["address"], 0), region["size"]] for region in regions],
            "instructions": sum(len(uop["instructions"]) for uop in entry["uops"]),
        })
    return {"gdb": gdb.VERSION, "cpyjit": sys.modules["cpyjit"].__version__, "executors": executors}


def disassemble(job):
    """All machine code as text: the first time, and again at later stops."""
    load(job)
    if job["side"] == "gdb":
        gdb.execute("set disassembly-flavor intel")  # like the others
        commands = [f"disassemble {start:#x},{start + size:#x}" for start, size in job["ranges"]]
    else:
        commands = [job["command"]]
    calls = []
    for _ in range(1 + job["repeats"]):
        next_stop(job)
        seconds, processor, text = timed(job["side"], commands)
        calls.append([seconds, processor])
    return {"calls": calls, "instructions": count_instructions(text, job["ranges"]), "characters": len(text)}


def first_list(job):
    """From loading the front-end or the script to its first list of executors."""
    seconds, processor, text = timed(job["side"], ["source " + job[SOURCES[job["side"]]], LISTS[job["side"]]])
    return {"calls": [[seconds, processor]], "lines": text.count("\n")}


def remote(job):
    """Commands between marks that the proxy counts by. A mark is a packet that the server does not know."""
    connection = gdb.selected_inferior().connection
    load(job)
    for mark, command, at_next_stop in job["plan"]:
        if at_next_stop:
            next_stop(job)
        connection.send_packet(job["mark"] + mark)
        gdb.execute(command, to_string=True)
    connection.send_packet(job["mark"] + "end")
    return {}


def main():
    time.sleep(PAUSE)
    with open(os.environ["CPYJIT_BENCH_JOB"], encoding="utf-8") as file:
        job = json.load(file)
    if not gdb.selected_inferior().pid:
        result = {"failure": "GDB could not attach to the target"}
    else:
        try:
            result = {"survey": survey, "disassemble": disassemble, "first-list": first_list, "remote": remote}[job["task"]](job)
        except Exception:
            result = {"failure": traceback.format_exc(limit=-3)}
    with open(job["result"], "w", encoding="utf-8") as file:
        json.dump(result, file)


main()
