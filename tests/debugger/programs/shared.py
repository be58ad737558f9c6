"""Two functions of the same lines, of which one runs a branch that the other does not. The lines are those of SOURCE, and are
named in scenarios."""
import os
import signal

SOURCE = """\
def f(rounds, branch):
    total = 0
    for number in range(rounds):
        if branch:
            total ^= 1
        total += number
    return total
"""


def made():
    space = {}
    exec(compile(SOURCE, "branch.py", "exec"), space)
    return space["f"]


with_branch, without = made(), made()
print(with_branch(20000, True), without(20000, False))
os.kill(os.getpid(), signal.SIGUSR1)
print(without(20000, False))
