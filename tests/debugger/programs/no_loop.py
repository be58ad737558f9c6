"""Stops before anything was compiled: no executors yet."""
import os
import signal

os.kill(os.getpid(), signal.SIGABRT)
