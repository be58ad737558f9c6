"""Runs a script, a module or a command, and shows what CPython's JIT has compiled of it.

usage: python -m cpyjit [OPTIONS] (SCRIPT | -m MODULE | -c COMMAND) [ARGUMENTS...]
"""
import argparse
import atexit
import os
import sys
import types

from . import _inside

EXAMPLES = """\
examples:
  python -m cpyjit script.py                    the list of what was compiled, when the script has ended
  python -m cpyjit --dis parse script.py x y    and the machine code of the function parse
  python -m cpyjit --html page.html -m package  all of it as a page for a browser
  python -m cpyjit --all -o listing.txt -c 'import this'

The exit status is that of the script. Where the JIT is not switched on (PYTHON_JIT is not set), the interpreter is
started again with PYTHON_JIT=1.
"""
VALUED = ("--dis", "--html", "--json", "-o", "--output")


def main(words):
    options, kind, program, arguments = read(words)
    switch_on()
    sys.argv = [program, *arguments]
    try:
        code, names = load(kind, program)
    except SyntaxError as error:
        sys.excepthook(SyntaxError, error, None)
        sys.exit(1)
    # It runs when the script's own threads have ended; what was registered first runs last.
    atexit.register(report, options, os.getpid())
    run(code, names)


def read(words):
    """Our options, what is to be run (a kind and a name), and its arguments."""
    parser = argparse.ArgumentParser(prog="python -m cpyjit", formatter_class=argparse.RawDescriptionHelpFormatter,
                                     usage="python -m cpyjit [OPTIONS] (SCRIPT | -m MODULE | -c COMMAND) [ARGUMENTS...]",
                                     description="Runs a program and shows what CPython's JIT has compiled of it.",
                                     epilog=EXAMPLES)
    parser.add_argument("--dis", action="append", metavar="NAME", default=[],
                        help="print the machine code of a function (f, C.f), an executor (#3) or a line (file.py:8)")
    parser.add_argument("--all", action="store_true", help="print the machine code of all executors")
    parser.add_argument("--no-code", action="store_true", help="one line for each uop instead of its machine code")
    parser.add_argument("--no-list", action="store_true", help="do not print the list of executors")
    parser.add_argument("--html", metavar="FILE", help="write all as a page for a browser")
    parser.add_argument("--json", metavar="FILE", help="write all as one JSON document")
    parser.add_argument("-o", "--output", metavar="FILE", help="print to FILE instead of the standard output")
    place = 0
    while place < len(words) and words[place].startswith("-") and words[place] not in ("-m", "-c", "-"):
        place += 2 if words[place] in VALUED else 1
    options = parser.parse_args(words[:place])
    rest = words[place:]
    if rest[:1] in (["-m"], ["-c"]):
        kind, rest = rest[0], rest[1:]
    else:
        kind = "script"
    if not rest:
        parser.error("there is nothing to run: name a script, -m MODULE or -c COMMAND")
    return options, kind, rest[0], rest[1:]


def switch_on():
    """Starts again with the JIT on, unless the user has decided about it."""
    jit = getattr(sys, "_jit", None)
    reason = _inside.unavailable()
    if reason:
        sys.exit("cpyjit: " + reason)
    if jit is not None and not jit.is_enabled() and "PYTHON_JIT" not in os.environ:
        sys.stdout.flush()
        python = sys.executable or sys.orig_argv[0]
        os.execve(python, [python, *sys.orig_argv[1:]], dict(os.environ, PYTHON_JIT="1"))


def load(kind, program):
    """The code to run, and the names of its module."""
    if kind == "-c":
        sys.argv[0] = "-c"
        return compile(program, "<string>", "exec", dont_inherit=True), {}
    if kind == "-m":
        return of_module(program)
    if os.path.isdir(program) or program.endswith((".zip", ".pyz")):
        import_from(program)
        return of_module("__main__")
    try:
        with open(program, "rb") as file:
            source = file.read()
    except OSError as error:
        sys.exit(f"cpyjit: cannot read {program}: {error.strerror}")
    import_from(os.path.dirname(os.path.realpath(program)))
    return compile(source, program, "exec", dont_inherit=True), {"__file__": program, "__cached__": None}


def import_from(directory):
    """Where python would look for modules first: there instead of in the current directory, which -m cpyjit put there."""
    if sys.flags.safe_path:
        return
    sys.path[0] = directory


def of_module(name):
    import runpy
    del sys.modules["__main__"]  # or a directory's __main__ would be taken for this one
    try:
        # As python's own -m and pdb's find it: packages have a __main__.
        _, spec, code = runpy._get_module_details(name)
    except ImportError as error:
        sys.exit(f"cpyjit: {error}")
    sys.argv[0] = code.co_filename
    return code, {"__file__": code.co_filename, "__cached__": spec.cached, "__spec__": spec, "__loader__": spec.loader,
                  "__package__": spec.parent}


def run(code, names):
    """Runs the code as the module __main__. Tracebacks begin in it."""
    module = types.ModuleType("__main__")
    vars(module).update(names, __builtins__=__builtins__)
    sys.modules["__main__"] = module
    try:
        exec(code, vars(module))
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        error.__traceback__ = error.__traceback__.tb_next
        sys.last_exc = error
        sys.excepthook(type(error), error, error.__traceback__)
        sys.exit(1)


def report(options, process):
    """Prints what is asked for. A child that the script has forked says nothing."""
    if os.getpid() != process:
        return
    try:
        with Output(options.output) as output:
            show(options, output)
    except BrokenPipeError:
        # Who closed the pipe has seen enough; Python itself is not to complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except (OSError, RuntimeError) as error:
        complain(str(error))


class Output:
    """The file, or the standard output that the interpreter began with."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        self.file = open(self.path, "w", encoding="utf-8") if self.path else sys.__stdout__
        return self.file

    def __exit__(self, *_):
        if self.path:
            self.file.close()
        else:
            self.file.flush()


def show(options, output):
    if not options.no_list:
        reply = _inside.native().run("jit-list", [], **_inside.terminal(output))
        _inside.write(reply.text, output)
    for name in ["all"] * options.all + options.dis:
        print(file=output)
        subject = _inside.executors() if name == "all" else name
        try:
            _inside.dis(subject, file=output, show_code=not options.no_code)
        except RuntimeError as error:
            complain(str(error))
    if options.html or options.json:
        everything = _inside.listing(_inside.executors())
        for path, text in ((options.html, everything.to_html), (options.json, everything.to_json)):
            if path:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text())


def complain(sentence):
    print("cpyjit:", sentence, file=sys.__stderr__)


if __name__ == "__main__":
    main(sys.argv[1:])
