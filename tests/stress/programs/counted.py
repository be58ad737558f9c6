"""Runs one loop for a known number of times between two signals to itself, twice: the second count is 1,000 more."""
import os
import signal


def f(n):
    total = 0
    for i in range(n):
        if i < 0:
            total = "never"
        total += i
    return total


def counted(n):
    os.kill(os.getpid(), signal.SIGUSR1)
    total = f(n)
    os.kill(os.getpid(), signal.SIGUSR1)
    return total


signal.signal(signal.SIGUSR1, lambda *_: None)
f(6000)
print(counted(200), counted(1200))
