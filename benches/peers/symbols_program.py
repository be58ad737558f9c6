"""What in_gdb/symbols.py and in_lldb/symbols.py debug: stops in JIT code, then one with 50 functions compiled."""
import os
import signal

from compiled import compile_many


def stops(n):
    numbers = [0] * 5000 + [signal.SIGUSR1] * n
    pid = os.getpid()
    for number in numbers:
        os.kill(pid, number)


def main():
    stops(21)  # that at which measuring begins, and ten of each kind
    kept = compile_many(50, 'f')
    os.kill(os.getpid(), signal.SIGUSR1)


main()
