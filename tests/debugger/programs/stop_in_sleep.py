"""Is stopped by SIGABRT while its main thread sleeps and so has given up the GIL."""
import signal
import threading
import time

MAIN = threading.get_ident()


def interrupt():
    time.sleep(0.2)
    signal.pthread_kill(MAIN, signal.SIGABRT)
    time.sleep(60)


def rest(seconds):
    return [seconds, time.sleep(seconds)]


threading.Thread(target=interrupt, daemon=True).start()
rest(60)
