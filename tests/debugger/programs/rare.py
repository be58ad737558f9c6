"""A line that bytecode is compiled for and that never runs, a comment, and a function that is compiled last; the lines are
named in scenarios."""


def pick(number):
    if number < 0:
        return "never"                                  # line 7
    # A comment on line 8.
    return number + 1                                   # line 9


def first(rounds):
    total = 0
    for number in range(rounds):
        total += pick(number & 1023)                    # line 15
    return total                                        # line 16


def second(rounds):
    total = 0
    for number in range(rounds):
        total ^= number                                 # line 22
    return total


print(first(20000), second(20000))
