"""Many ways out of a trace: branches and types that alternate, so that side exits grow traces of their own."""


def classify(i):
    if i % 2 == 0:
        if i % 3 == 0:
            return 6 if i % 5 else 30
        return 2 if i % 7 else 14
    if i % 3 == 0:
        return 3
    if i % 11 == 0:
        return 11
    return 1


def branches(rounds):
    total = 0
    for i in range(rounds):
        total += classify(i)
    return total


def types(rounds):
    values, total = [1, 2.5, True, "7", [3], (4, 4), None], 0
    for i in range(rounds):
        value = values[i // 50 % 7]
        if value is None:
            total += 1
        elif isinstance(value, (int, float)):
            total += value + value
        else:
            total += len(value)
    return total


def state_machine(rounds):
    state, trips = "idle", 0
    for i in range(rounds):
        if state == "idle":
            state = "armed" if i % 3 else "idle"
        elif state == "armed":
            state = "fired" if i % 5 == 0 else "armed"
        elif state == "fired":
            trips += 1
            state = "cooling" if i % 2 else "idle"
        else:
            state = "idle"
    return trips


def inner_loops(rounds):
    total = 0
    for i in range(rounds):
        n = i % 6
        while n:
            n -= 1
            if n == 2 and i & 4:
                break
            total += n
    return total


def main():
    print("exits", branches(40_000), types(40_000), state_machine(30_000), inner_loops(15_000))


main()
