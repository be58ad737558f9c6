"""Runs programs of pyperformance in this one process, then waits, with their machine code alive, for debuggers to attach.

    workload.py DRIVER BENCHMARKS NAME:LOOPS…

DRIVER is the folder with the stand-in for the module `pyperf` (tests/programs/benchmarks), BENCHMARKS the one with the
bm_NAME folders. Prints `ready` when it waits; ends when its standard input does.
"""
import ctypes
import os
import random
import runpy
import sys

PR_SET_PTRACER = 0x59616D61  # "Yama"


def run(driver, benchmarks, programs):
    """The namespaces of the programs: executors belong to code objects, so they must not be freed."""
    sys.path.insert(0, driver)
    import pyperf
    kept = []
    for program in programs:
        name, loops = program.split(":")
        path = os.path.join(benchmarks, f"bm_{name}", "run_benchmark.py")
        pyperf.LOOPS, ran_before = int(loops), pyperf.ran
        sys.argv = [path]
        random.seed(1)
        kept.append(runpy.run_path(path, run_name="__main__"))
        if pyperf.ran == ran_before:
            raise SystemExit(f"workload: {name} did not run")
    return kept


def let_any_debugger_attach():
    """Where only parents may trace, the kernel asks the process itself. Where there is no such rule, nothing happens."""
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_long(-1), 0, 0, 0)


def main():
    let_any_debugger_attach()
    kept = run(sys.argv[1], sys.argv[2], sys.argv[3:])
    print("ready", flush=True)
    sys.stdin.buffer.read()  # in C, so that being attached to leaves the executors as they are
    del kept


main()
