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

    def ask(data):
        synthetic.write_core(python.core, path, [(synthetic.EXECUTOR, executor.bytes()), (base, data)])
        return targets.verify(target, ["--core", path, hex(synthetic.EXECUTOR)])["executors"][0]["bytes"]

    changed = seed * 7919 % executor.plan.size
    problems = differences(executor, ask(code))
    if ask(code[:changed] + bytes([code[changed] ^ 1]) + code[changed + 1:])["verdict"] != "differs":
        problems.append("a byte that was changed is not found")
    path.unlink()
    where = f"{'far' if seed % 2 else 'near'} code at {base:#x}, seed {seed}"
    figures = f"{len(executor.opcodes)} emitters, {executor.plan.size} bytes equal"
    return targets.Outcome("oracle", target.name, not problems, "; ".join([*(problems or [figures]), where]))


def differences(executor, found):
    if found["verdict"] == "identical" and found["compared"] == executor.plan.allocation:
        return []
    why = found["difference"] or found["reason"] or found["gaps"][:2]
    return [f"{found['verdict']}, {found['compared']} bytes: {why}"]
