"""Strings, lists, dicts, sets and tuples: the specialised subscripts, calls to built-ins, slices, unpacking."""


def strings(rounds):
    text, parts = "", []
    for i in range(rounds):
        text += chr(97 + i % 26)
        if len(text) > 60:
            parts.append(text.upper()[3:-3].replace("X", "-"))
            text = text[1] + text[-1]
    return len("".join(parts)), sum([part.count("-") for part in parts])


def formatting(rounds):
    size = 0
    for i in range(rounds):
        size += len(f"{i:05d}|{i!r:>8}|{i / 3:.3f}|{'odd' if i & 1 else 'even'}")
    return size


def lists(rounds):
    values = list(range(32))
    for i in range(rounds):
        values[i & 31] = values[(i + 1) & 31] + values[-1] & 0xFF
        values.append(values.pop())
    return sum(values), values[4:12:2]


def dictionaries(rounds):
    seen = {}
    for i in range(rounds):
        key = "k%d" % (i % 50)
        seen[key] = seen.get(key, 0) + 1
        if key in seen and i % 97 == 0:
            del seen[key]
    return sum(seen.values()), len(seen)


def sets_and_tuples(rounds):
    seen, pair = set(), (0, 1)
    for i in range(rounds):
        first, second = pair
        pair = (second, (first * 3 + i) % 251)
        seen.add(pair[0])
        head, *rest = (first, second, i)
        if rest[0] not in seen:
            seen.discard(head)
    return len(seen), pair


def bytes_and_views(rounds):
    buffer = bytearray(64)
    view = memoryview(buffer)
    for i in range(rounds):
        buffer[i & 63] = (buffer[(i * 7) & 63] + i) & 255
    return sum(view), bytes(view[:4]).hex()


def matching(rounds):
    total = 0
    for i in range(rounds):
        match (i % 5, [i, i + 1], {"kind": i % 3}):
            case (0, [first, _], _):
                total += first
            case (1 | 2, _, {"kind": 0}):
                total += 2
            case (_, [_, second], {"kind": kind}) if kind:
                total ^= second
            case _:
                total -= 1
    return total


def main():
    print("containers", strings(20_000), formatting(10_000), lists(20_000), dictionaries(20_000),
          sets_and_tuples(15_000), bytes_and_views(15_000), matching(15_000))


main()
