"""Every emitter of a build with random operands: what the tool rebuilds is what Unicorn's run of them wrote."""
import stencils
import synthetic
import targets
import unicorn_run

SEEDS = (1, 2, 3, 4)  # odd: far from CPython's own code; even: near, where the GOT is not needed
QUICK_SEEDS = (1, 2)


def check(target, folder, quick):
    core = target.core(targets.plan.program("loops"), folder)
    python = stencils.Python(target.entry, core)
    engine = unicorn_run.Unicorn(python)
    outcomes = [one_seed(target, folder, python, engine, seed) for seed in (QUICK_SEEDS if quick else SEEDS)]
    core.unlink()
    return outcomes


def one_seed(target, folder, python, engine, seed):
    size = synthetic.Executor(python, seed, 0).plan.allocation
    base = synthetic.FAR + seed * (1 << 32) if seed % 2 else synthetic.near(python, size)
    executor = synthetic.Executor(python, seed, base)
    engine.write(synthetic.EXECUTOR, executor.bytes())
    code = engine.rebuild(executor.plan, base, synthetic.EXECUTOR)
    path = folder / "synthetic.core"
    answers = []
    for changed in (None, seed * 7919 % executor.plan.size):
        data = bytearray(code)
        if changed is not None:
            data[changed] ^= 1
        synthetic.write_core(python.core, path, [(synthetic.EXECUTOR, executor.bytes()), (base, bytes(data))])
        found = targets.verify(target, ["--core", path, hex(synthetic.EXECUTOR)])
        answers.append(found["executors"][0]["bytes"])
    path.unlink()
    sound, damaged = answers
    problems = []
    if sound["verdict"] != "identical" or sound["compared"] != executor.plan.allocation:
        problems.append(f"{sound['verdict']}, {sound['compared']} bytes: {sound['difference'] or sound['reason'] or sound['gaps'][:2]}")
    if damaged["verdict"] != "differs":
        problems.append("a byte that was changed is not found")
    where = f"{'far' if seed % 2 else 'near'} code at {base:#x}, seed {seed}"
    return targets.Outcome("oracle", target.name, not problems,
                           "; ".join(problems) or f"{len(executor.opcodes)} emitters, {executor.plan.size} bytes equal; {where}")
