"""Scenarios on AArch64 targets: which debuggers, and what is typed in front of the scenario.

The stub of the emulator runs no second program: a scenario says `continue` where it would say `run`, and each session has
an emulator of its own.
"""
TARGETS = ("aarch64-3.14", "aarch64-3.15")
DEBUGGERS = ("gdb-18", "gdb-multiarch", "lldb-23")
EMULATED_ONLY = ("gdb-multiarch",)
TRIPLE = "aarch64-unknown-linux-gnu"


def fit(target, debugger):
    """Whether this debugger is one for this target."""
    return debugger in DEBUGGERS if target in TARGETS else debugger not in EMULATED_ONLY


def debug_directory(session):
    """An empty folder if the scenario wants no symbols: the executables themselves have none but the dynamic ones."""
    return str(session.debug_directory()) if session.scenario.symbols else session.target["debug_file_directory"]


def gdb_lines(session, port):
    """What is typed into GDB in front of the scenario."""
    target = session.target
    lines = [f"set sysroot {target['sysroot']}", f"set debug-file-directory {debug_directory(session)}",
             f'file "{session.words[0]}"', "handle SIGABRT stop print nopass"]
    if session.core:
        return [*lines, f"core-file {session.core}"]
    lines.append(f"target remote 127.0.0.1:{port}")
    lines += {"signal": ["continue"], "entry": []}[session.scenario.start]
    # The emulator has one thread for the program's first, and its number is the only one that both sides know.
    return [*lines, "python print('process', gdb.selected_thread().ptid[1])"]


def lldb_lines(session, port):
    """What is typed into LLDB in front of the scenario."""
    target = session.target
    lines = [f'settings set target.debug-file-search-paths "{debug_directory(session)}"',
             "settings set plugin.jit-loader.gdb.enable off",
             f'platform select --sysroot "{target["sysroot"]}" remote-linux']
    if session.core:
        return [*lines, f'target create -c "{session.core}" "{session.words[0]}"']
    lines += [f'target create --arch {TRIPLE} "{session.words[0]}"',
              f"process connect --plugin gdb-remote connect://127.0.0.1:{port}", "process handle SIGABRT -s true -p false"]
    lines += {"signal": ["process continue"], "entry": []}[session.scenario.start]
    return [*lines, "script print('process', lldb.debugger.GetSelectedTarget().GetProcess().GetThreadAtIndex(0).GetThreadID())"]
