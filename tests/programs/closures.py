"""Closures: cells read and written from inner functions, decorators, partial application, default arguments."""
import functools


def counter():
    count = 0

    def step(by=1):
        nonlocal count
        count += by
        return count

    return step


def twice(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs) + function(*args, **kwargs)

    return wrapper


@twice
def weigh(value, *, factor=3):
    return value * factor


def compose(*functions):
    def composed(value):
        for function in functions:
            value = function(value)
        return value

    return composed


def count_up(rounds):
    step, last = counter(), 0
    for i in range(rounds):
        last = step(i & 3)
    return last


def decorated(rounds):
    total = 0
    for i in range(rounds):
        total += weigh(i, factor=2) & 255
    return total


def composed(rounds):
    offset = 5
    chain = compose(lambda x: x + offset, lambda x: x * 3, functools.partial(divmod, 1 << 20), lambda pair: pair[1])
    total = 0
    for i in range(rounds):
        total += chain(i)
    return total


def main():
    print("closures", count_up(20_000), decorated(12_000), composed(8_000))


main()
