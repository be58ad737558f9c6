"""Where the targets, the debugger and the benchmarks are. The only place that knows how a testbed's folder looks."""
import json
import os
import pathlib
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
import emulator

VARIABLE = "CPYJIT_TESTBED"
TARGETS = ("3.14", "3.15", "3.14d", "3.15d", "aarch64-3.14", "aarch64-3.15")
EMULATED = "aarch64-"
FACTS = "import json, opcode, sys; print(json.dumps([sys.version.split()[0], sys._jit.is_available(), opcode.EXTENDED_ARG]))"


class Testbed:
    """The index that scripts/testbed writes; a folder without one is taken to have the usual places."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        index = self.root / "testbed.json"
        self.index = json.loads(index.read_text()) if index.exists() else {}
        self.gdb = self.entry("debuggers", "gdb-18", "path") or first(self.root, "bin/gdb-18", "venv/bin/gdb")
        benchmarks = (self.index.get("benchmarks") or {}).get("directory") or self.root / "benchmarks"
        self.benchmarks = pathlib.Path(os.environ.get("CPYJIT_BENCHMARKS") or benchmarks)

    def entry(self, kind, name, key):
        return self.index.get(kind, {}).get(name, {}).get(key)

    def python(self, name):
        path = self.entry("targets", name, "path") or first(self.root, "targets", "amd64") / f"usr/bin/python{name}"
        return pathlib.Path(path)

    def debug_files(self):
        return first(self.root, "targets", "amd64") / "usr/lib/debug"


class Target:
    """One CPython under test, or `missing`: why there is none."""

    def __init__(self, testbed, name):
        self.name, self.missing, self.entry = name, None, testbed.index.get("targets", {}).get(name)
        if self.is_emulated() and not self.entry:
            self.missing = testbed.index.get("missing", {}).get(name, "it is not in the testbed")
            return
        self.python = testbed.python(name)
        try:
            answer = subprocess.run(self.command(["-c", FACTS]), capture_output=True, text=True, timeout=30, check=True)
            self.version, has_jit, self.extended_arg = json.loads(answer.stdout)
            self.missing = None if has_jit else f"{self.python.name} was built without the JIT"
        except (OSError, subprocess.SubprocessError) as error:
            self.missing = f"{self.python.name} does not run: {error}"

    def command(self, arguments, environment=()):
        """The command line that runs it. Only an emulator is told the environment in it."""
        if not self.is_emulated():
            return [self.python, *arguments]
        return emulator.command(self.entry, [self.python, *arguments], [f"{name}={value}" for name, value in environment])

    def series(self):
        return self.name.removeprefix(EMULATED).rstrip("d")

    def is_emulated(self):
        return self.name.startswith(EMULATED)

    def is_debug_build(self):
        return self.name.endswith("d")


def find():
    """The testbed named by the environment: its tree, or the folder whose `current` is the tree."""
    named = os.environ.get(VARIABLE)
    if not named:
        raise SystemExit(f"{VARIABLE} must name the testbed (scripts/testbed makes one)")
    root = pathlib.Path(named)
    return Testbed(root / "current" if (root / "current").exists() else root)


def first(root, *names):
    """The first of these files that exists; the last one when none does, so that its absence is reported by name."""
    found = [root / name for name in names if (root / name).exists()]
    return found[0] if found else root / names[-1]
