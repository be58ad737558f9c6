"""What is found, as plain objects: executors, uops, instructions and listings of them."""
from collections import namedtuple

SHOWN_NAMES = 3  # functions that a short text of a listing names


def _number(text):
    """64-bit values are strings in JSON."""
    return None if text is None else int(text, 16)


class Finding(namedtuple("Finding", "severity what address hint")):
    """Something odd or missing: how bad it is ("error", "warning", "note"), what, where, and what to do."""

    __slots__ = ()

    @classmethod
    def of(cls, data):
        return cls(data["severity"], data["what"], _number(data["address"]), data["hint"])

    def __str__(self):
        return f"{self.severity}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class Executor(namedtuple("Executor", "index address function qualname filename firstlineno line bytecode_offset uop_count "
                                      "exit_count code_address code_size mapped valid linked warm pending_deletion "
                                      "running_in chain_depth parents found_by")):
    """The machine code of one trace, as it was when it was looked at.

    `line` and `bytecode_offset` are where bytecode enters it, None if only side exits lead to it; `code_size` are the
    bytes of machine code, `mapped` those of the allocation.
    """

    __slots__ = ()

    @classmethod
    def of(cls, header):
        entry, code, state = header["entry"] or {}, header["code"], header["state"]
        parents = tuple((_number(one["executor"]), one["exit"]) for one in header["parents"])
        return cls(header["index"], _number(header["address"]), header["function"], header["qualname"],
                   header["filename"], header["firstlineno"], entry.get("line"), entry.get("bytecode_offset"),
                   header["uop_count"], header["exit_count"], _number(code["address"]), code["size"], code["mapped"],
                   state["valid"], state["linked"], state["warm"], state["pending_deletion"],
                   tuple(state["running_in"]), header["chain_depth"], parents, tuple(header["found_by"]))

    @property
    def state(self):
        """The flags in words, as the listing has them."""
        words = ["valid" if self.valid else "invalid"]
        words += ["warm"] if self.warm else []
        words += ["waits for being freed"] if self.pending_deletion else []
        words += ["running"] if self.running_in else []
        return ", ".join(words)

    def dis(self, **options):
        """Print its listing, with the options of `cpyjit.dis`."""
        from ._inside import dis
        dis(self, **options)

    def listing(self, **options):
        """Its listing, with the options of `cpyjit.listing`."""
        from ._inside import listing
        return listing(self, **options)

    def __repr__(self):
        number = "" if self.index is None else f"#{self.index} "
        place = f" ({self.filename}:{self.line or self.firstlineno})" if self.filename else ""
        name = self.qualname or ("cold exit" if "cold" in self.found_by else "?")
        return f"<executor {number}{name}{place}: {self.uop_count} uops, {self.code_size} bytes, {self.state}>"


class Executors(list):
    """A list of executors that shows itself with one a line."""

    __slots__ = ()

    def __repr__(self):
        return "[" + ",\n ".join(map(repr, self)) + "]"


class Uop(namedtuple("Uop", "executor index name base opcode oparg operand0 operand1 target jump_target error_target address "
                            "size ranges function filename line bytecode_offset opname depth exit stack instructions")):
    """One of the small steps into which a trace takes bytecode apart, with its machine code.

    `function`, `filename`, `line`, `bytecode_offset` and `opname` are the place in the program that it comes from, None
    where that is not known; `depth` counts the inlined frames below it. `address` and `size` are of its first range.
    """

    __slots__ = ()

    @classmethod
    def of(cls, row, executor):
        ranges = tuple((_number(one["address"]), one["size"]) for one in row["ranges"])
        address, size = ranges[0] if ranges else (None, 0)
        code, bytecode = row["code"] or {}, row["bytecode"] or {}
        instructions = (Instruction.of(one, row) for one in row["instructions"] or ())
        return cls(executor, row["index"], row["name"], row["base"], row["opcode"], row["oparg"],
                   _number(row["operand0"]), _number(row["operand1"]), row["target"], row["jump_target"],
                   row["error_target"], address, size, ranges, code.get("qualname"), code.get("filename"), row["line"],
                   bytecode.get("offset"), bytecode.get("opname"), row["depth"], row["exit"], row["stack"],
                   tuple(instructions))

    def __repr__(self):
        place = "" if self.line is None else f" of line {self.line}"
        at = "" if self.address is None else f" at {self.address:#x}"
        return f"<uop {self.index} {self.name}{place}{at}>"


class Instruction(namedtuple("Instruction", "address size bytes mnemonic operands notes uop_index uop_name line")):
    """A machine instruction; `notes` say what it means, the best first, and `line` is the source line of its uop."""

    __slots__ = ()

    @classmethod
    def of(cls, row, uop):
        notes = tuple(note["text"] for note in row["notes"])
        return cls(_number(row["address"]), row["size"], bytes.fromhex(row["bytes"]), row["mnemonic"], row["operands"],
                   notes, uop["index"], uop["name"], uop["line"])

    def __repr__(self):
        return f"<instruction {self}>"

    def __str__(self):
        remark = f"   ; {self.notes[0]}" if self.notes else ""
        return f"{self.address:#x} {self.mnemonic} {self.operands}".rstrip() + remark


class Listing:
    """Listings of executors as they were when they were made. Iterating gives their uops; false if there are none."""

    __slots__ = ("_inside", "_native", "_parsed", "_page")

    def __init__(self, inside, native):
        self._inside, self._native, self._parsed, self._page = inside, native, None, None

    @property
    def executors(self):
        """The executors, each an `Executor`."""
        return Executors(self._content()[0])

    @property
    def uops(self):
        """All their uops, in the order of the traces."""
        return self._content()[1]

    @property
    def findings(self):
        """What was odd or missing, each a `Finding`; why the listing is empty, if it is."""
        return self._content()[2]

    def text(self, *, show_source=True, show_bytecode=True, show_offsets=False, show_bytes=False, notes=True, quiet=False,
             arrows=True, ascii=False, color=False, width=0):
        """The text that `cpyjit.dis` prints, for a terminal of `width` columns (0: lines of any length)."""
        if notes not in (True, False, "all"):
            raise ValueError(f"notes are True, False or 'all', not {notes!r}")
        chosen = (("--no-source", not show_source), ("--no-bytecode", not show_bytecode), ("--offsets", show_offsets),
                  ("--bytes", show_bytes), ("--all-notes", notes == "all" and not quiet), ("--quiet", quiet),
                  ("--arrows=off", not arrows), ("--ascii", ascii))
        options = [word for word, wanted in chosen if wanted]
        return self._native.text(options, width=width, color=color, ascii=ascii)

    def to_json(self):
        """The JSON document that `jit-dis --json` prints in a debugger, but for `target.kind`, which is "self"."""
        return self._native.json()

    def to_dict(self):
        """The same as dictionaries and lists."""
        import json
        return json.loads(self.to_json())

    def to_html(self):
        """A page for a browser, in one piece: source, bytecode, uops and machine code side by side.

        It also shows the source and bytecode of whole functions and what else leads there; that is looked up when the
        page is first asked for.
        """
        if self._page is None:
            self._page = self._inside.html(self._native)
        return self._page

    def _content(self):
        if self._parsed is None:
            document = self.to_dict()
            executors, uops = [], []
            for one in document["data"]["executors"]:
                executors.append(Executor.of(one["executor"]))
                uops.extend(Uop.of(row, executors[-1]) for row in one["uops"])
            self._parsed = executors, uops, [Finding.of(finding) for finding in document["findings"]]
        return self._parsed

    def _repr_html_(self):
        """For notebooks: the page in a frame of its own, where it can touch nothing of the notebook's."""
        import base64
        import html
        if not self.executors:
            return f"<pre>{html.escape(str(self))}</pre>"
        # Not srcdoc: there, browsers take links inside of the page for links into the notebook.
        page = base64.b64encode(self.to_html().encode("utf-8", "replace")).decode("ascii")
        return (f'<iframe sandbox="allow-scripts" src="data:text/html;charset=utf-8;base64,{page}" style="width: 100%; '
                'height: 40em; border: 1px solid silver; resize: vertical"></iframe>')

    def __iter__(self):
        return iter(self.uops)

    def __len__(self):
        return len(self.uops)

    def __str__(self):
        return self.text()

    def __repr__(self):
        if not self.executors:
            return f"<cpyjit listing of nothing: {'; '.join(map(str, self.findings))}>"
        names = list(dict.fromkeys(one.qualname or "?" for one in self.executors))
        more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
        count = len(self.executors)
        return (f"<cpyjit listing of {', '.join(names[:SHOWN_NAMES])}{more}: {count} executor{'s' * (count > 1)}, "
                f"{len(self.uops)} uops, {sum(one.code_size for one in self.executors)} bytes>")
