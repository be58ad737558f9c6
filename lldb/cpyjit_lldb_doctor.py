"""Tells `cpyjit doctor` in one line about the LLDB that this runs in."""
import json
import re
import sys

import lldb


def file_of(name):
    return getattr(sys.modules.get(name), "__file__", None)


def debug_directories(debugger):
    """LLDB hands out the list as it prints it: `  [0]: /one  [1]: /other`."""
    printed = lldb.SBDebugger.GetInternalVariableValue("target.debug-file-search-paths", debugger.GetInstanceName())
    text = " ".join(printed.GetStringAtIndex(index) or "" for index in range(printed.GetSize()))
    return re.findall(r"\[\d+\]: (.*?)(?=\s+\[\d+\]: |\s*$)", text)


def __lldb_init_module(debugger, names):
    print("cpyjit-doctor " + json.dumps({
        "version": lldb.SBDebugger.GetVersionString().split("\n")[0].replace("lldb version ", ""),
        "python": list(sys.version_info[:3]),
        "commands": debugger.GetCommandInterpreter().UserCommandExists("jit-dis"),
        "script": file_of("cpyjit_lldb_commands"),
        "extension": file_of("cpyjit"),
        "debug_directories": debug_directories(debugger),
    }))
