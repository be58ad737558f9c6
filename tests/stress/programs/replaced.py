"""Compiles a loop, and calls exec twice: each image compiles the loop anew. Between them it forks children that do the same
work, and the last image leaves the rest to one of them."""
import os
import sys


def f(n):
    total = 0
    for i in range(n):
        total += i
    return total


left = int(sys.argv[1])
print(left, f(4300), flush=True)
pid = os.fork()
if pid == 0:
    print("child", f(150), flush=True)
    os._exit(f(20) % 7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
if left:
    os.execv(sys.executable, [sys.executable, sys.argv[0], str(left - 1)])
sys.exit(5)
