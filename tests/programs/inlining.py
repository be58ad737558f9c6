"""Deep inlining: a chain of small functions that one trace follows downwards and back, plus recursion."""


def level_0(x): return x + 1
def level_1(x): return level_0(x) + 1
def level_2(x): return level_1(x) * 2
def level_3(x): return level_2(x) - 3
def level_4(x): return level_3(x) ^ 5
def level_5(x): return level_4(x) + level_0(x)
def level_6(x): return level_5(x) & 0xFFFF
def level_7(x): return level_6(x) | 1
def level_8(x): return level_7(x) % 1009


class Adder:
    def __init__(self, start):
        self.value = self.prepare(start)

    def prepare(self, start):
        return level_1(start)

    def __call__(self, by):
        self.value = level_2(self.value + by) & 0xFFF
        return self.value


def chain(rounds):
    total = 0
    for i in range(rounds):
        total += level_8(i)
    return total


def shallow(rounds):
    """As deep as 3.14 follows: five frames."""
    total = 0
    for i in range(rounds):
        total += level_2(i) + level_0(i) + level_1(total & 7)
    return total


def adders(rounds):
    adder, total = Adder(1), 0
    for i in range(rounds):
        total += adder(i)
    return total


def constructors(rounds):
    total = 0
    for i in range(rounds):
        total += Adder(i)(3)
    return total


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


def even(n):
    return True if n == 0 else odd(n - 1)


def odd(n):
    return False if n == 0 else even(n - 1)


def mutual(rounds):
    return sum([even(i % 40) for i in range(rounds)])


def main():
    print("inlining", chain(12_000), shallow(12_000), adders(12_000), constructors(12_000), fibonacci(20),
          ackermann(2, 60), mutual(2_000),
          shallow(3_000))  # once more, when the later ones are compiled too


main()
