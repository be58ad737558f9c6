"""As much of PyPI's `pyperf` as the benchmarks of pyperformance use: it calls the function, and measures nothing."""
import argparse
import asyncio
from time import perf_counter  # noqa: F401 (the benchmarks use it)

LOOPS = 1
ran = 0


class Runner:
    def __init__(self, add_cmdline_args=None, **_):
        self.metadata = {}
        self.argparser = argparse.ArgumentParser()

    def parse_args(self):
        self.args = self.argparser.parse_args([])
        return self.args

    def bench_func(self, name, function, *arguments, inner_loops=None):
        for _ in range(LOOPS):
            function(*arguments)
        self.count()

    def bench_time_func(self, name, function, *arguments, inner_loops=None):
        function(LOOPS, *arguments)
        self.count()

    def bench_async_func(self, name, function, *arguments, **_):
        for _ in range(LOOPS):
            asyncio.run(function(*arguments))
        self.count()

    @staticmethod
    def count():
        global ran
        ran += 1
