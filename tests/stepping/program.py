"""What steps must follow: side exits, calls into C that run Python code again, exceptions, generators, inlined calls.

Everything is warmed up before the program stops itself; what comes behind is the same in each run.
"""
import os
import signal


def branches(rounds):
    total = 0
    for i in range(rounds):
        if i & 3 == 0:
            total += len(str(i))
        else:
            total += i * 2
    return total


def bits(number):
    total = 0
    for shift in range(3):
        total += (number >> shift) & 1
    return total


def sorting(rounds):
    """`sorted` calls `bits`, whose loop has machine code of its own."""
    found = 0
    for i in range(rounds):
        found += sorted([i, i + 1, i + 2], key=bits)[0]
    return found


def doubled(rounds):
    for i in range(rounds):
        yield i * 2


def generators(rounds):
    total = 0
    for value in doubled(rounds):
        total += value
    return total


def exceptions(rounds):
    count = 0
    for i in range(rounds):
        try:
            count += (1, 2, 3)[i % 5]
        except IndexError:
            count -= 1
    return count


class Counter:
    def __init__(self, step):
        self.step = step

    def advance(self, value):
        return value + self.step


def methods(rounds):
    value = 0.5
    for i in range(rounds):
        value = Counter(1.5).advance(value)
    return value


ALL = branches, sorting, generators, exceptions, methods


def main():
    warm = [function(6000) for function in ALL]
    os.kill(os.getpid(), signal.SIGUSR1)
    few = [[function(10) for function in ALL] for _ in range(40)]
    print(warm, few[-1])


main()
