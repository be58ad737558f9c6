"""Nothing is compiled before `total` runs: breakpoints at its uops have to wait. Ends by itself, with a status."""
import sys

ROUNDS = 4_400  # some 400 of them in machine code


def total(rounds):
    result = 0
    for i in range(rounds):
        result += i & 3
    return result


print("total", total(ROUNDS), total(ROUNDS))
sys.exit(3)
