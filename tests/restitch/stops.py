"""No false alarm: programs that are stopped at moments of chance, read through /proc."""
import os
import random
import signal
import time

import targets

PROGRAMS = ("go", "raytrace", "pyflate")
LOOPS = 100_000     # more than they get to
STOPS, QUICK_STOPS = 10, 2  # of each program
FIRST = 1.5         # seconds until there is something to look at
# An executor that is just being made has no code yet: nothing is wrong with it, and nothing can be compared.
UNFINISHED = "jit_code is NULL"
BETWEEN = 0.35      # seconds at most between two stops


def check(target, folder, benchmarks, quick):
    chance, problems, executors, stops, unfinished = random.Random(target.name), [], 0, 0, 0
    for name in PROGRAMS:
        program = targets.plan.Program("bm_" + name, targets.plan.BENCHMARK_DRIVER,
                                       benchmarks / f"bm_{name}" / "run_benchmark.py", LOOPS)
        process = target.start(program, folder)
        try:
            time.sleep(FIRST)
            for _ in range(QUICK_STOPS if quick else STOPS):
                time.sleep(chance.uniform(0, BETWEEN))
                found = stopped(target, process)
                stops, executors = stops + 1, executors + len(found)
                without = [one for one in found if UNFINISHED in (one["reason"] or "")]
                unfinished += len(without)
                problems += [f"{name}: {one['difference'] or one['reason'] or one['gaps'][:2]}"
                             for one in found if one["verdict"] != "identical" and one not in without]
        except Exception as error:
            problems.append(f"{name}: {error}")
        finally:
            process.kill()
            process.wait()
    if executors < stops:
        problems.append("too few executors")
    identical = executors - unfinished - len(problems)
    text = f"{stops} stops, {executors} executors, {identical} identical, {unfinished} without code yet"
    return targets.Outcome("stops", target.name, not problems, "; ".join([text, *problems]))


def stopped(target, process):
    """What is said of the executors while the process is held."""
    if process.poll() is not None:
        raise targets.Failure(f"the program ended with status {process.returncode}")
    os.kill(process.pid, signal.SIGSTOP)
    try:
        return [one["bytes"] for one in targets.verify(target, ["--pid", process.pid, "--all"])["executors"]]
    finally:
        os.kill(process.pid, signal.SIGCONT)
