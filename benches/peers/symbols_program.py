"""What in_gdb/symbols.py and in_lldb/symbols.py debug: stops in JIT code, then one with 50 functions compiled."""
import os
import signal

SOURCE = '''
def NAME(n):
    total = 0
    for i in range(n):
        total += i
    return total
'''


def compile_many(count):
    spaces = []
    for _ in range(count):
        space = {}
        exec(SOURCE.replace('NAME', 'f'), space)
        space['f'](4200)
        spaces.append(space)
    return spaces


def stops(n):
    numbers = [0] * 5000 + [signal.SIGUSR1] * n
    pid = os.getpid()
    for number in numbers:
        os.kill(pid, number)


def main():
    stops(21)  # that at which measuring begins, and ten of each kind
    kept = compile_many(50)
    os.kill(os.getpid(), signal.SIGUSR1)


main()
