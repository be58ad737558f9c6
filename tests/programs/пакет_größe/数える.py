"""識別子も関数名も漢字。"""


def 数(値, 幅=2):
    return 値 % 幅


def 列(上限):
    for 値 in range(上限):
        if 数(値):
            yield 値
