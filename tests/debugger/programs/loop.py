"""Functions that call each other in a loop, all inlined into one trace; the lines are named in scenarios."""
import os
import sys


def leaf(a, b):
    c = a + b
    return c + 1                                        # line 8


def mid(a):
    return leaf(a, 7)                                   # line 12


def work(n):
    total = 0
    for i in range(n):
        total += mid(i & 1023)                          # line 18
    return total


print(work(int(sys.argv[1]) if len(sys.argv) > 1 else 20000))
if "abort" in sys.argv:
    os.abort()
print("end")
