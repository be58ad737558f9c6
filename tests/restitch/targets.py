"""The CPythons of the testbed, their core dumps, and the tool: its command line, and a session of it for many questions."""
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
sys.path.append(str(HERE.parent / "witness"))
import emulator
import plan

LIMIT = 240  # seconds for one program or command
NAMES = ("3.14", "3.15", "3.14d", "3.15d", "embed3.14", "embed3.15", "embed3.14d", "embed3.15d", "aarch64-3.14", "aarch64-3.15")
ENVIRONMENT = {"PYTHON_JIT": "1", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
ABORT_BEHIND = HERE / "in_target" / "abort_behind.py"
COMMAND_LINE = "import cpyjit, sys; sys.argv[0] = 'cpyjit'; sys.exit(cpyjit.main())"


class Failure(Exception):
    """Why there is no answer."""


class Target:
    def __init__(self, name, entry):
        self.name, self.entry = name, entry
        self.is_emulated = "emulator" in entry
        self.is_debug_build = name.endswith("d")

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **ENVIRONMENT}

    def start(self, program, folder, **options):
        """A running program; not of an emulated target."""
        return subprocess.Popen([self.entry["path"], *program.command()], env=self.environment(), cwd=folder,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)

    def core(self, program, folder):
        """A core dump of the program at its end."""
        folder.mkdir(parents=True, exist_ok=True)
        words = [ABORT_BEHIND, *program.command()]
        if self.is_emulated:
            environment = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
            return emulator.write_core(self.entry, [self.entry["path"], *words], environment, folder)
        before = set(folder.iterdir())
        done = subprocess.run([self.entry["path"], *words], env=self.environment(), cwd=folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=LIMIT,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1)))
        new = [path for path in folder.iterdir() if path not in before]
        if done.returncode != -signal.SIGABRT or len(new) != 1:
            said = done.stderr[-300:].decode(errors="replace")
            raise Failure(f"no core dump of {program.name} (status {done.returncode}): {said}")
        return new[0]

    def places(self):
        """Options of the command line."""
        words = ["--debug-dir", self.entry["debug_file_directory"]]
        # The emulator's core dumps do not name the files that were mapped.
        return words + (["--exe", self.entry["path"]] if self.is_emulated else [])


def find(names):
    """(targets, reasons for those that are missing)."""
    named = os.environ.get("CPYJIT_TESTBED")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    directory = pathlib.Path(named or os.path.join(cache, "cpyjit", "testbed"))
    for place in (directory / "testbed.json", directory / "current" / "testbed.json"):
        if place.exists():
            index = json.loads(place.read_text(encoding="utf-8"))
            break
    else:
        raise SystemExit(f"tests/restitch/run: no testbed in {directory}; make it with scripts/testbed")
    entries = index["targets"]
    reasons = {name: index.get("missing", {}).get(name, "it is not in the testbed") for name in names if name not in entries}
    return index, [Target(name, entries[name]) for name in names if name in entries], reasons


def extension():
    path = pathlib.Path(os.environ.get("CPYJIT_EXTENSION") or HERE.parent.parent / "target/cpyjit/cpyjit.abi3.so")
    if not path.exists():
        raise SystemExit(f"tests/restitch/run: no extension at {path}; make it with scripts/build")
    return path.parent


def verify(target, words):
    """The `data` of `cpyjit verify --json`."""
    return answer(target, "verify", words)


def answer(target, name, words):
    """The `data` of a command of the command line with `--json`, called as a user does."""
    command = [sys.executable, "-B", "-c", COMMAND_LINE, name, "--json", *target.places(), *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(extension())}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT)
    try:
        data = json.loads(done.stdout)["data"]
        return {**data, "executors": data["executors"]}  # an error has none
    except (ValueError, LookupError, TypeError):
        said = (done.stderr[-300:] + done.stdout[:300]).decode(errors="replace")
        raise Failure(f"cpyjit {name} {' '.join(map(str, words))}: status {done.returncode}, {said}") from None


class Session:
    """The tool with the memory of a core dump, in which bytes can be changed between two questions."""

    def __init__(self, target, python):
        sys.path.append(str(extension()))
        import cpyjit
        self.target, self.python = target, python
        self.changed = {}
        self.session = cpyjit.Session(self)

    def read_memory(self, address, length):
        data = bytearray(self.python.memory.read(address, length))
        for place, value in self.changed.items():
            if address <= place < address + length:
                data[place - address] = value
        return bytes(data)

    def evaluate(self, text):
        raise ValueError(f"{text} is no number")

    def registers(self, names):
        return [None] * len(names), False

    def threads(self, names, _):
        return []

    def describe(self):
        entry = self.target.entry
        debug_files = [entry["debug_file"]] if entry["debug_file"] else []
        file = {"path": entry["jit_file"], "debug_files": debug_files, "bias": self.python.bias}
        architecture = "aarch64" if self.python.is_aarch64() else "i386:x86-64"
        return {"architecture": architecture, "kind": "core", "pid": None, "packet": None, "files": [file],
                "debug_directories": [entry["debug_file_directory"]]}

    def ask(self, command, arguments):
        self.session.invalidate()
        reply = self.session.run(command, arguments + " --json", {"process": "stopped"})
        return json.loads(reply.text)


class Outcome:
    """One line of the report."""

    def __init__(self, check, target, passed, text):
        self.check, self.target, self.passed, self.text = check, target, passed, text

    def __str__(self):
        word = {True: "passed", False: "FAILED", None: "skipped"}[self.passed]
        return f"{word:8}{self.check:10}{self.target:14}{self.text}"
