"""Measures the command line on a core dump, against GDB with the capstone script on the same core.

Whole processes are timed, from their start to their end: a person with a core waits for all of that.
"""
import json
import os
import pathlib
import shutil
import statistics
import struct
import subprocess
import time

import sessions

GIGABYTE = 1 << 30
HOLE = 20 * GIGABYTE
# Where no process of x86-64 Linux has memory by itself: between the heap and the libraries.
HOLE_ADDRESS = 0x1000_0000_0000
ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
PT_LOAD = 1


class Run:
    """Seconds and peak memory of a process that did its work, and of all that it started."""

    def __init__(self, command, variables, output):
        start = time.perf_counter()
        process = sessions.start(command, variables, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.seconds = time.perf_counter() - start
        self.peak = usage.ru_maxrss * 1024
        self.processor = usage.ru_utime + usage.ru_stime
        if process.returncode:
            raise sessions.Failure(f"{command[0]} ended with status {process.returncode}")


class PostMortem:
    """A core dump of the bench's process, and what takes how long with it."""

    def __init__(self, testbed, binary, directory, rounds):
        self.testbed, self.binary, self.rounds = testbed, binary, rounds
        self.directory = pathlib.Path(directory)
        self.core = self.directory / "core"
        self.sizes = {}

    def dump(self, pid):
        """The core, by GDB's gcore: the process lives on."""
        self.run("making a core", [self.testbed.gdb["path"], "-q", "-batch", "-p", pid, "-ex", f"generate-core-file {self.core}"])
        if not self.core.exists():
            raise sessions.Failure("gcore wrote no core")

    def measure(self):
        """{name: [Run]}, the sides taking turns."""
        with_hole = self.directory / "core-with-hole"
        add_hole(self.core, with_hole)
        executable = self.testbed.python["path"]
        debug = self.testbed.python["debug_file_directory"]
        script = sessions.HERE / "capstone_script.py"
        gdb = [self.testbed.gdb["path"], "-q", "-batch", executable, self.core, "-ex", f"source {script}", "-ex", "pyjit-dis"]

        def ours(command, core, debug_directory):
            return [self.binary, *command, "--core", core, "--debug-dir", debug_directory]

        dis, info = ("dis", "--all", "--json"), ("info", "--json")
        cached, off = {"CPYJIT_CACHE": str(self.directory / "cli-cache")}, {"CPYJIT_CACHE": "off"}
        nowhere = self.directory / "no-debug-files"
        nowhere.mkdir()
        sides = {
            "dis": (ours(dis, self.core, debug), off),
            "dis, cached": (ours(dis, self.core, debug), cached),
            "script": (gdb, {}),
            "dis, hole": (ours(dis, with_hole, debug), off),
            "info": (ours(info, self.core, debug), off),
            "info, no symbols": (ours(info, self.core, nowhere), off),
        }
        self.run("filling the cache", *sides["dis, cached"])
        runs = {name: [] for name in sides}
        for _ in range(self.rounds):
            for name, (command, variables) in sides.items():
                runs[name].append(self.run(name, command, variables))
        self.sizes = {"core": self.core.stat().st_size, "apparent": with_hole.stat().st_size}
        return runs

    def native(self, program):
        """What a bench in Rust tells of the same core."""
        command = [program, self.core, self.testbed.python["debug_file_directory"]]
        self.run(f"the bench {program.name}", command)
        return json.loads((self.directory / "output").read_text())

    def run(self, what, command, variables=None):
        output = self.directory / "output"
        try:
            with open(output, "wb") as file:
                return Run(command, variables or {}, file)
        except sessions.Failure as failure:
            text = output.read_text(encoding="utf-8", errors="replace")
            raise sessions.Failure(f"{what}: {failure}: {text.strip()[-sessions.KEPT_OUTPUT:]}") from None


def add_hole(core, copy):
    """The same core with one more segment, of which the file holds nothing but its place: 20 GB that were never written."""
    shutil.copy(core, copy)
    with open(copy, "r+b") as file:
        header = list(ELF_HEADER.unpack(file.read(ELF_HEADER.size)))
        headers_at, entry_size, count = header[5], header[9], header[10]
        file.seek(headers_at)
        headers = file.read(entry_size * count)
        end = file.seek(0, os.SEEK_END)
        new_place = -(-end // 4096) * 4096
        hole_at = new_place + (1 << 20)
        hole = PROGRAM_HEADER.pack(PT_LOAD, 6, hole_at, HOLE_ADDRESS, 0, HOLE, HOLE, 4096)
        file.seek(new_place)
        file.write(headers + hole)
        header[5], header[10] = new_place, count + 1
        file.seek(0)
        file.write(ELF_HEADER.pack(*header))
        file.truncate(hole_at + HOLE)


def seconds(runs):
    return statistics.median(run.seconds for run in runs)


def processor_seconds(runs):
    return statistics.median(run.processor for run in runs)


def peak(runs):
    return max(run.peak for run in runs)
