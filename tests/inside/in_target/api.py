"""What `import cpyjit` promises, in the interpreter that it is about."""
import _opcode
import base64
import builtins
import contextlib
import functools
import inspect
import io
import json
import linecache
import os
import pathlib
import pydoc
import sys
import threading
import types
import unittest

import cpyjit
import subjects

INNER, ERROR = subjects.heat()


class Case(unittest.TestCase):
    """What tests do may make code invalid: it is compiled again before each."""

    def setUp(self):
        subjects.heat()


KINDS = {
    "function": (subjects.count, "count"),
    "generator": (subjects.generate(1), "generate"),
    "generator function": (subjects.generate, "generate"),
    "coroutine function": (subjects.coroutine, "coroutine"),
    "asynchronous generator": (subjects.asynchronous(1), "asynchronous"),
    "closure": (INNER, "outer.<locals>.inner"),
    "function with a nested one": (subjects.outer, "outer.<locals>.inner"),
    "wrapped function": (subjects.decorated, "decorated"),
    "lru_cache": (subjects.cached, "cached"),
    "method": (subjects.Counter().method, "Counter.method"),
    "method of the class": (subjects.Counter.method, "Counter.method"),
    "class method": (subjects.Counter.of_class, "Counter.of_class"),
    "static method": (subjects.Counter.static, "Counter.static"),
    "property": (vars(subjects.Counter)["value"], "Counter.value"),
    "partial": (functools.partial(subjects.count, []), "count"),
    "code object": (subjects.count.__code__, "count"),
    "traceback": (ERROR.__traceback__, "raises"),
    "frame": (ERROR.__traceback__.tb_next.tb_frame, "raises"),
    "name": ("count", "count"),
    "qualified name": ("Counter.method", "Counter.method"),
}
WRONG = [3.5, object(), {}, b"x", len, dict.get, int.__add__, subjects.Counter(), True, ..., type(None), iter([])]


def executors_of(function):
    """CPython's own executor objects of a function."""
    code = function.__code__
    for offset in range(0, len(code.co_code), 2):
        with contextlib.suppress(ValueError, RuntimeError):
            executor = _opcode.get_executor(code, offset)
            if executor is not None and executor.is_valid():
                yield executor


def printed(*arguments, **options):
    file = io.StringIO()
    cpyjit.dis(*arguments, file=file, **options)
    return file.getvalue()


def defined(name, *, at_prompt=False, in_notebook=False):
    """A hot function of this source, as a prompt, a notebook or `exec` defines one."""
    text = "def typed(n):\n    total = 0\n    for number in range(n):\n        total += number  # typed\n    return total\n"
    code = compile(text, name, "exec")
    if at_prompt:
        linecache._register_code(code, text, name)
    if in_notebook:
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    names = {}
    exec(code, names)
    names["typed"](20_000)
    return names["typed"]


class Typed(Case):
    LINE = "total += number  # typed"

    def test_sources_that_are_in_no_file(self):
        self.assertIn(self.LINE, printed(defined("<python-input-7>", at_prompt=True)))
        self.assertIn(self.LINE, printed(defined("/nowhere/cell/8.py", in_notebook=True)))
        self.assertIn(self.LINE, cpyjit.listing(defined("<python-input-9>", at_prompt=True)).to_html())

    def test_a_name_of_several_sources_shows_none(self):
        self.assertNotIn(self.LINE, printed(defined("<string>", at_prompt=True)))
        self.assertNotIn(self.LINE, printed(defined("<python-input-10>")))


class Subjects(Case):
    def test_every_kind(self):
        for kind, (x, qualname) in KINDS.items():
            with self.subTest(kind):
                found = cpyjit.listing(x)
                self.assertEqual({one.qualname for one in found.executors}, {qualname}, found.findings)
                self.assertIn(f": {qualname} (", printed(x))

    def test_coroutine_object(self):
        one = subjects.coroutine(1)
        self.assertEqual(cpyjit.listing(one).executors[0].qualname, "coroutine")
        one.close()

    def test_class_and_module(self):
        of_class = {one.qualname for one in cpyjit.listing(subjects.Counter).executors}
        self.assertEqual(of_class, {"Counter.method", "Counter.of_class", "Counter.static", "Counter.value",
                                    "Counter.Nested.deep"})
        of_module = {one.qualname for one in cpyjit.listing(subjects).executors}
        self.assertLess(of_class | {"generate", "outer.<locals>.inner"}, of_module)

    def test_depth(self):
        self.assertFalse(cpyjit.listing(subjects.outer, depth=0))
        self.assertTrue(cpyjit.listing(subjects.outer, depth=1))

    def test_executor_objects(self):
        for executor in executors_of(subjects.count):
            found = cpyjit.listing(executor)
            self.assertEqual([one.address for one in found.executors], [id(executor)])
            self.assertEqual(cpyjit.listing(id(executor)).to_dict(), found.to_dict())
            inside = found.executors[0].code_address + 40
            self.assertEqual(cpyjit.listing(inside).executors, found.executors)
            self.assertIn("count", cpyjit.listing(executor, show_code=False).to_html())
            return
        self.fail("count has no executor")

    def test_own_executors_and_lists_of_them(self):
        everything = cpyjit.executors()
        found = cpyjit.listing(everything)
        self.assertEqual([one.address for one in found.executors], [one.address for one in everything])
        first = everything[0]
        self.assertEqual(cpyjit.listing("#0").executors[0].address, first.address)
        self.assertEqual(first.listing(uops="0").executors[0].address, first.address)
        one = cpyjit.listing(subjects.Counter.method).executors[0]
        self.assertEqual(cpyjit.listing(f"subjects.py:{one.line}").executors, [one])

    def test_last_traceback(self):
        sys.last_exc = ERROR
        self.assertEqual(cpyjit.listing().executors[0].qualname, "raises")
        del sys.last_exc
        with self.assertRaisesRegex(RuntimeError, "no last traceback"):
            cpyjit.dis()

    def test_wrong_kinds(self):
        for x in WRONG:
            with self.subTest(repr(x)), self.assertRaises(TypeError) as caught:
                cpyjit.listing(x)
            self.assertGreater(len(str(caught.exception)), 20)
        with self.assertRaisesRegex(TypeError, "len is written in C"):
            cpyjit.dis(len)
        with self.assertRaisesRegex(TypeError, "give a function"):
            cpyjit.dis(3.5)

    def test_wrong_names_addresses_and_options(self):
        for x in ("no_such_function", "#99999", "count.py:1", "", 1, -1, id(self), 1 << 63, "0x10", "f@", "\ud800", "\0"):
            with self.subTest(repr(x)), self.assertRaises((RuntimeError, ValueError)) as caught:
                cpyjit.dis(x)
            self.assertNotIn("jit-list", str(caught.exception))
        with self.assertRaisesRegex(RuntimeError, r"cpyjit.executors\(\) shows"):
            cpyjit.dis("no_such_function")
        for options in ({"uops": "x"}, {"uops": ".."}, {"notes": "most"}):
            with self.subTest(options), self.assertRaises(ValueError):
                cpyjit.dis(subjects.count, **options)
        with self.assertRaisesRegex(RuntimeError, "0x400000000000000000 names no executor"):
            cpyjit.dis(1 << 70)
        with self.assertRaises(TypeError):
            cpyjit.dis(subjects.count, no_such_option=1)

    def test_attributes_that_raise(self):
        class Hostile:
            def __getattr__(self, name):
                raise ZeroDivisionError(name)
        with self.assertRaisesRegex(TypeError, "don't know how"):
            cpyjit.dis(Hostile())

    def test_not_compiled(self):
        text = printed(subjects.never)
        self.assertIn("it has not been compiled", text)
        self.assertIn("run it again", text)
        self.assertIn("cpyjit.executors() shows the", text)
        found = cpyjit.listing(subjects.never)
        self.assertEqual((bool(found), found.executors, len(found), list(found)), (False, [], 0, []))
        self.assertIn("it has not been compiled", repr(found) + found._repr_html_())

    def test_part_of_others(self):
        found = cpyjit.listing(subjects.small)
        if not found:  # 3.14 and 3.15 put it into the trace of the loop that calls it
            self.assertIn("a part of executors of other functions", found.findings[0].what)
            self.assertIn(" caller, entered at", found.findings[0].hint)


class Truth(Case):
    """What is listed is what CPython says of its own executors."""

    def test_uops_and_bytes(self):
        checked = 0
        for function in (subjects.count, subjects.Counter.method, subjects.caller, subjects.decorated.__wrapped__):
            for executor in executors_of(function):
                found = cpyjit.listing(executor)
                code, start = executor.get_jit_code(), found.executors[0].code_address
                own = [(name, oparg, operand) for name, oparg, _, operand in executor]
                mine = [(uop.base, uop.oparg, uop.operand0) for uop in found]
                for (name, *values), (base, *listed) in zip(own, mine, strict=True):
                    self.assertEqual(values, listed)
                    self.assertTrue(name == base or name.startswith(base + "_"), (name, base))
                for uop in found:
                    self.assertEqual(b"".join(one.bytes for one in uop.instructions),
                                     b"".join(code[at - start:at - start + size] for at, size in uop.ranges))
                    checked += len(uop.instructions)
        self.assertGreater(checked, 300)

    def test_lines(self):
        for uop in cpyjit.listing(subjects.count):
            if uop.line is not None and uop.function == "count":
                self.assertIn(uop.line, {line for _, _, line in subjects.count.__code__.co_lines()})

    def test_what_is_invalid_is_said_to_be(self):
        subjects.count.__code__ = subjects.count.__code__.replace()
        subjects.count([1, 2, 3, 4] * subjects.ROUNDS)
        self.assertNotIn("not run any more", printed(subjects.count))
        code = subjects.count.__code__
        # CPython makes all executors invalid when the builtins change for the first time.
        for name in ("first", "second", "third", "fourth"):
            setattr(builtins, name, 1)
        text = printed(code)
        if "it has not been compiled, or what was compiled is invalid and gone" not in text:
            self.assertIn("invalid", text)
            self.assertIn("note: what is shown is not run any more", text)

    def test_a_later_call_sees_changes(self):
        def late(n):
            total = 0
            for i in range(n):
                total += i
            return total
        self.assertFalse(cpyjit.listing(late))
        late(subjects.ROUNDS)
        found = cpyjit.listing(late)
        self.assertTrue(found)
        kept = found.executors[0]
        text, document = str(found), found.to_json()
        del late
        # The listing is of the moment when it was made, whatever becomes of the executor.
        self.assertEqual((str(found), found.to_json()), (text, document))
        self.assertIn("late", found.to_html())
        try:
            again = kept.listing()
        except RuntimeError as reason:
            self.assertGreater(len(str(reason)), 20)
        else:
            self.assertEqual(again.executors[0].code_address, kept.code_address)

    def test_instructions(self):
        every = list(cpyjit.get_instructions(subjects.count))
        self.assertEqual(every, [one for uop in cpyjit.listing(subjects.count) for one in uop.instructions])
        self.assertTrue(any(one.notes for one in every))
        self.assertIn(every[0].mnemonic, str(every[0]))


class Forms(Case):
    def test_options_of_text(self):
        whole = printed(subjects.count)
        self.assertIn("for number in numbers:", whole)
        self.assertNotIn("for number in numbers:", printed(subjects.count, show_source=False))
        self.assertNotIn("\x1b", whole)
        self.assertIn("\x1b", printed(subjects.count, color=True))
        self.assertTrue(printed(subjects.count, ascii=True).isascii())
        widths = [max(map(len, text.splitlines())) for text in (whole, printed(subjects.count, width=90))]
        self.assertLess(widths[1], widths[0] - 20)
        uops_only = printed(subjects.count, show_code=False)
        self.assertLess(len(uops_only.splitlines()), len(whole.splitlines()) / 2)
        self.assertIn("for number in numbers:", uops_only)
        self.assertNotIn("%rax", whole)
        self.assertIn("%r", printed(subjects.count, att=True))
        self.assertGreater(len(printed(subjects.count, notes="all")), len(whole))
        self.assertNotIn("executor->", printed(subjects.count, notes=False))
        self.assertGreater(len(printed(subjects.count, show_bytes=True)), len(whole))
        self.assertNotIn("FOR_ITER", printed(subjects.count, show_bytecode=False, uops="_MAKE_WARM"))
        for one in cpyjit.listing(subjects.count, uops="_MAKE_WARM"):
            self.assertEqual(one.base, "_MAKE_WARM")
        self.assertLess(len(cpyjit.listing(subjects.count, show_stubs=False)), len(cpyjit.listing(subjects.count)))
        for option in ("quiet", "show_offsets"):
            self.assertNotEqual(printed(subjects.count, **{option: True}), whole)
        self.assertNotIn("╭", printed(subjects.count, arrows=False))

    def test_where_it_is_printed(self):
        with contextlib.redirect_stdout(io.StringIO()) as standard:
            self.assertIsNone(cpyjit.dis(subjects.count))
        self.assertEqual(standard.getvalue(), printed(subjects.count))
        raw = io.BytesIO()
        with io.TextIOWrapper(raw, encoding="ascii") as file:
            cpyjit.dis(subjects.count, file=file)
            file.flush()
            self.assertIn(b"count", raw.getvalue())

    def test_documents(self):
        found = cpyjit.listing(subjects.count)
        document = found.to_dict()
        self.assertEqual(json.loads(found.to_json()), document)
        self.assertEqual((document["schema"], document["report"]), ("cpyjit/1", "listing"))
        target = document["target"]
        self.assertEqual((target["kind"], target["pid"]), ("self", os.getpid()))
        self.assertEqual(target["cpython"], sys.version.split()[0])
        page = found.to_html()
        self.assertTrue(page.startswith("<!DOCTYPE html>") or page.startswith("<!doctype html>"), page[:40])
        self.assertIn("for number in numbers:", page)
        frame = found._repr_html_()
        self.assertTrue(frame.startswith('<iframe sandbox="allow-scripts" src="data:text/html'), frame[:60])
        self.assertEqual(frame.count("<"), 2)
        self.assertEqual(base64.b64decode(frame.split("base64,")[1].split('"')[0]).decode(), page)
        self.assertEqual(found.to_json(), json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")

    def test_short_texts(self):
        found = cpyjit.listing(subjects.count)
        self.assertRegex(repr(found), r"^<cpyjit listing of count: \d+ executors?, \d+ uops, \d+ bytes>$")
        self.assertRegex(repr(found.executors[0]), r"^<executor #\d+ count \(.*subjects.py:\d+\): \d+ uops, \d+ bytes, valid")
        self.assertRegex(repr(found.uops[0]), r"^<uop 0 _\w+( of line \d+)? at 0x[0-9a-f]+>$")
        self.assertEqual(str(found), printed(subjects.count))

    def test_executors(self):
        names = {one.qualname for one in cpyjit.executors()}
        self.assertLess({"count", "generate", "Counter.method"}, names)
        self.assertGreaterEqual(len(cpyjit.executors(all=True)), len(names))
        one = next(one for one in cpyjit.executors() if one.qualname == "count")
        self.assertEqual((one.filename, one.firstlineno), (subjects.__file__, subjects.count.__code__.co_firstlineno))
        self.assertTrue(one.valid and one.state.startswith("valid"))

    def test_help(self):
        self.assertIn("get_instructions", pydoc.plain(pydoc.render_doc(cpyjit)))
        self.assertIn("listing", dir(cpyjit))
        with self.assertRaises(AttributeError):
            cpyjit.no_such_name
        for name in cpyjit.__all__:
            self.assertTrue(inspect.getdoc(getattr(cpyjit, name)), name)


class Surroundings(Case):
    def test_a_fork_looks_at_itself(self):
        cpyjit.executors()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            with contextlib.suppress(BaseException):
                target = cpyjit.listing(subjects.count).to_dict()["target"]
                status = 0 if target["pid"] == os.getpid() else 2
            os._exit(status)
        os.close(reading), os.close(writing)
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    def test_from_another_thread(self):
        found = []
        thread = threading.Thread(target=lambda: found.append(cpyjit.listing(subjects.count)))
        thread.start()
        thread.join()
        self.assertEqual(found[0].executors[0].qualname, "count")

    def test_executor_that_runs(self):
        """Looked at from within its own loop: the thread is said to be in it."""
        def looks(n):
            seen = None
            for i in range(n):
                if i == n - 1:
                    seen = cpyjit.listing(looks)
            return seen
        looks(subjects.ROUNDS)
        self.assertTrue(looks(subjects.ROUNDS))

    def test_interpreters_below(self):
        interpreters = __import__("concurrent.interpreters", fromlist=["create"])
        one = interpreters.create()
        with self.assertRaisesRegex(Exception, "subinterpreters"):
            one.exec("import cpyjit")
        one.close()
        self.assertTrue(cpyjit.listing(subjects.count))

    def test_stubs_name_what_there_is(self):
        import ast
        folder = pathlib.Path(cpyjit.__file__).parent
        for stub, module in (("__init__.pyi", cpyjit), ("cpyjit.pyi", sys.modules["cpyjit.cpyjit"])):
            for node in ast.parse((folder / stub).read_text()).body:
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                    self.same_shape(node, getattr(module, node.name))

    def same_shape(self, node, thing):
        import ast
        if isinstance(node, ast.FunctionDef):
            if not isinstance(thing, (property, types.GetSetDescriptorType)):
                parameters = inspect.signature(thing).parameters
                arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
                named = [one for one in parameters if parameters[one].kind is not inspect.Parameter.VAR_KEYWORD]
                self.assertEqual([one.arg for one in arguments], named, node.name)
            return
        own = {name for name in vars(thing) if not name.startswith("_")} - {"of"}
        members = {one.name: one for one in node.body if isinstance(one, ast.FunctionDef)}
        fields = {one.target.id for one in node.body if isinstance(one, ast.AnnAssign)}
        self.assertEqual(own | set(getattr(thing, "_fields", ())), {name for name in {*members, *fields} if name[0] != "_"}, node.name)
        for name, member in members.items():
            if name[0] != "_":
                self.same_shape(member, vars(thing)[name])


if __name__ == "__main__":
    outcome = unittest.main(exit=False, argv=sys.argv[:1]).result
    print(json.dumps({"run": outcome.testsRun, "failed": len(outcome.failures) + len(outcome.errors),
                      "skipped": [reason for _, reason in outcome.skipped]}))
