"""A program to stop inside the JIT's machine code.    python3.15 demo.py [PROGRAM [ARGUMENT]...]

After half a second of running, a timer signal arrives, wherever the program is at that moment; a debugger that stops for
SIGVTALRM then shows it. Without a PROGRAM, a loop runs that is nearly always inside JIT code.
"""

import runpy
import signal
import sys

SECONDS = 0.5  # of processor time: long enough for the JIT to have compiled what is hot


def count(numbers, wanted):
    total = 0
    for number in numbers:
        if number == wanted:
            total += 1
    return total


def run_demo():
    numbers = list(range(1000))
    while True:
        count(numbers, 7)


signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS, SECONDS)
if len(sys.argv) > 1:
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
else:
    run_demo()
