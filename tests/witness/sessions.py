"""Starts things: a debugger session with one of the scripts of in_gdb/, or a plain run of the target. All have a time limit."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
import emulator

SESSION_LIMIT = 240  # seconds
RUN_LIMIT = 120
TOOL_COMPLAINT = "cpyjit: "  # how the GDB script starts the sentence that says why it cannot be used
KEPT_OUTPUT = 1500   # characters of a failed session that are worth showing
# Deterministic, without traces in the source tree, and its output seen even when the debugger kills it at its last stop.
ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "PYTHON_COLORS": "0",
               "LC_ALL": "C.UTF-8"}
# Only these variables of the caller reach the children: a PYTHON* or debugger variable of the user would change the result.
PASSED_ON = ("PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "CPYJIT_EXTENSION")


class Failure(Exception):
    """A run that did not come to its end, and why."""


def run(command, environment, limit):
    """(standard output, standard error, status); the whole process group is ended at the limit."""
    inherited = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, errors="replace", env={**inherited, **environment},
                               start_new_session=True)
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise Failure(f"no end within {limit} s") from None
    return out, err, process.returncode


def run_target(target, arguments, jit):
    environment = {**ENVIRONMENT, "PYTHON_JIT": str(int(jit))}
    out, err, status = run(target.command(arguments, environment.items()), environment, RUN_LIMIT)
    if status:
        raise Failure(f"the target ended with status {status}: {err[-KEPT_OUTPUT:]}")
    return out


class Debugger:
    """GDB with one of our scripts, on one program."""

    def __init__(self, gdb, debug_files, tool):
        self.gdb, self.debug_files, self.tool = gdb, debug_files, tool

    def session(self, script, target, program, directory, **options):
        """Runs the session in `directory`; returns (path of its records, what the program printed)."""
        if directory.exists():
            shutil.rmtree(directory)
        directory.mkdir(parents=True)
        job, records = directory / "job.json", directory / "records.jsonl"
        asked = {"records": str(records), "documents": str(directory), "tool": str(self.tool),
                 "environment": {**ENVIRONMENT, "PYTHON_JIT": "1"}, **options}
        environment = {"CPYJIT_WITNESS_JOB": str(job), "LC_ALL": "C.UTF-8"}  # for names outside ASCII
        with self.stub(target, program, asked, directory) as port:
            job.write_text(json.dumps({**asked, "remote": port and f"127.0.0.1:{port}"}))
            out, err, status = run(self.command(script, target, program), environment, SESSION_LIMIT)
        if port:
            out = (directory / emulator.OUTPUT).read_text(errors="replace")
        complaints = [line for line in err.splitlines() if line.startswith(TOOL_COMPLAINT)]
        if complaints:
            raise Failure(f"the tool did not load: {complaints[0]}")
        if status or not records.exists() or "Traceback" in err or "Error" in err:
            raise Failure(f"the debugger session failed (status {status}): {err[-KEPT_OUTPUT:]}")
        return records, out

    @staticmethod
    def stub(target, program, asked, directory):
        """Where an emulator waits for the debugger, if the target needs one."""
        if not target.is_emulated():
            return contextlib.nullcontext()
        environment = [f"{name}={value}" for name, value in asked["environment"].items()]
        return emulator.stub(target.entry, [target.python, *program.command()], environment, directory)

    def command(self, script, target, program):
        debug_files, settings = self.debug_files, []
        if target.is_emulated():
            debug_files, settings = target.entry["debug_file_directory"], ["-iex", f"set sysroot {target.entry['sysroot']}"]
        return [self.gdb, "-nx", "-q", "-batch", *settings, "-iex", f"set debug-file-directory {debug_files}",
                "-iex", "set auto-load safe-path /", "-iex", "set debuginfod enabled off",
                # Imported, not sourced: what is sourced shares one namespace and one __file__ with the tool.
                "-ex", f"python import sys; sys.dont_write_bytecode = True; sys.path.insert(0, {str(HERE / 'in_gdb')!r})",
                "-ex", f"python import {script}; {script}.main()",
                "--args", target.python, *program.command()]
