"""Warms a loop up, stops once by SIGABRT, and then runs for ever."""
import itertools
import os
import signal


def spin(rounds):
    count = 0
    for _ in rounds:
        count = count + 1 & 0xFF
    return count


spin(range(20_000))
os.kill(os.getpid(), signal.SIGABRT)
spin(itertools.repeat(None))
