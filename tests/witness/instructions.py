"""Machine instructions: the tool's boundaries, bytes, mnemonics and branch targets, against GDB's own disassembly."""
import bisect
import re

import recording
from outcome import Outcome

# Words that GDB writes before the mnemonic. The tool may put them in its mnemonic or leave them in front of it.
PREFIXES = ("rep", "repz", "repnz", "repe", "repne", "lock", "notrack", "bnd", "data16", "cs", "ds", "es", "fs", "gs", "ss")
# GDB's word, or whole text, and other spellings of the same bytes. Whatever is not here is a difference.
SPELLINGS = {
    "movabs": {"mov"},
    "b.cs": {"b.hs"},
    "b.cc": {"b.lo"},
    "xchg ax,ax": {"nop"},  # 66 90, the two-byte nop
}
BRANCH = re.compile(r"(?:j\w+|call|bl?|b\.\w+|cbn?z\s+\w+,|tbn?z\s+\w+,\s+#\w+,)\s+(0x[0-9a-f]+)")


def compare(recorded, target, program, minimums):
    outcome = Outcome("instructions", target, program, minimums)
    for stop in recorded.stops:
        if stop.disassembly:
            compare_stop(outcome, stop)
    return outcome


def compare_stop(outcome, stop):
    told = {recording.address(i["address"]): i for i in told_instructions(stop)}
    starts = sorted(told)
    for uop in stop.disassembly:
        first, end = uop["address"], uop["address"] + len(uop["bytes"]) // 2
        within = starts[bisect.bisect_left(starts, first):bisect.bisect_left(starts, end)]
        if not within and not is_listed(stop, first):
            continue  # a listing that was asked for without instructions
        outcome["boundaries"].equal([row[0] for row in uop["instructions"]], within, lambda: f"uop at {first:#x}")
        for address, length, text in uop["instructions"]:
            if address in told:
                compare_instruction(outcome, told[address], bytes_of(uop, address, length), text)


def told_instructions(stop):
    return (instruction for listing in stop.listings() for uop in listing["uops"] for instruction in uop["instructions"] or ())


def is_listed(stop, address):
    """Whether the tool was asked for the instructions at an address."""
    return any(recording.address(region["address"]) <= address < recording.address(region["address"]) + region["size"]
               for listing in stop.listings() if any(uop["instructions"] for uop in listing["uops"])
               for region in listing["regions"])


def bytes_of(uop, address, length):
    start = 2 * (address - uop["address"])
    return uop["bytes"][start:start + 2 * length]


def compare_instruction(outcome, told, raw, text):
    where = f"{told['address']} `{text}`"
    outcome["bytes"].equal((len(raw) // 2, raw), (told["size"], told["bytes"]), lambda: where)
    outcome["mnemonics"].check(same_mnemonic(text, mnemonic(told["mnemonic"])),
                               lambda: f"{where}: the tool says {told['mnemonic']}")
    branch = BRANCH.match(text)
    if branch:
        numbers = re.findall(r"0x[0-9a-f]+", told["operands"])
        outcome["branches"].equal(branch[1], numbers and numbers[-1], lambda: where)


def mnemonic(text):
    """The instruction's own word, without prefixes and operands."""
    for word in text.split():
        if word not in PREFIXES and not word.startswith("rex"):
            return word
    return text.strip()  # a prefix that stands alone


def same_mnemonic(text, theirs):
    ours, whole = mnemonic(text), " ".join(text.split())
    return theirs == ours or theirs in SPELLINGS.get(ours, ()) or theirs in SPELLINGS.get(whole, ())
