"""Generators: frames that are left and entered again inside one trace, `yield from`, send() and throw()."""


def count(limit):
    i = 0
    while i < limit:
        yield i
        i += 1


def only_odd(numbers):
    for number in numbers:
        if number & 1:
            yield number


def chained(limit):
    yield from only_odd(count(limit))
    yield from (n * 2 for n in count(limit))


def averager():
    total, n, value = 0, 0, 0
    while True:
        received = yield value
        total += received
        n += 1
        value = total // n


def use_send(rounds):
    averages = averager()
    next(averages)
    last = 0
    for i in range(rounds):
        last = averages.send(i % 17)
    return last


def stubborn():
    survived = 0
    while True:
        try:
            yield survived
        except KeyError:
            survived += 1


def use_throw(rounds):
    generator = stubborn()
    next(generator)
    last = 0
    for _ in range(rounds):
        last = generator.throw(KeyError)
    return last


def tree(depth):
    if depth:
        yield from tree(depth - 1)
        yield depth
        yield from tree(depth - 1)


def everything(size):
    return (sum(chained(size)), sum(only_odd(count(size))), use_send(size), use_throw(size // 3),
            sum(sum(tree(7)) for _ in range(size // 300)))


def main():
    print("generators", everything(20_000), everything(3_000))  # the second time with all executors in place


main()
