"""Executors of real programs, from core dumps: every byte is what the emitters write."""
import collections
import time

import targets

FEW = 3             # programs of a target in quick mode, but for the main ones
MAIN = ("3.14", "3.15")
QUICK_BENCHMARKS = ("nbody", "richards", "go", "fannkuch", "float", "chaos")
LEAST = 20          # programs of a target in full mode
Sum = collections.namedtuple("Sum", "programs executors uops bytes identical seconds")


def chosen(target, benchmarks, quick):
    own = targets.plan.programs(False)
    if quick and target.name not in MAIN:
        return own[:FEW]
    names = {**targets.plan.BENCHMARKS, **targets.plan.MORE_BENCHMARKS}
    if quick:
        names = {name: 1 for name in QUICK_BENCHMARKS}
    elif target.is_emulated or target.is_debug_build:
        names = {name: 1 for name in (*QUICK_BENCHMARKS, "hexiom")}
    driver = targets.plan.BENCHMARK_DRIVER
    return own + [targets.plan.Program("bm_" + name, driver, benchmarks / f"bm_{name}" / "run_benchmark.py", loops)
                  for name, loops in names.items()]


def check(target, folder, benchmarks, quick):
    """(outcome, sums)."""
    problems, total = [], collections.Counter()
    for program in chosen(target, benchmarks, quick):
        try:
            problems += one(target, folder, program, total)
        except Exception as error:
            problems.append(f"{program.name}: {error}")
    least = FEW if quick and target.name not in MAIN else LEAST
    if total["programs"] < least or total["executors"] < total["programs"]:
        problems.append("too few programs or executors")
    text = (f"{total['programs']} programs, {total['executors']} executors, {total['uops']} uops, {total['bytes']} bytes, "
            f"{total['identical']} identical, verified in {total['milliseconds'] / 1000:.1f} s with start")
    return targets.Outcome("programs", target.name, not problems, "; ".join([text, *problems])), total


def one(target, folder, program, total):
    core = target.core(program, folder)
    started = time.monotonic()
    try:
        found = targets.verify(target, ["--core", core, "--all"])
    finally:
        core.unlink()
    total["milliseconds"] += int(1000 * (time.monotonic() - started))
    sums = found["bytes"]
    total["programs"] += 1
    total["executors"] += len(found["executors"])
    total["uops"] += sums["uops"]
    total["bytes"] += sums["compared"]
    total["identical"] += sums["identical"]
    wrong = [one["bytes"] for one in found["executors"] if one["bytes"]["verdict"] != "identical"]
    problems = [f"{program.name}: {bytes_['difference'] or bytes_['reason'] or bytes_['gaps'][:2]}" for bytes_ in wrong]
    if sums["identical"] + sums["different"] + sums["not_checkable"] != len(found["executors"]) or found["unreadable"]:
        problems.append(f"{program.name}: the sums do not fit")
    return problems
