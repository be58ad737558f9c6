"""async/await driven by hand: coroutines, asynchronous generators and context managers without an event loop."""


class Ready:
    def __init__(self, value):
        self.value = value

    def __await__(self):
        yield self.value
        return self.value + 1


class Section:
    entered = 0

    async def __aenter__(self):
        Section.entered += 1
        return self

    async def __aexit__(self, *error):
        return False


async def inner(i):
    return await Ready(i)


async def loop(rounds):
    total = 0
    for i in range(rounds):
        total += await inner(i)
    return total


async def produce(limit):
    for i in range(limit):
        yield i


async def consume(limit):
    total = 0
    async for value in produce(limit):
        async with Section():
            total += value
    return total


def drive(coroutine):
    """Runs a coroutine to its end; what it awaits is added up."""
    seen = 0
    while True:
        try:
            seen += coroutine.send(None) or 0
        except StopIteration as end:
            return end.value, seen


def main():
    print("coroutines", drive(loop(15_000)), drive(consume(10_000)), Section.entered)


main()
