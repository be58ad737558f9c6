"""The records that the scripts in in_gdb/ write, and the documents of the tool that belong to them."""
import json


class Stop:
    """One stop: what the tool said, and what GDB read at the same moment."""

    def __init__(self, record, compiles, disassembly):
        self.number = record["number"]
        self.problems = record["problems"]
        self.documents = [load(path) for path in record["documents"]]
        self.codes = record["codes"]
        self.compiling = record["compiling"]
        self.alive = {executor["address"]: executor for executor in record["executors"]}
        self.compiles = compiles  # executor -> the emits of its last compile before this stop
        self.disassembly = disassembly

    def listings(self):
        """Every executor of every document: {executor: header, uops, regions}."""
        return [executor for document in self.documents for executor in document.get("data", {}).get("executors", ())]

    def findings(self):
        return [finding for document in self.documents for finding in document.get("findings", ())]


class Round:
    """What breakpoints on uops saw between two stops, and what the tool had said about these uops."""

    def __init__(self, record):
        self.problems, self.hits = record["problems"], record["hits"]
        self.listings = [listing for path in record["documents"] for listing in load(path)["data"]["executors"]]


class Recording:
    def __init__(self, path):
        self.stops, self.end, self.rounds = [], None, []
        compiles, disassembly = {}, []
        for record in records(path):
            kind = record["kind"]
            if kind == "compile":
                compiles[record["executor"]] = record["emits"]
            elif kind == "disassembly":
                disassembly = record["uops"]
            elif kind == "stop":
                self.stops.append(Stop(record, dict(compiles), disassembly))
                disassembly = []  # freed code may come back at the same address as other code
            elif kind == "round":
                self.rounds.append(Round(record))
            elif kind == "end":
                self.end = record


def records(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def address(text):
    """The number of an address string of the contract; 0 for null."""
    return int(text or "0", 16)
