"""Python in C in JIT code, twice over, and a second thread that waits.

`any(map(callback, …))` is C code that calls back into Python. Stopped by SIGABRT in `send`, which the loop of `callback`
runs as a part of its trace, below the loop of `outer`, which is machine code too.
"""
import signal
import threading

ROUNDS = 6_000
# Not the first round of a call: machine code is entered at the end of it.
SIGNALS = [0] * (ROUNDS * 3 + 1) + [signal.SIGABRT] + [0] * 8
ME = threading.get_ident()


def send(number):
    signal.pthread_kill(ME, SIGNALS[number])


def callback(round):
    for i in range(3):
        send(round * 3 + i)


def outer(rounds):
    total = 0
    for i in range(rounds):
        total += any(map(callback, (i,)))
    return total


def wait_in_thread(event):
    event.wait()


done = threading.Event()
waiting = threading.Thread(target=wait_in_thread, args=(done,))
waiting.start()
outer(ROUNDS + 2)
done.set()
waiting.join()
print("the end")
