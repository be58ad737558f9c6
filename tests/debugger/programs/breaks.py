"""A loop with a call, hot in its first run; a second run and a third in the code that was compiled."""
import sys


def add(a, b):
    return a + b


def f(n):
    total = 0
    for i in range(n):
        total = add(total, i)
    return total


print(f(6000))
print(f(100), f(50))
sys.exit(3)
