"""A hot function whose name, file, lines, variables and strings are markup that would run, if a page took them as markup.

The environment's HOSTILE names a directory for the file.
"""
import os
import pathlib

SCRIPT = "<script>document.title='owned'</script>"
NAME = f"</title></script>{SCRIPT}<img src=x onerror=\"document.title='owned'\">"
SOURCE = f'''def f(rounds):
    total = 0
    text = """{NAME}"""  # --> ]]> {SCRIPT}
    for i in range(rounds):
        total += len(text)  # </p></div></section>{SCRIPT}
    return total
'''

path = pathlib.Path(os.environ["HOSTILE"], '"><b onclick=alert(1)><', "script>" + SCRIPT.replace("/", "") + ".py")
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(SOURCE, encoding="utf-8")
names = {}
exec(compile(SOURCE, str(path), "exec"), names)
f = names["f"]
code = f.__code__
variables = tuple("</b>" + SCRIPT if name == "total" else name for name in code.co_varnames)
f.__code__ = code.replace(co_name=NAME, co_qualname=NAME, co_varnames=variables)
for _ in range(20):
    f(10_000)
