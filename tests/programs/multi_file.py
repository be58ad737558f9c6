"""Code spread over several files, with names and paths outside ASCII."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from пакет_größe import messung, 数える  # noqa: E402


class Δ:
    def __init__(self, κ):
        self.κ = κ

    def σ(self, λ):
        return self.κ * λ & 0xFFFF


def mélange(rounds):
    δ, total = Δ(17), 0
    for i in range(rounds):
        total += δ.σ(i) + messung.größe(i) + 数える.数(i, 3)
    return total


def main():
    print("multi_file", mélange(12_000), messung.summe(12_000), sum(数える.列(15_000)))


main()
