"""Runs programs one after the other, keeps all they made, says `ready` and waits to be looked at.    wait.py PROGRAM..."""
import runpy
import signal
import sys

kept = [runpy.run_path(path, run_name="__main__") for path in sys.argv[1:]]
print("ready", flush=True)
signal.pause()
