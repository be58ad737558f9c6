"""Starts what is measured: the target, fresh GDBs that are attached to it, and gdbserver. All have a time limit."""
import contextlib
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import time

import rsp_proxy

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = "3.15"
DEBUGGER, LLDB = "gdb-18", "lldb-23"
WORKLOAD_LIMIT = 300  # seconds
SESSION_LIMIT = 300
SERVER_LIMIT = 60
KEPT_OUTPUT = 1500  # characters of a failed session that are worth showing
# The user's other variables, and anything named PYTHON*, would change what is measured.
PASSED_ON = ("PATH", "HOME", "TMPDIR", "LANG")


class Failure(Exception):
    """A sentence about what could not be measured."""


class Testbed:
    """What the index that scripts/testbed wrote says of the one target and debugger needed here."""

    def __init__(self, root):
        try:
            self.index = json.loads((pathlib.Path(root) / "testbed.json").read_text())
        except OSError as reason:
            raise Failure(f"there is no testbed in {root} ({reason.strerror}); make it with: scripts/testbed") from None
        self.python = self.entry("targets", TARGET)
        self.gdb = self.entry("debuggers", DEBUGGER)
        if not self.index["benchmarks"] or not self.index["python"]:
            missing = self.index["missing"]
            raise Failure(f"the testbed lacks {', '.join(missing)}; scripts/testbed tells why")
        self.benchmarks = self.index["benchmarks"]["directory"]
        self.gdbserver = pathlib.Path(self.index["python"]).parent / "gdbserver"

    def entry(self, kind, name):
        if name not in self.index[kind]:
            raise Failure(f"the testbed lacks {name}: {self.index['missing'].get(name, 'see scripts/testbed --list')}")
        return self.index[kind][name]


def environment(**variables):
    inherited = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return inherited | {"LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"} | variables


def start(command, variables, **options):
    return subprocess.Popen([str(word) for word in command], env=environment(**variables), bufsize=0,
                            start_new_session=True, **options)


def end(process):
    """Ends a process that we started, with its children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@contextlib.contextmanager
def workload(testbed, programs):
    """The process id of the target, once it waits."""
    command = [testbed.python["path"], HERE / "workload.py", ROOT / "tests" / "programs" / "benchmarks", testbed.benchmarks]
    process = start([*command, *programs], {"PYTHON_JIT": "1", "PYTHONHASHSEED": "0"}, stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        lines_until("ready", process, process.stdout, WORKLOAD_LIMIT)
        yield process.pid
    finally:
        end(process)


def lines_until(wanted, process, stream, limit):
    """What the process prints up to the line with `wanted`; Failure if it ends or takes too long."""
    printed, deadline = "", time.monotonic() + limit
    # The stream has no buffer, in which a line would be waiting while nothing more comes to select.
    while select.select([stream], [], [], max(0, deadline - time.monotonic()))[0]:
        line = stream.readline().decode(errors="replace")
        if not line:
            raise Failure(f"{process.args[0]} ended (status {process.wait(limit)}): {printed.strip()[-KEPT_OUTPUT:]}")
        printed += line
        if wanted in line:
            return printed
    raise Failure(f"{process.args[0]} did not get ready within {limit} s: {printed.strip()[-KEPT_OUTPUT:]}")


class Debugger:
    """Fresh GDBs and LLDBs, one for each measurement."""

    def __init__(self, testbed, extension, directory):
        self.testbed, self.extension, self.directory = testbed, extension, pathlib.Path(directory)
        self.warm_cache = self.directory / "cache"

    def caches(self, cache):
        """What a start finds on disk. A second one, as of any user, finds our scripts compiled, too; the peer's modules
        always are, by pip."""
        compiled = {"PYTHONPYCACHEPREFIX": str(self.directory / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
        return {"CPYJIT_CACHE": str(cache)} | (compiled if cache == self.warm_cache else {})

    def session(self, pid, task, side, cache="off", connect=None, **job):
        """The result of one job in a GDB of its own, attached to the target (or connected to it by `connect`)."""
        result, described = self.directory / "result.json", self.directory / "job.json"
        result.unlink(missing_ok=True)
        described.write_text(json.dumps(job | {
            "task": task, "side": side, "result": str(result), "mark": rsp_proxy.MARK,
            "tool": str(ROOT / "gdb" / "cpyjit_gdb.py"), "script": str(HERE / "capstone_script.py")}))
        process = start(self.command(connect or f"attach {pid}"), self.caches(cache) | {
            "CPYJIT_BENCH_JOB": str(described), "CPYJIT_EXTENSION": str(self.extension)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            output, _ = process.communicate(timeout=SESSION_LIMIT)
        except subprocess.TimeoutExpired:
            raise Failure(f"GDB did not end within {SESSION_LIMIT} s ({side}, {task})") from None
        finally:
            end(process)
        return checked(result, output.decode(errors="replace"), f"{side}, {task}")

    def launched(self, program, script, target=TARGET, **variables):
        """The result of a script in a GDB that starts a program itself."""
        return self.run([self.testbed.gdb["path"], "-q", "-batch", "-iex", "set debuginfod enabled off",
                         "-ex", f"set args {program}", "-ex", "set environment PYTHON_JIT=1",
                         *(word for name in ("PYTHONHOME", "PYTHONPATH", "PYTHONNOUSERSITE")
                           for word in ("-ex", f"unset environment {name}")),
                         "-ex", f"source {script}", self.testbed.entry("targets", target)["path"]],
                        script, "gdb", variables)

    def launched_in_lldb(self, program, script, target=TARGET):
        """The same in LLDB."""
        commands = ("settings set symbols.enable-external-lookup false", f"settings set -- target.run-args {program}",
                    "settings append target.env-vars PYTHON_JIT=1",
                    "settings set target.unset-env-vars PYTHONHOME PYTHONPATH PYTHONNOUSERSITE",
                    f"command script import {script}")
        return self.run([self.testbed.entry("debuggers", LLDB)["path"], "-x", "-b",
                         *(word for command in commands for word in ("-o", command)),
                         self.testbed.entry("targets", target)["path"]],
                        script, "lldb", {})

    def run(self, command, script, front_end, variables):
        result = self.directory / "launched.json"
        result.unlink(missing_ok=True)
        process = start(command, variables | {
            "CPYJIT_BENCH_RESULT": str(result),
            "CPYJIT_BENCH_TOOL": str(ROOT / front_end / f"cpyjit_{front_end}.py"),
            "CPYJIT_CACHE": str(self.warm_cache), "CPYJIT_EXTENSION": str(self.extension)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            output, _ = process.communicate(timeout=SESSION_LIMIT)
        except subprocess.TimeoutExpired:
            raise Failure(f"{front_end.upper()} did not end within {SESSION_LIMIT} s ({script.name})") from None
        finally:
            end(process)
        return checked(result, output.decode(errors="replace"), f"{front_end.upper()}, {script.name}")

    def command(self, connect):
        measure = f"python import sys; sys.path.insert(0, {str(HERE / 'in_gdb')!r}); import measure"
        # GDB reads its index of the DWARF in the background; it would still be at it when the clock starts. Like this
        # the index is part of GDB's own start, which counts for nobody.
        return [self.testbed.gdb["path"], "-q", "-batch", "-iex", "maintenance set dwarf synchronous on",
                "-iex", "set auto-load safe-path /", "-iex", "set sysroot /", "-ex", connect, "-ex", measure, "-ex", "detach",
                self.testbed.python["path"]]

    def remote(self, pid, side, plan, **options):
        """{mark: (requests, memory requests)} of the commands in `plan`, sent through gdbserver."""
        with server(self.testbed, pid) as port:
            proxy = rsp_proxy.Proxy(port)
            try:
                self.session(pid, "remote", side, connect=f"target remote 127.0.0.1:{proxy.port}", plan=plan, **options)
            finally:
                proxy.close()
        return {mark: proxy.requests(mark) for mark, _, _ in plan}


def checked(result, output, what):
    """The result of a session, or Failure with the reason that is in it or in the debugger's output."""
    if not result.exists():
        raise Failure(f"the debugger wrote no result ({what}): {output.strip()[-KEPT_OUTPUT:]}")
    read = json.loads(result.read_text())
    if "failure" in read:
        raise Failure(f"{what}: {read['failure'].strip()}\n{output.strip()[-KEPT_OUTPUT:]}")
    return read


@contextlib.contextmanager
def server(testbed, pid):
    """The port of a gdbserver that is attached to the target."""
    if not testbed.gdbserver.exists():
        raise Failure("the testbed's debuggers came without gdbserver")
    process = start([testbed.gdbserver, "--once", "--attach", "127.0.0.1:0", pid], {}, stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        printed = lines_until("Listening on port", process, process.stderr, SERVER_LIMIT)
        yield int(re.search(r"port (\d+)", printed).group(1))
        process.wait(SERVER_LIMIT)  # it ends when GDB has detached; killed before, it might leave the target stopped
    finally:
        end(process)
