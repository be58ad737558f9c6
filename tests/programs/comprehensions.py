"""Comprehensions (inlined into their function since 3.12) and generator expressions (code objects of their own)."""


def lists(rounds):
    total = 0
    for i in range(rounds):
        total += sum([x * x for x in range(i % 30) if x & 1])
    return total


def sets_and_dicts(rounds):
    total = 0
    for i in range(rounds):
        mapping = {x: x % 5 for x in range(i % 20)}
        total += len({value for value in mapping.values()}) + len(mapping)
    return total


def nested(size):
    table = [[row * column % 7 for column in range(size)] for row in range(size)]
    return sum([cell for row in table for cell in row if cell])


def expressions(rounds):
    total = 0
    for i in range(rounds):
        total += max((x ^ i for x in range(8)), default=0)
        total += any(x > i for x in (1, 2, 3))
    return total


def with_lambdas(rounds):
    steps = [(lambda x, k=k: x + k) for k in range(4)]
    total = 0
    for i in range(rounds):
        total = steps[i & 3](total) & 0xFFFF
    return total


def main():
    print("comprehensions", lists(4_000), sets_and_dicts(4_000), nested(220), expressions(6_000), with_lambdas(20_000))


main()
