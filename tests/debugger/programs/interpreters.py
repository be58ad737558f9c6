"""Two interpreters, each with a loop that could be compiled.

Stopped by SIGABRT twice: when the second interpreter has been made (a debugger can switch its JIT on, which CPython does
for the main one only), and inside the loop of the second one, in a thread of its own.
"""
import concurrent.interpreters
import os
import signal
import threading

ROUNDS = 20_000

INNER = """
import signal
import threading

SIGNALS = [0] * 20_000 + [signal.SIGABRT] + [0] * 8
ME = threading.get_ident()


def inner(rounds):
    total = 0
    for i in range(rounds):
        total += i & 3
        signal.pthread_kill(ME, SIGNALS[i])
    return total


inner(len(SIGNALS))
"""


def outer(rounds):
    total = 0
    for i in range(rounds):
        total += i & 7
    return total


outer(ROUNDS)
second = concurrent.interpreters.create()
os.kill(os.getpid(), signal.SIGABRT)
thread = threading.Thread(target=second.exec, args=(INNER,))
thread.start()
thread.join()
print("the end")
