"""What the JIT compiles for this test: calls, loops, generators, objects, closures, exceptions. Prints one number."""
import os
import sys

ROUNDS = 4
COUNT = 6000
MARKED = 3


class Box:
    def __init__(self, value):
        self.value = value

    def doubled(self):
        return self.value * 2


def leaf(first, second):
    return first + second


def middle(first):
    found = leaf(first, 1)
    return found + 1


def calls(count):
    total = 0
    for number in range(count):
        total += middle(number)
    return total


def numbers(count):
    for number in range(count):
        yield number


def generator(count):
    total = 0
    for number in numbers(count):
        total += number
    return total


def objects(count):
    total = 0
    for number in range(count):
        box = Box(number)
        total += box.doubled() + box.value
    return total


def closure(count):
    def inner(extra):
        return extra + count
    return sum([inner(number) for number in range(count)])


def floats(count):
    value = 0.0
    for number in range(count):
        value += number * 0.5
        value -= 1.5
    return int(value)


def containers(count):
    seen = {}
    items = []
    for number in range(count):
        items.append(number)
        seen[number & 63] = items[-1]
        low, high = number, number + 1
        low, high = high, low
    return len(items) + len(seen) + low


def errors(count):
    caught = 0
    for number in range(count):
        try:
            if number % 7 == 0:
                raise ValueError(number)
        except ValueError as error:
            caught += error.args[0]
    return caught


def strings(count):
    parts = 0
    for number in range(count):
        text = f"{number}-{number & 3}"
        if text[-1] == "3":
            parts += len(text)
    return parts


def loops(count):
    total = 0
    index = 0
    while index < count:
        for inner in (1, 2, 3):
            total += inner & index
        index += 1
    return total


WORK = (calls, generator, objects, closure, floats, containers, errors, strings, loops)


def main():
    total = 0
    for _ in range(ROUNDS):
        for work in WORK:
            total += work(COUNT)
    # What is hot has been compiled. The test stops here; where it needs a core first, the same run must end here.
    if len(sys.argv) > 1 and os.path.exists(sys.argv[1]):
        os.abort()
    os.getppid()
    for _ in range(MARKED):
        for work in WORK:
            total += work(COUNT)
    print("total", total)
    return total


if __name__ == "__main__":
    sys.exit(main() == 0)
