"""Attributes in all their forms: instance dictionaries, slots, properties, descriptors, methods and super()."""


class Shape:
    sides = 0

    def __init__(self, size):
        self.size = size
        self.area_cache = None

    def area(self):
        return self.size

    def grow(self, by):
        self.size += by
        return self

    @property
    def doubled(self):
        return self.size * 2

    @staticmethod
    def clamp(value):
        return value if value < 1_000 else value - 1_000

    @classmethod
    def corners(cls, more):
        return cls.sides + more


class Square(Shape):
    sides = 4

    def area(self):
        return super().area() * self.size


class Triangle(Shape):
    sides = 3

    def area(self):
        return super().area() * self.size // 2


class Point:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)

    def __getitem__(self, index):
        return self.y if index else self.x

    def __len__(self):
        return 2


def methods(rounds):
    square, total = Square(3), 0
    for i in range(rounds):
        square.grow(1)
        square.size = square.clamp(square.size)
        total += square.doubled + square.area() + square.sides
    return total


def many_kinds(rounds):
    shapes = [Square(2), Triangle(5), Shape(7)]
    total = 0
    for i in range(rounds):
        total += shapes[i % 3].area()
    return total


def slots(rounds):
    here, step = Point(0, 0), Point(1, 2)
    for _ in range(rounds):
        here = here + step
        if here[0] > 500:
            here = Point(here[1] % len(here), 0)
    return here.x, here.y


def construction(rounds):
    last = None
    for i in range(rounds):
        last = Square(i)
        last.area_cache = last.area()
    return last.area_cache


def class_methods(rounds):
    total = 0
    for i in range(rounds):
        total += Square.corners(i & 3) - Triangle.corners(1)
    return total


def main():
    print("classes", methods(20_000), many_kinds(30_000), slots(20_000), construction(20_000), class_methods(12_000))


main()
