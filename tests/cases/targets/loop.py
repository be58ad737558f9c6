"""What the code objects of some cases are said to be compiled from."""


def f(limit):
    i = 0
    while i < limit:
        i = i + 1
    return i
