"""Functions that the programs of the bench have compiled."""
SOURCE = '''
def NAME(n):
    total = 0
    for i in range(n):
        total += i
    return total
'''


def compile_many(count, name):
    """That many functions of this name, each with an executor of its own."""
    spaces = []
    for _ in range(count):
        space = {}
        exec(SOURCE.replace("NAME", name), space)
        space[name](4200)
        spaces.append(space)
    return spaces
