"""Works for some seconds, whatever a debugger does with it meanwhile. With the argument `wait` not before one is there: on a
busy machine it comes late."""
import sys
import time

PATIENCE = 120  # seconds


def f(n):
    total = 0
    for i in range(n):
        total += i
    return total


def is_traced():
    with open("/proc/self/status", encoding="ascii") as status:
        return "TracerPid:\t0\n" not in status.read()


print(f(6000), flush=True)
total = 0
end = time.monotonic() + PATIENCE
while "wait" in sys.argv and not is_traced() and time.monotonic() < end:
    time.sleep(0.01)
end = time.monotonic() + 600
for _ in range(900):
    total += f(40)
    time.sleep(0.003)
print(total, time.monotonic() < end)
