"""Values of expressions without LLDB's evaluator, which may allocate memory in the program even when it compiles
nothing: they are followed by hand."""
import re

import lldb

NO_ADDRESS = lldb.LLDB_INVALID_ADDRESS
ADDRESS_MASK = 2**64 - 1


class Expression:
    """The value of `ROOT PATH [+ N]` as an address: ROOT is a number, a register, a persistent variable ($name), a
    variable of the frame or a global one; PATH goes on with `.field`, `->field` and `[index]`. A pointer cast before it
    changes nothing, since only the address counts; `&` in front asks for the place instead of the value."""

    SHAPE = re.compile(r"""\s* (?P<address_of>&?) \s*
                           (?P<root>\$?[A-Za-z_]\w* | 0[xX][0-9a-fA-F]+ | \d+)
                           (?P<path>(?:\s*(?:\.|->)\s*[A-Za-z_]\w* | \s*\[\s*\d+\s*\])*) \s*
                           (?:(?P<sign>[+-])\s*(?P<offset>0[xX][0-9a-fA-F]+|\d+))? \s*""", re.VERBOSE)
    CAST = re.compile(r"\s*\(\s*(?:(?:struct|const|unsigned)\s+)*\w+\s*\*+\s*\)")

    def __init__(self, selection, text):
        self.selection = selection
        self.text = text.strip()
        self.parts = self.SHAPE.fullmatch(self.CAST.sub("", strip_parentheses(self.text), count=1))
        if self.parts is None:
            raise ValueError("cannot follow '%s' without running code in the program; give an address, a register, "
                             "$name, &symbol or a variable with ., -> and [N]" % self.text)

    def address(self):
        start = self.place() if self.parts["address_of"] else self.value()
        offset = int(self.parts["offset"] or "0", 0)
        return (start - offset if self.parts["sign"] == "-" else start + offset) & ADDRESS_MASK

    def value(self):
        if self.parts["root"][0].isdigit():
            return self.number()
        return as_address(self.variable(), self.text)

    def number(self):
        if self.parts["path"]:
            raise ValueError("'%s' is a number and has no fields" % self.parts["root"])
        root = self.parts["root"]
        return int(root, 16 if root[:2].lower() == "0x" else 10)

    def place(self):
        """Where a symbol or variable is. The symbol table goes first: it needs no debug information."""
        root = self.parts["root"]
        address = None if self.parts["path"] else symbol_address(self.selection.target, root)
        if address is None:
            address = self.variable().GetLoadAddress()
        if address == NO_ADDRESS:
            raise ValueError("'%s' has no address" % self.text)
        return address

    def variable(self):
        root, path = self.parts["root"], re.sub(r"\s+", "", self.parts["path"])
        value = self.dollar(root[1:]) if root.startswith("$") else self.named(root)
        if path:
            value = value.GetValueForExpressionPath(path)
        if not value.IsValid() or value.GetError().Fail():
            raise ValueError("cannot follow '%s' of '%s'" % (path, root) if path else "'%s' has no value here" % root)
        return value

    def dollar(self, name):
        frame = self.selection.frame
        if not frame.IsValid():
            raise ValueError("$%s has no value: there is no frame" % name)
        register = frame.FindRegister(name)
        if register.IsValid():
            return register
        variable = frame.FindValue("$" + name, lldb.eValueTypeConstResult)
        if not variable.IsValid() or variable.GetError().Fail():
            raise ValueError("$%s is neither a register nor a variable that you have set" % name)
        return variable

    def named(self, name):
        local = self.selection.frame.FindVariable(name)
        found = local if local.IsValid() else self.selection.target.FindFirstGlobalVariable(name)
        if not found.IsValid():
            raise ValueError("no variable '%s' in this frame or among the globals" % name)
        return found


def strip_parentheses(text):
    """`((T *)x)->y` is written with one pair that this small grammar has no other use for."""
    inner = re.fullmatch(r"\(\s*(\([^()]*\)\s*[^()]+)\)(.*)", text)
    return inner.group(1) + inner.group(2) if inner else text


def symbol_address(target, name):
    for context in target.FindSymbols(name):
        address = context.GetSymbol().GetStartAddress()
        if address.IsValid():
            loaded = address.GetLoadAddress(target)
            return loaded if loaded != NO_ADDRESS else address.GetFileAddress()
    return None


def as_address(value, text):
    """A pointer or an integer as an unsigned number; arrays are where they are."""
    flags = value.GetType().GetCanonicalType().GetTypeFlags()
    if flags & lldb.eTypeIsArray and value.GetLoadAddress() != NO_ADDRESS:
        return value.GetLoadAddress()
    if not flags & (lldb.eTypeIsPointer | lldb.eTypeIsReference | lldb.eTypeIsInteger | lldb.eTypeIsEnumeration):
        raise ValueError("'%s' is a %s, not an address" % (text, value.GetTypeName()))
    error = lldb.SBError()
    number = value.GetValueAsUnsigned(error, 0)
    if error.Fail():
        raise ValueError("'%s' has no value here" % text)
    return number & ADDRESS_MASK
