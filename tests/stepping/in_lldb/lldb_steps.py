"""Lets the tool step in LLDB, and records what it says and how long it takes. The same as in_gdb/steps.py."""
import json
import time

import lldb


class Program:
    """It, stopped where it sends itself SIGUSR1."""

    def __init__(self, debugger, words, variables):
        debugger.SetAsync(False)
        self.debugger = debugger
        self.target = debugger.CreateTarget(words[0])
        launch = lldb.SBLaunchInfo(words[1:])
        launch.SetEnvironmentEntries(["%s=%s" % pair for pair in variables.items()], True)
        error = lldb.SBError()
        # The signal is not passed on: it would end the program.
        self.command("process handle --pass false --stop true --notify false SIGUSR1")
        self.process = self.target.Launch(launch, error)
        if error.Fail():
            raise RuntimeError(error.GetCString())

    def command(self, text):
        said = lldb.SBCommandReturnObject()
        self.debugger.GetCommandInterpreter().HandleCommand(text, lldb.SBExecutionContext(self.target), said)
        return (said.GetOutput() or "") + (said.GetError() or "")

    def step(self, command):
        start = time.perf_counter()
        text = self.command(command)
        return {"command": command, "text": text, "seconds": time.perf_counter() - start}


def main(words, variables, commands, path):
    program = Program(lldb.debugger, words, variables)
    said = [program.step(command) for command in commands]
    program.command("jit-symbols off")  # what follows JIT code for them goes, too
    places = [str(breakpoint) for breakpoint in program.target.breakpoint_iter()]
    program.process.Continue()
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"said": said, "places": places, "exited": program.process.GetState() == lldb.eStateExited}, out)
