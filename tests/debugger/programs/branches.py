"""Warms loops up whose branches go both ways, so that side exits become hot and get executors of their own, and is
stopped by SIGABRT inside the machine code of the outermost one.

`os.kill` with signal 0 does nothing: see stop_in_loop.py.
"""
import os
import signal

ROUNDS = 60_000
SIGNALS = [0] * ROUNDS + [signal.SIGABRT] + [0] * 8
ME = os.getpid()


def step(value):
    try:
        if value % 3:
            return value + 1
        return value - 1
    except TypeError:
        raise


def classify(rounds, /, names=("even", "odd"), *, scale=2.5):
    even = odd = 0
    text = ""
    for i in range(rounds):
        if i & 1:
            odd += step(i)
        else:
            even = even + i * scale
            text = names[0] if i < 30_000 else names[1]
    return even, odd, text


def signals(rounds):
    hits = 0
    for i in range(rounds):
        if i % 5 == 0:
            hits += 1
        os.kill(ME, SIGNALS[i])
    return hits


classify(ROUNDS)
signals(len(SIGNALS))
print("the end")
