"""One stop: the tool's documents, and beside them GDB's own reading of everything that those documents speak about."""
import json
import os

import gdb

import code_objects
import disassembly
import executors
import inferior

# `jit-dis --all` of a debug build would be some hundred MB of JSON. Above this much machine code the documents of single
# executors are asked for: all of them without instructions, and with instructions as many as stay below the limit.
MACHINE_CODE_LIMIT = 2 << 20


class Log:
    """A file with one JSON record a line."""

    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def write(self, **record):
        self.file.write(json.dumps(record) + "\n")


def record(make_session):
    """The program from its start to its end, with a session at work on it. The last record has what its `run` returns."""
    job = inferior.job()
    inferior.prepare(job["environment"])
    inferior.start(job)
    with Log(job["records"]) as log:
        log.write(kind="end", stops=make_session(job, log).run())
    if inferior.is_alive():
        gdb.execute("kill", to_string=True)


class Tool:
    """The commands of the tool under test, loaded at their first use."""

    loaded = False

    def __init__(self, script, directory):
        self.script, self.directory = script, directory
        self.problems, self.documents = [], []

    def ask(self, command, name):
        """Runs one command, its answer to a new file; what went wrong is kept as text."""
        path = os.path.join(self.directory, name + ".json")
        try:
            self.load()
            gdb.execute(f"{command} --json -o {path}", to_string=True)
        except gdb.error as error:
            self.problems.append(f"{command}: {error}")
        if not os.path.exists(path):
            self.problems.append(f"{command}: wrote no file")
            return None
        self.documents.append(path)
        with open(path, encoding="utf-8") as file:
            return json.load(file)

    def load(self):
        if not Tool.loaded:
            gdb.execute(f"source {self.script}", to_string=True)
            # Frames are those of the processor, one for each call: inlined ones are for tests/symbols.
            gdb.execute("set jit symbols off", to_string=True)
            Tool.loaded = True

    def listings(self, name, code_bytes):
        """The listing documents of all executors, with instructions as far as the limit allows."""
        if code_bytes <= MACHINE_CODE_LIMIT:
            return [self.ask("jit-dis --all", name)]
        return [self.one_listing(name, *wanted) for wanted in enumerate(self.within_limit(self.headers(name)))]

    def traces(self, name):
        """The listing documents of all executors, without instructions."""
        return [self.one_listing(name, index, (header, False)) for index, header in enumerate(self.headers(name))]

    def headers(self, name):
        document = self.ask("jit-list", name + "-list")
        if document:
            self.documents.pop()  # it only names the executors
        return document["data"]["executors"] if document else []

    @staticmethod
    def within_limit(headers):
        """(header, whether its instructions are wanted too)"""
        left = MACHINE_CODE_LIMIT
        for header in headers:
            left -= header["code"]["mapped"] or 0
            yield header, left > 0

    def one_listing(self, name, index, wanted):
        header, with_instructions = wanted
        command = "jit-dis" if with_instructions else "jit-trace"
        return self.ask(f"{command} {header['address']}", f"{name}-{index}")


def take(job, log, compiles, number, compiling):
    """Asks the tool about all executors and records GDB's view of the same moment.

    `compiles`: executor -> its emits; `compiling`: the executor whose compile has just begun, or None.
    """
    alive = executors.alive({executor: emits[0][2] for executor, emits in compiles.items()})
    valid = [executor["address"] for executor in alive if executor["valid"]]
    if valid and job["disassemble"]:
        log.write(kind="disassembly", stop=number, uops=disassembly.of_compiles([compiles[address] for address in valid]))
    tool = Tool(job["tool"], job["documents"])
    # Without valid executors the tool may have nothing to list, and says so.
    documents = tool.listings(f"stop{number}", sum(executor["mapped"] for executor in alive)) if valid else []
    codes = code_objects.describe_all(sorted(named_codes(documents)))
    log.write(kind="stop", number=number, documents=tool.documents, problems=tool.problems, executors=alive, codes=codes,
              compiling=compiling)
    return documents


def named_codes(documents):
    """The addresses of all code objects that the documents name."""
    uops = (uop for document in documents if document for executor in document["data"].get("executors", ())
            for uop in executor["uops"])
    return {int(uop["code"]["object"], 16) for uop in uops if uop.get("code")}
