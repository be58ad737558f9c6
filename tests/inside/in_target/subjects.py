"""Functions of every kind, and what makes the JIT compile them."""
import functools

ROUNDS = 12000


def count(numbers):
    found = 0
    for number in numbers:
        if number < 3:
            found += 1
    return found


def generate(n):
    total = 0
    for i in range(n):
        total += i
    yield total


async def coroutine(n):
    total = 0
    for i in range(n):
        total += i
    return total


async def asynchronous(n):
    total = 0
    for i in range(n):
        total += i
    yield total


def raises(n):
    total = 0
    for i in range(n):
        total += i
    raise KeyError(total)


def outer(n):
    def inner(m):
        total = 0
        for i in range(m):
            total += i
        return total
    return inner(n), inner


def logged(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)
    return wrapper


@logged
def decorated(n):
    total = 0
    for i in range(n):
        total += i
    return total


@functools.lru_cache
def cached(n):
    total = 0
    for i in range(n):
        total += i
    return total


class Counter:
    def method(self, n):
        total = 0
        for i in range(n):
            total += i
        return total

    @classmethod
    def of_class(cls, n):
        total = 0
        for i in range(n):
            total += i
        return total

    @staticmethod
    def static(n):
        total = 0
        for i in range(n):
            total += i
        return total

    @property
    def value(self):
        total = 0
        for i in range(ROUNDS):
            total += i
        return total

    class Nested:
        def deep(self, n):
            total = 0
            for i in range(n):
                total += i
            return total


def small(n):
    return n + 1


def caller(n):
    total = 0
    for i in range(n):
        total = small(total)
    return total


def never(n):
    return n


def heat():
    """Runs all of them until they are compiled; gives the function inside `outer` and the exception of `raises`."""
    count([1, 2, 3, 4] * ROUNDS)
    next(generate(ROUNDS))
    for one in (coroutine(ROUNDS), asynchronous(ROUNDS).__anext__()):
        try:
            one.send(None)
        except StopIteration:
            pass
    counter = Counter()
    counter.method(ROUNDS), Counter.of_class(ROUNDS), Counter.static(ROUNDS), counter.value
    Counter.Nested().deep(ROUNDS)
    cached.cache_clear()
    decorated(ROUNDS), cached(ROUNDS), caller(ROUNDS)
    inner = outer(ROUNDS)[1]
    try:
        raises(ROUNDS)
    except KeyError as error:
        return inner, error
