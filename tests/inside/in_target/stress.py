"""Looks at a function again and again while other threads compile, invalidate and free executors.

usage: stress.py LISTINGS ALONE

Then it looks ALONE times more while nothing else happens: what it grows by then is its own.
"""
import gc
import json
import random
import sys
import threading
import time

import cpyjit

THREADS = 2
LISTINGS_EACH = 4  # for one function made: in step, whatever share of the machine each thread gets
WARM_UP = 200  # listings, after which memory is to grow no more
SOURCE = """
def made(n, step={number}):
    total = {number}
    for i in range(n):
        total += step if i % {modulus} else 1
        {more}
    return total
"""
listings, alone = map(int, sys.argv[1:])
done = threading.Event()
tickets = threading.Semaphore(0)
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
    while tickets.acquire() and not done.is_set():
        number = choose.randrange(1000)
        names = {}
        exec(SOURCE.format(number=number, modulus=choose.randrange(2, 9), more=choose.choice(
            ("pass", "total ^= i", "total = total + len('ab')", "total += flag")) ), {"flag": 1}, names)
        names["made"](5000)
        made_in_all[thread] += 1
        if made_in_all[thread] % 500 == 0:
            gc.collect()  # on 3.14 it frees executors
        if number % 20 == 0:
            flag = number
            watched(5000)


def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 // 1024


def look(number):
    """One of the ways; what has gone meanwhile is a RuntimeError, and nothing else may be."""
    kind = number % 100
    if number % LISTINGS_EACH == 0:
        tickets.release()
    try:
        if number % 1000 == 50:
            return len(cpyjit.listing(cpyjit.executors()).executors)
        if kind == 51:
            return len(cpyjit.listing(watched).to_html())
        if kind == 52:
            return len(cpyjit.listing(watched))
        return len(cpyjit.listing(watched).to_json())
    except RuntimeError:
        return None


threads = [threading.Thread(target=churn, args=[number]) for number in range(THREADS)]
for thread in threads:
    thread.start()
watched(20000)
started = time.monotonic()
results = [look(number) for number in range(listings)]
seconds = time.monotonic() - started
done.set()
tickets.release(THREADS)
for thread in threads:
    thread.join()
gc.collect()
compiled = len(cpyjit.executors(all=True))

# Not all executors at once: what the allocator keeps after so large a document would hide a leak.
for number in range(WARM_UP):
    look(1 if number % 10 else 51)
before = resident()
for number in range(alone):
    look(1 if number % 10 else 51)
print(json.dumps({"listings": len(results), "found": sum(map(bool, results)), "gone": results.count(None),
                  "made": sum(made_in_all), "executors": compiled, "seconds": round(seconds, 1), "before": before,
                  "after": resident(), "alone": alone}))
