"""Functions with a loop each, and one that is stopped by SIGABRT inside its machine code four times: fifty executors. Then all
others are made anew, with other names and constants, mostly where the old ones were, and it is stopped once more."""
import os
import signal
import sys

EXECUTORS = 50
STAND_INS = 2 if sys.version_info >= (3, 15) else 0  # for exits without an executor
FUNCTIONS = EXECUTORS - STAND_INS - 1
ROUNDS = 6_000
BETWEEN = 30  # rounds between two stops
STOPS = 4
ME = os.getpid()

TEXT = """
def {name}_{number}(rounds):
    total_{name} = 0
    for step in range(rounds):
        total_{name} += step & {mask}
        if total_{name} > {limit}:
            total_{name} = total_{name} - {less}
    return total_{name}
"""


def made(name, base):
    """The functions, each compiled by itself: what is freed of them can be taken by the next ones."""
    functions = []
    for number in range(FUNCTIONS):
        space = {}
        text = TEXT.format(name=name, number=number, mask=number + 1, limit=base + number, less=base - 100 + number)
        exec(compile(text, __file__, "exec"), space)
        functions.append(space[f"{name}_{number}"])
    return functions


def work(functions):
    for function in functions:
        function(ROUNDS)


def f(signals):
    total = 0
    for i in range(len(signals)):
        total += i & 3
        os.kill(ME, signals[i])
    return total


functions = made("first", 1000)
work(functions)
f([0] * ROUNDS + ([signal.SIGABRT] + [0] * BETWEEN) * STOPS)
del functions
functions = made("other", 2000)
work(functions)
f([0] * ROUNDS + [signal.SIGABRT] + [0] * BETWEEN)
