"""Works for some seconds, whatever a debugger does with it meanwhile."""
import time


def f(n):
    total = 0
    for i in range(n):
        total += i
    return total


print(f(6000), flush=True)
total = 0
end = time.monotonic() + 600
for _ in range(900):
    total += f(40)
    time.sleep(0.003)
print(total, time.monotonic() < end)
