"""Writes the index of a testbed tree, after trying out every target and debugger in it.

Started by scripts/testbed:  testbed_index.py TREE TRIPLET LLDB_MAJOR      writes TREE/testbed.json, summary.txt, missing.txt
                             testbed_index.py --path TREE [NAME]          prints the path of the tree or of one entry

testbed.json, format 1:
  format, recipe, tree
  targets     name -> path, kind ("release", "debug", "embedded", "embedded-debug", "emulated"), version ("3.15.2"), build_id (of the
              file that holds the JIT), jit_file (that file), debug_file_directory, debug_file (null: symbols are in
              jit_file itself); emulated ones also sysroot, and emulator: the words in front of the path that run it
  debuggers   name -> path (the launcher), program, kind ("gdb", "lldb"), version, python (of the embedded one),
              emulated_only (true: it is there for emulated targets alone)
  python      the debuggers' venv Python, which has capstone; null if there is none
  benchmarks  directory, names; null if there are none
  missing     name -> reason, for everything that should be there and is not
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

FORMAT = 1
VERSIONS = ("3.14", "3.15")
FLAVOURS = (("", "release"), ("d", "debug"))
EMULATED = "aarch64-"
# The emulator's own choice of a processor signs return addresses, and its stub does not tell debuggers how to strip that.
EMULATOR = ("qemu-aarch64", "-cpu", "cortex-a72")
EMULATED_ONLY = "gdb-multiarch"
PROBE_LIMIT = 120  # seconds; a debug build's first start writes no .pyc and takes half a second
MARK = "cpyjit-probe"
TARGET_PROBE = "import sys; print(sys.version.split()[0], sys._jit.is_available(), sys._jit.is_enabled())"
GDB_PROBE = f"python import sys; print('{MARK}', gdb.VERSION.split()[-1], sys.version.split()[0])"
LLDB_PROBE = (
    "script import sys, lldb, re; "
    f"print('{MARK}', re.search(r'[0-9][0-9.]*', lldb.SBDebugger.GetVersionString()).group(), sys.version.split()[0])"
)
BUILD_ID_NOTE = re.compile(rb"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0(.{20})", re.DOTALL)
BUILD_ID_WITHIN = 1 << 16  # the linker puts the note right behind the program headers


class Missing(Exception):
    """Something that should be in the tree is not; the message is the reason."""


class Broken(Missing):
    """It is there and does not work. Perhaps the machine was only too busy: the next run of scripts/testbed tries again."""


def on_aarch64():
    """Whether this machine is what the emulated targets are for."""
    return os.uname().machine == "aarch64"


def output_of(command, **variables):
    """What the command printed; Missing with its complaint if it failed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | variables
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PROBE_LIMIT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Broken(f"does not run: {error}") from error
    if done.returncode:
        complaint = (done.stderr or done.stdout).strip().splitlines() or [""]
        raise Broken(f"does not run: status {done.returncode} {complaint[-1]}".strip())
    return done.stdout


def build_id(path):
    """The GNU build id of an ELF file, in hexadecimal."""
    with open(path, "rb") as file:
        note = BUILD_ID_NOTE.search(file.read(BUILD_ID_WITHIN))
    if note is None:
        raise Broken(f"{path} has no build id")
    return note.group(1).hex()


def reason_of_step(tree, name, otherwise):
    """Why a step of scripts/testbed failed, in its own words."""
    file = tree / "failed" / name
    return file.read_text().strip() if file.exists() else otherwise


def examine_target(tree, name, kind, triplet):
    """The index entry of one CPython."""
    binary_name = name if kind.startswith("embedded") else f"python{name}"
    path = tree / "targets/usr/bin" / binary_name
    if not path.exists():
        step = "embed" if kind.startswith("embedded") and (tree / "done/targets").exists() else "targets"
        raise Missing(reason_of_step(tree, step, f"Debian's packages did not bring {binary_name}"))
    version, available, enabled = output_of([path, "-c", TARGET_PROBE], PYTHON_JIT="1").split()
    if "True" != available or "True" != enabled:
        raise Broken(f"its JIT is not there (available: {available}, enabled: {enabled})")
    library = tree / f"targets/usr/lib/{triplet}/lib{name.replace('embed', 'python')}.so.1.0"
    jit_file = library if kind.startswith("embedded") else path
    return described(path, jit_file, tree / "targets/usr/lib/debug", kind, version)


def described(path, jit_file, debug_directory, kind, version):
    """What the index says of every target."""
    identity = build_id(jit_file)
    debug_file = debug_directory / ".build-id" / identity[:2] / f"{identity[2:]}.debug"
    return {
        "path": str(path),
        "kind": kind,
        "version": version,
        "build_id": identity,
        "jit_file": str(jit_file),
        "debug_file_directory": str(debug_directory),
        "debug_file": str(debug_file) if debug_file.exists() else None,
    }


def examine_emulated(tree, name):
    """The index entry of a CPython for the other architecture."""
    if on_aarch64():
        raise Missing("this machine is AArch64 itself, and so are its other targets")
    emulator = shutil.which(EMULATOR[0])
    if emulator is None:
        raise Missing(f"there is no {EMULATOR[0]}; scripts/setup emulator installs it")
    sysroot = tree / "emulated"
    path = sysroot / f"usr/bin/python{name.removeprefix(EMULATED)}"
    if not path.exists():
        raise Missing(reason_of_step(tree, "emulated", f"Debian's packages did not bring {path.name} for AArch64"))
    command = [emulator, *EMULATOR[1:], "-L", str(sysroot)]
    version, available, enabled = output_of([*command, "-E", "PYTHON_JIT=1", path, "-c", TARGET_PROBE]).split()
    if "True" != available or "True" != enabled:
        raise Broken(f"its JIT is not there (available: {available}, enabled: {enabled})")
    entry = described(path, path, sysroot / "usr/lib/debug", "emulated", version)
    return entry | {"sysroot": str(sysroot), "emulator": command}


def examine_debugger(tree, name):
    """The index entry of one debugger."""
    launcher = tree / "bin" / name
    kind = name.partition("-")[0]
    if not launcher.exists():
        from_pypi = name in ("gdb-18", "lldb-23")
        raise Missing(reason_of_step(tree, "debuggers", "?") if from_pypi else "not installed; run scripts/setup")
    probe = ["-batch", "-ex", GDB_PROBE] if kind == "gdb" else ["-b", "-o", LLDB_PROBE]
    printed = re.search(rf"^{MARK} (\S+) (\S+)$", output_of([launcher, *probe]), re.MULTILINE)
    if printed is None:
        raise Broken("its Python does not work")
    program = re.search(r"^exec (\S+)", launcher.read_text(), re.MULTILINE)
    return {
        "path": str(launcher),
        "program": program.group(1) if program and name not in ("gdb-18", "lldb-23") else str(launcher),
        "kind": kind,
        "version": printed.group(1),
        "python": printed.group(2),
        "emulated_only": name == EMULATED_ONLY,
    }


def wanted_targets():
    """Name and kind of every CPython that a complete tree has."""
    for prefix, embedded in (("", ""), ("embed", "embedded")):
        for suffix, flavour in FLAVOURS:
            for version in VERSIONS:
                kind = "-".join(filter(None, (embedded, flavour))).replace("embedded-release", "embedded")
                yield f"{prefix}{version}{suffix}", kind


def examine_all(jobs, missing, broken):
    """Runs name -> callable side by side; what is not there goes to `missing`, what does not work to `broken` too."""
    found = {}
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for name, future in [(name, pool.submit(job)) for name, job in jobs.items()]:
            try:
                found[name] = future.result()
            except Missing as reason:
                missing[name] = str(reason)
                if isinstance(reason, Broken):
                    broken.append(name)
    return found


def examine_benchmarks(tree, missing):
    """The programs of pyperformance."""
    directory = tree / "benchmarks"
    if not (tree / "done/benchmarks").exists():
        missing["benchmarks"] = reason_of_step(tree, "benchmarks", "not fetched")
        return None
    return {"directory": str(directory), "names": sorted(path.name for path in directory.glob("bm_*"))}


def make_index(tree, triplet, lldb_major, broken):
    """The whole index as plain data."""
    missing = {}
    debuggers = ("gdb-host", "gdb-18", f"lldb-{lldb_major}", "lldb-23", EMULATED_ONLY)
    targets = {name: lambda n=name, k=kind: examine_target(tree, n, k, triplet) for name, kind in wanted_targets()}
    targets |= {name: lambda n=name: examine_emulated(tree, n) for name in (EMULATED + version for version in VERSIONS)}
    python = tree / "venv/bin/python"
    return {
        "format": FORMAT,
        "recipe": (tree / "recipe").read_text().strip(),
        "tree": str(tree),
        "targets": examine_all(targets, missing, broken),
        "debuggers": examine_all({name: lambda n=name: examine_debugger(tree, n) for name in debuggers}, missing, broken),
        "python": str(python) if (tree / "done/debuggers").exists() else None,
        "benchmarks": examine_benchmarks(tree, missing),
        "missing": missing,
    }


def summary(index):
    """The index for people."""
    lines = [f"testbed  {index['tree']}", "targets"]
    for name, target in index["targets"].items():
        symbols = "symbols in a debug file" if target["debug_file"] else "symbols inside"
        lines.append(f"  {name:<13} CPython {target['version']:<9} {target['kind']:<15} {target['build_id'][:12]}  {symbols}")
    lines.append("debuggers")
    for name, debugger in index["debuggers"].items():
        lines.append(f"  {name:<13} {debugger['version']:<17} with Python {debugger['python']}")
    if index["benchmarks"]:
        lines += ["benchmarks", f"  {len(index['benchmarks']['names'])} programs of pyperformance"]
    if index["missing"]:
        lines.append("missing")
        lines += [f"  {name:<13} {reason}" for name, reason in index["missing"].items()]
    return "\n".join(lines) + "\n"


def write_atomically(path, text):
    """A reader sees the old file or the new one."""
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.replace(path)


def write_index(tree, triplet, lldb_major):
    """testbed.json comes last: it is what says that the tree can be used."""
    broken = []
    index = make_index(tree, triplet, lldb_major, broken)
    again = tree / "failed/examination"
    again.unlink(missing_ok=True)
    if broken:
        again.write_text(", ".join(broken) + "\n")
    not_required = ("benchmarks", *((EMULATED + version for version in VERSIONS) if on_aarch64() else ()))
    required = [name for name in index["missing"] if name not in not_required]
    write_atomically(tree / "missing.txt", "".join(f"{name}\n" for name in required))
    write_atomically(tree / "summary.txt", summary(index))
    write_atomically(tree / "testbed.json", json.dumps(index, indent=2) + "\n")


def path_of(index, name):
    """The path of the tree, or of one thing in it; an unknown name is an error that lists the known ones."""
    if not name:
        return index["tree"]
    entries = index["targets"] | index["debuggers"]
    if name in entries:
        return entries[name]["path"]
    reason = index["missing"].get(name)
    known = ", ".join(entries)
    raise SystemExit(f"testbed: {name} is missing: {reason}" if reason else f"testbed: no '{name}' here; there are: {known}")


def main(arguments):
    """Dispatches on the first argument."""
    if arguments[0] == "--path":
        index = json.loads((pathlib.Path(arguments[1]) / "testbed.json").read_text())
        print(path_of(index, "".join(arguments[2:3])))
    else:
        write_index(pathlib.Path(arguments[0]), arguments[1], arguments[2])


if __name__ == "__main__":
    main(sys.argv[1:])
