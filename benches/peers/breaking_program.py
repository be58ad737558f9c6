"""What in_gdb/breaking.py debugs: six times 40 functions compiled, then a loop in which breakpoints are hit."""
import os
import signal

from compiled import compile_many


def signal_self():
    os.kill(os.getpid(), signal.SIGUSR1)


def hot(n):
    total = 0
    for i in range(n):
        total += i
    return total


def main():
    kept = []
    for name in ('f', 'alone', 'bare', 'few', 'many', 'shown'):
        kept += compile_many(40, name)
        signal_self()
    hot(6000)
    signal_self()
    hot(6000)
    signal_self()
    hot(6000)
    signal_self()
    hot(6000)
    signal_self()


main()
