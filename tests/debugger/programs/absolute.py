"""A loop whose machine code calls a C function that compilers put into several others."""


def distances(rounds):
    total = 0
    for i in range(rounds):
        total += abs(-i - 7)
    return total


print(distances(9_000))
