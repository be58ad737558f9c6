"""Pages of real processes, and the same as JSON to hold them against."""
import collections
import json
import os
import pathlib
import select
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROGRAM = ROOT / "target" / "cpyjit" / "cpyjit"
# Enough for 50 executors on either CPython.
MANY = [f"{name}.py" for name in ("exits", "inlining", "loops", "classes", "closures", "containers", "generators",
                                  "comprehensions", "exceptions")]
READY_LIMIT = 90    # seconds until a program waits
COMMAND_LIMIT = 60  # seconds for one command


class NotMade(Exception):
    """Why there is no page."""


def testbed():
    named = os.environ.get("CPYJIT_TESTBED")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    directory = pathlib.Path(named or os.path.join(cache, "cpyjit", "testbed"))
    for place in (directory / "testbed.json", directory / "current" / "testbed.json"):
        if place.exists():
            return json.loads(place.read_text(encoding="utf-8"))
    raise NotMade(f"no testbed in {directory}; make it with scripts/testbed")


class Process:
    """A CPython that has run programs and waits."""

    def __init__(self, python, programs, folder):
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PYTHON_JIT": "1", "PYTHONHASHSEED": "0",
                       "PYTHONDONTWRITEBYTECODE": "1", "HOSTILE": str(folder)}
        command = [python, HERE / "programs" / "wait.py", *programs]
        self.process = subprocess.Popen(command, env=environment, cwd=folder, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def wait(self):
        """Until it says that it is ready; what it printed is kept for the message."""
        end, printed = time.monotonic() + READY_LIMIT, b""
        while not printed.endswith(b"ready\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            chunk = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not chunk:
                raise NotMade(f"the program is not ready: {printed.decode(errors='replace')[-500:]}")
            printed += chunk

    def answer(self, *words):
        command = [PROGRAM, *words, "--pid", str(self.process.pid), "--stop"]
        done = subprocess.run([str(word) for word in command], capture_output=True, timeout=COMMAND_LIMIT)
        if done.returncode:
            raise NotMade(f"cpyjit {words[0]}: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def end(self):
        self.process.kill()
        self.process.wait()


class Page:
    """The page of a process, and what JSON says of the same stop."""

    def __init__(self, name, process, folder):
        process.wait()
        self.name = name
        self.path = pathlib.Path(folder, f"{name}.html")
        process.answer("dis", "--all", "--html", "-o", self.path)
        self.listing = json.loads(process.answer("dis", "--all", "--json"))["data"]["executors"]
        self.exits = json.loads(process.answer("exits", "--all", "--json"))["data"]["executors"]
        self.url = self.path.as_uri()
        self.functions = self.numbered_functions()

    def numbered_functions(self):
        """By the address of its code object, the number that a function has on the page: in the order of the uops."""
        numbers = {}
        for executor in self.listing:
            for uop in executor["uops"]:
                if uop["code"]:
                    numbers.setdefault(uop["code"]["object"], len(numbers))
        return numbers

    @staticmethod
    def body(executor):
        """The uops before the first stub."""
        stubs = [uop["exit"]["uop"] for uop in executor["uops"] if uop["exit"]]
        return executor["uops"][:min(stubs, default=len(executor["uops"]))]

    def uops_of(self, executor):
        """The uops before the first stub, by (function, line) and by (function, bytecode offset)."""
        by_line, by_offset = collections.defaultdict(set), collections.defaultdict(set)
        for uop in self.body(executor):
            if uop["code"] and uop["bytecode"]:
                function = self.functions[uop["code"]["object"]]
                name = f"x{executor['executor']['index']}u{uop['index']}"
                by_offset[function, uop["bytecode"]["offset"]].add(name)
                if uop["line"] is not None:
                    by_line[function, uop["line"]].add(name)
        return by_line, by_offset
