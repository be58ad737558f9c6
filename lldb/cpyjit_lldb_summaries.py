"""What stands beside values of CPython's structures in `p`, `v` and `frame variable`: executors, exits and uops in words.

They form a category of LLDB: `type category disable cpyjit` takes them away.
"""
import lldb
from cpyjit_lldb_actions import context
from cpyjit_lldb_sessions import current_session
from cpyjit_lldb_target import ADDRESS_MASK, NO_ADDRESS, Selection

STRUCTURES = ("_PyExecutorObject", "_PyExitData", "_PyUOpInstruction")
OBJECT = "_object"
CATEGORY = "cpyjit"
# A trace has fewer exits than it may have uops, which are some thousand; a damaged count must not fill the screen.
MOST_EXITS = 4096


def summary(value, _names):
    """Nothing for what the core cannot read: LLDB still shows the fields."""
    try:
        return described(value) or ""
    except BaseException:  # it would stand where the value is
        return ""


def object_summary(value, names):
    """Only where a pointer is shown: its target has fields."""
    return summary(value, names) if value.GetType().IsPointerType() else ""


def described(value):
    value = value.GetNonSyntheticValue()  # the other has no address
    kind = value.GetType()
    pointer = kind.IsPointerType()
    address = value.GetValueAsUnsigned(0) & ADDRESS_MASK if pointer else value.GetLoadAddress()
    if address in (0, NO_ADDRESS):
        return None
    name = (kind.GetPointeeType() if pointer else kind).GetCanonicalType().GetUnqualifiedType().GetName() or ""
    selection = selection_of(value)
    session = current_session(selection, asked_by_person=False)
    return session.describe(name.removeprefix("struct "), address, context(selection))


def selection_of(value):
    thread = value.GetThread()
    if not thread.IsValid():  # a global variable belongs to none
        thread = value.GetProcess().GetSelectedThread()
    return Selection.of_thread(thread)


class ExecutorFields:
    """The fields of an executor. Its exits lie behind it; the array that they are declared as has another length."""

    def __init__(self, value, _names):
        self.value = value
        self.fields = []

    def update(self):
        plain = self.value.GetNonSyntheticValue()
        self.fields = [with_all_exits(plain, field) for field in plain.children]

    def num_children(self):
        return len(self.fields)

    def get_child_at_index(self, index):
        return self.fields[index] if 0 <= index < len(self.fields) else None

    def get_child_index(self, name):
        return next((index for index, field in enumerate(self.fields) if field.GetName() == name), -1)


def with_all_exits(executor, field):
    count = executor.GetChildMemberWithName("exit_count").GetValueAsUnsigned(0)
    if field.GetName() != "exits" or not 0 < count <= MOST_EXITS:
        return field
    whole = field.GetType().GetArrayElementType().GetArrayType(count)
    return executor.CreateValueFromAddress("exits", field.GetLoadAddress(), whole)


def register(debugger):
    interpreter = debugger.GetCommandInterpreter()
    commands = ["type summary add --expand --category %s --python-function %s.summary %s"
                % (CATEGORY, __name__, name) for name in STRUCTURES]
    commands.append("type summary add --expand --category %s --python-function %s.object_summary '%s *' 'PyObject *'"
                    % (CATEGORY, __name__, OBJECT))
    commands.append("type synthetic add --skip-pointers --category %s --python-class %s.ExecutorFields %s"
                    % (CATEGORY, __name__, STRUCTURES[0]))
    for command in [*commands, "type category enable %s" % CATEGORY]:
        interpreter.HandleCommand(command, lldb.SBCommandReturnObject())
