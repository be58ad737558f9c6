"""Exceptions raised and handled inside hot loops: error targets, handlers, finally, with, nested handlers."""


class Rare(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Guard:
    def __init__(self):
        self.closed = self.swallowed = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.closed += 1
        if kind is Rare:
            self.swallowed += 1
            return True
        return False


def sometimes(i):
    if i % 7 == 0:
        raise Rare(i)
    return i


def caught_by_caller(rounds):
    total = 0
    for i in range(rounds):
        try:
            total += sometimes(i)
        except Rare as error:
            total -= error.code & 15
        finally:
            total ^= 1
    return total


def failing_operations(rounds):
    table, missing, zero, wrong = {0: 1, 2: 3}, 0, 0, 0
    for i in range(rounds):
        try:
            table[i % 4] + 1 // (i % 3) + (None if i % 11 == 0 else 1)
        except KeyError:
            missing += 1
        except ZeroDivisionError:
            zero += 1
        except TypeError:
            wrong += 1
    return missing, zero, wrong


def with_statement(rounds):
    guard = Guard()
    for i in range(rounds):
        with guard:
            sometimes(i)
    return guard.closed, guard.swallowed


def nested(rounds):
    total = 0
    for i in range(rounds):
        try:
            try:
                sometimes(i)
            except Rare as error:
                raise ValueError(error.code) from error
        except ValueError as error:
            total += error.args[0] & 7
    return total


def end_of_iteration(rounds):
    steps, iterator = 0, iter(())
    for _ in range(rounds):
        try:
            steps += next(iterator)
        except StopIteration:
            iterator = iter((1, 2, 3))
    return steps


def main():
    print("exceptions", caught_by_caller(20_000), failing_operations(20_000), with_statement(15_000),
          nested(12_000), end_of_iteration(20_000))


main()
