"""One straight loop body that makes a trace of more than 500 uops (the longest traces need two-byte indices)."""


def mix(rounds):
    a, b, c, d, e = 1, 2, 3, 4, 5
    for i in range(rounds):
        a = (a + b ^ c) & 0xFFFFF
        b = (b * 3 + d - e) & 0xFFFFF
        c = (c - a + i) & 0xFFFFF
        d = (d ^ e) + (a >> 3) & 0xFFFFF
        e = (e + c | b) & 0xFFFFF
        a = (a * 5 - d + e) & 0xFFFFF
        b = (b ^ a) + (c << 2) & 0xFFFFF
        c = (c + d * 7 - i) & 0xFFFFF
        d = (d - b ^ a) & 0xFFFFF
        e = (e * 9 + c) & 0xFFFFF
        a = (a + e ^ d) & 0xFFFFF
        b = (b + c - a) & 0xFFFFF
        c = (c ^ b) + (d >> 1) & 0xFFFFF
        d = (d * 11 + e) & 0xFFFFF
        e = (e - a | c) & 0xFFFFF
        a = (a ^ i) + b & 0xFFFFF
        b = (b * 13 - c) & 0xFFFFF
        c = (c + e ^ a) & 0xFFFFF
        d = (d + b - c) & 0xFFFFF
        e = (e ^ d) + a & 0xFFFFF
    return a, b, c, d, e


def lookups(rounds):
    table, total = [3, 1, 4, 1, 5, 9, 2, 6], 0
    for i in range(rounds):
        total += table[i & 7] + table[i + 1 & 7] * table[i + 2 & 7] - table[i + 3 & 7]
        total ^= table[i + 4 & 7] + table[i + 5 & 7] * table[i + 6 & 7] - table[i + 7 & 7]
        total += table[total & 7] + table[total + 1 & 7] * table[total + 2 & 7]
        total ^= table[total + 3 & 7] + table[total + 4 & 7] * table[total + 5 & 7]
        total &= 0xFFFFFF
    return total


def main():
    print("long_trace", mix(10_000), lookups(10_000))


main()
