"""Stops by SIGABRT while an executor that has become invalid waits for a call to return, and others are invalid too.

`max` calls `abs` in every round but the last, when it calls `stop`: that changes the global on which all executors
here depend, so they are invalid when the program stops.
"""
import os
import signal

ROUNDS = 9_000
SCALE = 3


def stop(item):
    global SCALE
    SCALE = 4
    os.kill(os.getpid(), signal.SIGABRT)
    return item


def scaled(rounds):
    total = 0
    for i in range(rounds):
        total += i * SCALE
    return total


def waiting(keys):
    total = 0
    for key in keys:
        total += SCALE
        total += max((-1, 1), key=key)
    return total


scaled(ROUNDS)
waiting([abs] * ROUNDS + [stop])
