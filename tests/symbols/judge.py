"""What both debuggers' sessions share: counts, and what the map says of the code."""
import json
import pathlib
import subprocess

MOST_PROBLEMS = 40


class Check:
    """How often something was right."""

    def __init__(self, name, wanted=None):
        self.name, self.wanted, self.done, self.wrong, self.problems, self.words = name, wanted, 0, 0, [], ""

    def add(self, right, problem):
        self.done += 1
        if not right:
            self.wrong += 1
            if len(self.problems) < MOST_PROBLEMS:
                self.problems.append(problem())

    def record(self):
        facts = {"name": self.name, "done": self.done, "wrong": self.wrong, "problems": self.problems, "words": self.words}
        return facts if self.wanted is None else {**facts, "wanted": self.wanted}


class Job:
    """What the runner asked for, and the tool."""

    def __init__(self, path):
        self.__dict__.update(json.loads(pathlib.Path(path).read_text()))

    def write_symbols(self, pid, debugger):
        """The objects of a stopped process: path of each, and the script that loads them all."""
        self.call("symbols", *self.of(pid), "-o", self.folder, "--for", debugger, "--view", self.view)
        return sorted(str(path) for path in pathlib.Path(self.folder).glob("*.elf"))

    def code_map(self, pid):
        return CodeMap(json.loads(self.call("dis", "--all", "--no-source", "--json", *self.of(pid))))

    def of(self, pid):
        """An emulated process can only be read by the emulator: then the core of another run stands for it."""
        return ("--core", self.core, "--exe", self.exe, "--sysroot", self.sysroot) if self.core else ("--pid", str(pid))

    def call(self, *words):
        found = subprocess.run([self.tool, *words], capture_output=True, text=True, check=False)
        if found.returncode:
            raise RuntimeError(f"{words[0]}: {found.stderr}{found.stdout}")
        return found.stdout

    def write(self, checks):
        pathlib.Path(self.records).write_text(json.dumps({"checks": [check.record() for check in checks]}))


class CodeMap:
    """Where uops are, by the tool's map, which other tests compare with what the emitters wrote."""

    def __init__(self, document):
        self.uops, self.ranges, self.starts, self.names, self.bytes = {}, [], [], {}, {}
        for listing in document["data"]["executors"]:
            code = listing["executor"]["code"]
            base = int(code["address"], 16)
            self.starts.append(base)
            self.ranges.append((base, base + code["size"]))
            for uop in listing["uops"]:
                self.add(uop)
        self.ranges.sort()

    def add(self, uop):
        for place in uop["ranges"]:
            if place["size"]:
                start = int(place["address"], 16)
                self.uops[start] = uop
                self.bytes[start] = bytes.fromhex("".join(one["bytes"] for one in uop["instructions"]))
                for name in {uop["name"], uop["base"]}:
                    self.names.setdefault(name, set()).add(start)

    def contains(self, pc):
        return any(start <= pc < end for start, end in self.ranges)
