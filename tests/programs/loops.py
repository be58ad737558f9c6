"""Plain loops over ints and floats: the simplest traces, closed by a jump to their own top."""


def while_loop(limit):
    total = i = 0
    while i < limit:
        total += i & 3
        i += 1
    return total


def nested_ranges(size):
    total = 0
    for row in range(size):
        for column in range(size):
            if row > column:
                total += row - column
            else:
                total ^= column
    return total


def floats(steps):
    x, y = 0.5, 0.25
    for _ in range(steps):
        x, y = 3.6 * x * (1.0 - x), (y + x) / 2.0
    return round(x, 9), round(y, 9)


def break_and_continue(limit):
    found = 0
    for start in range(limit):
        for step in range(2, 40):
            if start % step:
                continue
            found += step
            break
        else:
            found -= 1
    return found


def big_ints(steps):
    value = 1
    for i in range(steps):
        value = (value * 6364136223846793005 + i) % (1 << 80)
    return value


def main():
    print("loops", while_loop(200_000), nested_ranges(300), floats(40_000),
          break_and_continue(8_000), big_ints(30_000))


main()
