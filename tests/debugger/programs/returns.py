"""A loop whose executor goes on through the return of its function, to the one caller that there was until then.

Stopped by SIGABRT before another caller comes: what was compiled does not go on in it.
"""
import os
import signal


def inner(rounds):
    total = 0
    for number in range(rounds):
        total += number
    return total


def outer(rounds):
    total = 0
    for _ in range(rounds):
        total += inner(20)
    return total


print(outer(20_000))
os.kill(os.getpid(), signal.SIGABRT)
print(inner(30), "the end")
