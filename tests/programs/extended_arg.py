"""Code that needs EXTENDED_ARG: more than 256 locals, names and constants, and jumps over more than 256 code units.

The source is generated, so its code objects also have a file name that cannot be opened.
"""

WIDTH = 300


def assignments():
    return [f"    v{i} = {i * 1000 + 7}" for i in range(WIDTH)]


def many_locals():
    body = ["def many_locals(rounds):", *assignments(), "    total = 0", "    for i in range(rounds):"]
    body += [f"        total += v{i} & i" for i in range(WIDTH - 6, WIDTH)]
    return [*body, "    return total"]


def many_constants():
    body = ["def many_constants(rounds):", "    total = 0", "    for i in range(rounds):"]
    body += [f"        if i % {100_003 + k} == {200_003 + k}: total += {300_007 + k}" for k in range(90)]
    return [*body, "        total += i & 3", "    return total"]


def many_names():
    body = ["class Wide: pass", "def many_names(rounds):", "    wide = Wide()"]
    body += [f"    wide.attribute_{i} = {i}" for i in range(WIDTH)]
    body += ["    total = 0", "    for i in range(rounds):"]
    body += [f"        total += wide.attribute_{i} ^ i" for i in range(WIDTH - 4, WIDTH)]
    return [*body, "    return total"]


def long_jumps():
    body = ["def long_jumps(rounds):", "    total = 0", "    for i in range(rounds):", "        if i & 1:"]
    body += ["            total = (total * 3 + i) & 65535"] * 40
    body += ["        else:"]
    body += ["            total = (total + i) ^ 21"] * 40
    return [*body, "    return total"]


def main():
    source = "\n".join(many_locals() + many_constants() + many_names() + long_jumps())
    namespace = {}
    exec(compile(source, "<generated: extended_arg>", "exec"), namespace)
    print("extended_arg", namespace["many_locals"](8_000), namespace["many_constants"](6_000),
          namespace["many_names"](8_000), namespace["long_jumps"](10_000))


main()
