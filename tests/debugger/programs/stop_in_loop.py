"""Warms up a few functions and is stopped by SIGABRT inside f's machine code.

`os.kill` with signal 0 does nothing, so the traces call it in every round, and the one round with SIGABRT stops the
program there in every debugger, without a breakpoint; the kernel makes a core dump of the same place.
"""
import os
import signal

ROUNDS = 20_000
SIGNALS = [0] * ROUNDS + [signal.SIGABRT] + [0] * 8
ME = os.getpid()


def f(rounds):
    total = 0
    for i in range(rounds):
        total += i & 3
        os.kill(ME, SIGNALS[i])
    return total


class Counter:
    def __init__(self):
        self.count = 0

    def run(self, rounds):
        while self.count < rounds:
            self.count += 1
        return self.count


def make_twin():
    def twin(rounds):
        product = 1
        for i in range(rounds):
            product = product * 3 & 0xFFFF
        return product
    return twin


def make_other_twin():
    def twin(rounds):
        text = 0
        for i in range(rounds):
            text = text ^ i
        return text
    return twin


Counter().run(ROUNDS)
make_twin()(ROUNDS)
make_other_twin()(ROUNDS)
f(len(SIGNALS))
f(1_000)
print("the end")
