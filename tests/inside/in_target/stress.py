"""Looks at a function again and again while other threads compile, invalidate and free executors.

usage: stress.py LISTINGS [--seconds N]
"""
import json
import random
import sys
import threading
import time

import cpyjit

THREADS = 2
WARM_UP = 500  # listings, after which memory is to grow no more
SOURCE = """
def made(n, step={number}):
    total = {number}
    for i in range(n):
        total += step if i % {modulus} else 1
        {more}
    return total
"""
listings, limit = int(sys.argv[1]), float(sys.argv[2])
done = threading.Event()
made_in_all = [0] * THREADS
flag = 0


def watched(n):
    total = 0
    for i in range(n):
        total += i + flag
    return total


def churn(thread):
    """Functions that are compiled and die, and now and then a global that invalidates what depends on it."""
    global flag
    choose = random.Random(thread)
    while not done.is_set():
        number = choose.randrange(1000)
        names = {}
        exec(SOURCE.format(number=number, modulus=choose.randrange(2, 9), more=choose.choice(
            ("pass", "total ^= i", "total = total + len('ab')", "total += flag")) ), {"flag": 1}, names)
        names["made"](5000)
        made_in_all[thread] += 1
        if number % 20 == 0:
            flag = number
            watched(5000)


def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 // 1024


def look(number):
    """One of the ways; what has gone meanwhile is a RuntimeError, and nothing else may be."""
    kind = number % 100
    try:
        if kind == 50:
            return len(cpyjit.listing(cpyjit.executors()).executors)
        if kind == 51:
            return len(cpyjit.listing(watched).to_html())
        found = cpyjit.listing(watched)
        return len(found) if kind % 10 == 0 else len(found.to_json())
    except RuntimeError:
        return None


sys.setswitchinterval(0.0005)
threads = [threading.Thread(target=churn, args=[number]) for number in range(THREADS)]
for thread in threads:
    thread.start()
watched(20000)
gone, found, started, before, number = 0, 0, time.monotonic(), 0, 0
for number in range(1, listings + 1):
    result = look(number)
    gone += result is None
    found += bool(result)
    if number == WARM_UP:
        before = resident()
    if time.monotonic() - started > limit:
        break
after = resident()
done.set()
for thread in threads:
    thread.join()
print(json.dumps({"listings": number, "found": found, "gone": gone, "made": sum(made_in_all), "before": before,
                  "after": after, "seconds": round(time.monotonic() - started, 1)}))
