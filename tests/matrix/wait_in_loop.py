"""Warms up a few functions and then waits inside f's machine code until it is killed.

`os.read` returns at once from a file that is always ready, so the traces call it in every round; in the last round it is
given the end of a pipe into which nobody writes. Whoever attaches finds the process at that place, and it stays there.
"""
import os

ROUNDS = 20_000
READY = os.open("/dev/zero", os.O_RDONLY)
NEVER_READY, _KEPT_OPEN = os.pipe()
FILES = [READY] * ROUNDS + [NEVER_READY]


def add(one, other):
    return one + other


def f(rounds):
    total = 0
    for i in range(rounds):
        total = add(total, i & 3)
        os.read(FILES[i], 1)
    return total


class Counter:
    def __init__(self):
        self.count = 0

    def run(self, rounds):
        while self.count < rounds:
            self.count += 1
        return self.count


def squares(rounds):
    for i in range(rounds):
        yield i * i


def words(rounds):
    text = "größe"
    found = 0
    for i in range(rounds):
        try:
            found += len(text) if i % 5 else int("x")
        except ValueError:
            found -= 1
    return found


def invalidated(rounds):
    """Its executors die with the assignment below: globals that traces rely on are watched."""
    total = 0
    for i in range(rounds):
        total += LIMIT
    return total


LIMIT = 3
invalidated(ROUNDS)
LIMIT = 4
Counter().run(ROUNDS)
sum(squares(ROUNDS))
words(ROUNDS)
f(len(FILES))
