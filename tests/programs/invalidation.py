"""Executors that become invalid while the program runs: globals, builtins, class attributes and code are changed."""
import builtins

SCALE = 3


def scale(x):
    return x * SCALE


class Setting:
    limit = 100

    def over(self, x):
        return x > self.limit


def use_global(rounds):
    total = 0
    for i in range(rounds):
        total += scale(i) & 0xFF
    return total


def use_class(rounds):
    setting, total = Setting(), 0
    for i in range(rounds):
        total += setting.over(i)
    return total


def use_builtin(rounds):
    total = 0
    for i in range(rounds):
        total += len((i, i)) + abs(-i)
    return total


def first(x):
    return x + 1


def second(x):
    return x - 1


def use_code(rounds):
    total = 0
    for i in range(rounds):
        total += first(i)
    return total


def change_everything(turn):
    global SCALE
    SCALE = turn + 5
    Setting.limit = turn * 50
    first.__code__, second.__code__ = second.__code__, first.__code__
    original = builtins.abs
    builtins.abs = lambda x: original(x) + 1
    builtins.abs = original


def main():
    results = []
    for turn in range(4):
        results += [use_global(7_000), use_class(7_000), use_builtin(7_000), use_code(7_000)]
        if turn < 3:
            change_everything(turn)
    use_global(9_000)
    print("invalidation", sum(results), results[-4:])


main()
