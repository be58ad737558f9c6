"""Two threads in the same machine code. One stops itself behind the warm-up; the other runs on."""
import os
import signal
import threading

done = False


def count(rounds):
    total = 0
    for i in range(rounds):
        total += i & 7
    return total


def work():
    while not done:
        count(2_000)


count(20_000)
other = threading.Thread(target=work)
other.start()
signal.pthread_kill(threading.get_ident(), signal.SIGABRT)
print("counted", count(100))
done = True
other.join()
