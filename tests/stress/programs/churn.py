"""Compiles, invalidates and frees hundreds of executors, with threads, forks, exceptions and generators in between; prints
what it computed. Every number depends on every step, so that a lost or changed instruction shows."""
import os
import subprocess
import sys
import threading

WARM = 4050 if sys.version_info >= (3, 15) else 4145  # a little more than what makes a loop hot
ROUNDS = int(sys.argv[1])
FUNCTIONS = int(sys.argv[2])

SOURCE = """
def plain(n, k):
    total = k
    for i in range(n):
        total = (total * 3 + i) % 1000003
    return total

class Account:
    def __init__(self, k):
        self.sum = k

def attributes(n, k):
    account = Account(k)
    for i in range(n):
        account.sum = (account.sum + i) % 1000003
    return account.sum

def raising(n, k):
    caught = k
    for i in range(n):
        try:
            if i % 40 == 39:
                raise ValueError(i)
            caught += 1
        except ValueError as error:
            caught += error.args[0] % 7
    return caught

def numbers(n):
    for i in range(n):
        yield i

def generating(n, k):
    total = k
    for i in numbers(n):
        total = (total + i * i) % 1000003
    return total
"""
NAMES = ("plain", "attributes", "raising", "generating")


def child(function, k):
    pid = os.fork()
    if pid == 0:
        os._exit(function(60, k) % 200)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def one_round(number):
    results = []
    for index in range(FUNCTIONS):
        space = {}
        exec(compile(SOURCE, "round%d_%d.py" % (number, index), "exec"), space)
        function = space[NAMES[index % len(NAMES)]]
        results.append(function(WARM, index))
        if index % 7 == 3:
            space["Account"] = None  # what its executors were sure of does not hold any more
            results.append(function(50, index) if function is not space["attributes"] else 0)
        if index == 2:
            results.append(child(function, number))
    return results


def threaded(number):
    results = [None] * 3
    space = {}
    exec(SOURCE, space)

    def work(place):
        results[place] = space["plain"](WARM + 50, place + number)
    threads = [threading.Thread(target=work, args=(place,)) for place in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def main():
    for number in range(ROUNDS):
        print(number, one_round(number), threaded(number), flush=True)
    print(subprocess.run(["echo", "child"], capture_output=True, text=True, check=True).stdout.strip())
    sys.exit(7)


main()
