"""Runs one program of PyPI's pyperformance in this very process, some loops long.

    run_benchmark.py PATH/bm_NAME/run_benchmark.py LOOPS

The benchmarks import `pyperf`, which would start worker processes; they get the module beside this file instead.
"""
import os
import random
import runpy
import sys


def main():
    path, loops = sys.argv[1], int(sys.argv[2])
    import pyperf  # the one in this folder, before the benchmark changes sys.path
    pyperf.LOOPS = loops
    sys.argv = [path]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    random.seed(1)
    runpy.run_path(path, run_name="__main__")
    print("benchmark", os.path.basename(os.path.dirname(path)), pyperf.ran)


main()
