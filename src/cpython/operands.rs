//! What the argument of a bytecode instruction means, in the words of the `dis` module (`argrepr`).

use super::literal::Literals;
use super::{BytecodeInstruction, CPython, Objects, OpcodeTable};
use crate::address::{Address, BytecodeOffset};
use crate::error::Result;
use crate::target::Reader;

/// `_nb_ops` of the `opcode` module (`Include/opcode.h`), the same in 3.14 and 3.15.
const BINARY_OPERATORS: [&str; 27] = [
    "+", "&", "//", "<<", "@", "*", "%", "|", "**", ">>", "-", "/", "^", "+=", "&=", "//=", "<<=",
    "@=", "*=", "%=", "|=", "**=", ">>=", "-=", "/=", "^=", "[]",
];

/// `cmp_op`.
const COMPARISONS: [&str; 6] = ["<", "<=", "==", "!=", ">", ">="];

/// `_intrinsic_1_descs` (`Include/internal/pycore_intrinsics.h`).
const INTRINSICS_1: [&str; 12] = [
    "INTRINSIC_1_INVALID",
    "INTRINSIC_PRINT",
    "INTRINSIC_IMPORT_STAR",
    "INTRINSIC_STOPITERATION_ERROR",
    "INTRINSIC_ASYNC_GEN_WRAP",
    "INTRINSIC_UNARY_POSITIVE",
    "INTRINSIC_LIST_TO_TUPLE",
    "INTRINSIC_TYPEVAR",
    "INTRINSIC_PARAMSPEC",
    "INTRINSIC_TYPEVARTUPLE",
    "INTRINSIC_SUBSCRIPT_GENERIC",
    "INTRINSIC_TYPEALIAS",
];

/// `_intrinsic_2_descs`.
const INTRINSICS_2: [&str; 6] = [
    "INTRINSIC_2_INVALID",
    "INTRINSIC_PREP_RERAISE_STAR",
    "INTRINSIC_TYPEVAR_WITH_BOUND",
    "INTRINSIC_TYPEVAR_WITH_CONSTRAINTS",
    "INTRINSIC_SET_FUNCTION_TYPE_PARAMS",
    "INTRINSIC_SET_TYPEPARAM_DEFAULT",
];

/// `_common_constants`; 3.14 has the first five.
const COMMON_CONSTANTS: [&str; 12] = [
    "AssertionError",
    "NotImplementedError",
    "tuple",
    "<built-in function all>",
    "<built-in function any>",
    "list",
    "set",
    "None",
    "''",
    "True",
    "False",
    "-1",
];

/// `_special_method_names`.
const SPECIAL_METHODS: [&str; 4] = ["__enter__", "__exit__", "__aenter__", "__aexit__"];

/// `FUNCTION_ATTR_FLAGS` of the `dis` module, a bit each.
const FUNCTION_ATTRIBUTES: [&str; 5] = [
    "defaults",
    "kwdefaults",
    "annotations",
    "closure",
    "annotate",
];

/// The first version that keeps flags in the argument of `IMPORT_NAME`.
const LAZY_IMPORTS: u64 = 0x030f_0000;

/// More names or constants than a code object has.
const MOST_NAMES: u64 = 1 << 16;

/// What the arguments of the instructions of one code object refer to.
pub struct Operands<'t> {
    python: &'t CPython,
    reader: Reader<'t>,
    names: Vec<String>,
    locals: Vec<String>,
    constants: Vec<Address>,
    /// What could not be read.
    pub findings: Vec<String>,
}

impl<'t> Operands<'t> {
    /// Reads the names and constants of the code object at `code`.
    pub fn read(python: &'t CPython, reader: Reader<'t>, code: Address) -> Operands<'t> {
        let mut operands = Operands {
            python,
            reader,
            names: Vec::new(),
            locals: Vec::new(),
            constants: Vec::new(),
            findings: Vec::new(),
        };
        let names = operands.told("co_names", operands.tuple(code, "co_names"));
        let locals = "co_localsplusnames";
        let locals = operands.told(locals, operands.tuple(code, locals));
        operands.constants = operands.told("co_consts", operands.tuple(code, "co_consts"));
        operands.names = operands.texts(&names);
        operands.locals = operands.texts(&locals);
        operands
    }

    fn tuple(&self, code: Address, field: &str) -> Result<Vec<Address>> {
        let shape = self.python.layouts.shape("PyCodeObject")?;
        let at = code.wrapping_add(shape.field(field)?.offset);
        let tuple = self.reader.pointer(at, field)?;
        Literals::new(self.python, self.reader).items(tuple, MOST_NAMES)
    }

    fn told(&mut self, field: &str, found: Result<Vec<Address>>) -> Vec<Address> {
        found.unwrap_or_else(|error| {
            self.findings.push(format!("{field} is not known: {error}"));
            Vec::new()
        })
    }

    /// Names that cannot be read are empty.
    fn texts(&self, all: &[Address]) -> Vec<String> {
        let objects = Objects::new(self.python, self.reader);
        all.iter()
            .map(|address| objects.text(*address).unwrap_or_default())
            .collect()
    }

    /// What `dis` writes in parentheses behind the argument; `None` if it writes nothing, or what is not known. Jumps
    /// are not among it: their labels are no matter of the single instruction.
    pub fn describe(&self, instruction: &BytecodeInstruction) -> Option<String> {
        let base = base_name(&self.python.opcodes, instruction)?;
        let oparg = instruction.oparg;
        if base.starts_with("LOAD_FAST") || base.starts_with("STORE_FAST") || is_local(base) {
            return self.locals(base, oparg);
        }
        match base {
            "LOAD_CONST" => {
                let constant = self.constants.get(usize::try_from(oparg).ok()?)?;
                Literals::new(self.python, self.reader).repr(*constant)
            }
            "COMPARE_OP" => Some(match (entry(&COMPARISONS, oparg >> 5)?, oparg & 16) {
                (comparison, 0) => comparison,
                (comparison, _) => format!("bool({comparison})"),
            }),
            "BINARY_OP" => entry(&BINARY_OPERATORS, oparg),
            "CALL_INTRINSIC_1" => entry(&INTRINSICS_1, oparg),
            "CALL_INTRINSIC_2" => entry(&INTRINSICS_2, oparg),
            "LOAD_COMMON_CONSTANT" => entry(&COMMON_CONSTANTS, oparg),
            "LOAD_SPECIAL" => entry(&SPECIAL_METHODS, oparg),
            "CONVERT_VALUE" => entry(&["", "str", "repr", "ascii"], oparg),
            "SET_FUNCTION_ATTRIBUTE" => Some(flags(oparg)),
            "IS_OP" => entry(&["is", "is not"], oparg),
            "CONTAINS_OP" => entry(&["in", "not in"], oparg),
            _ => self.name(base, oparg),
        }
        .filter(|text| !text.is_empty())
    }

    fn locals(&self, base: &str, oparg: u32) -> Option<String> {
        let two = matches!(
            base,
            "LOAD_FAST_LOAD_FAST"
                | "LOAD_FAST_BORROW_LOAD_FAST_BORROW"
                | "STORE_FAST_LOAD_FAST"
                | "STORE_FAST_STORE_FAST"
        );
        match two {
            true => Some(format!(
                "{}, {}",
                named(&self.locals, oparg >> 4)?,
                named(&self.locals, oparg & 15)?
            )),
            false => named(&self.locals, oparg).map(ToOwned::to_owned),
        }
    }

    /// Instructions that have a name, some with flags in the lowest bits of the argument.
    fn name(&self, base: &str, oparg: u32) -> Option<String> {
        let flagged = self.python.offsets.version_hex >= LAZY_IMPORTS;
        let (shift, low, high) = match base {
            "LOAD_GLOBAL" => (1, " + NULL", ""),
            "LOAD_ATTR" => (1, " + NULL|self", ""),
            "LOAD_SUPER_ATTR" => (2, " + NULL|self", ""),
            "IMPORT_NAME" if flagged => (2, " + lazy", " + eager"),
            "DELETE_ATTR"
            | "DELETE_GLOBAL"
            | "DELETE_NAME"
            | "IMPORT_FROM"
            | "IMPORT_NAME"
            | "LOAD_FROM_DICT_OR_GLOBALS"
            | "LOAD_NAME"
            | "STORE_ATTR"
            | "STORE_GLOBAL"
            | "STORE_NAME" => (0, "", ""),
            _ => return None,
        };
        let name = named(&self.names, oparg >> shift)?;
        let flag = match (shift, oparg & 1, oparg & 2) {
            (0, _, _) | (_, 0, 0) => "",
            (_, 1, _) => low,
            _ => high,
        };
        Some(format!("{name}{flag}"))
    }
}

/// `haslocal` and `hasfree` without the `…_FAST` instructions.
fn is_local(base: &str) -> bool {
    matches!(
        base,
        "DELETE_FAST"
            | "LOAD_DEREF"
            | "DELETE_DEREF"
            | "LOAD_FROM_DICT_OR_DEREF"
            | "MAKE_CELL"
            | "STORE_DEREF"
    )
}

fn entry(table: &[&str], index: u32) -> Option<String> {
    table
        .get(usize::try_from(index).ok()?)
        .map(|entry| (*entry).to_owned())
}

fn named(names: &[String], index: u32) -> Option<&str> {
    let name = names.get(usize::try_from(index).ok()?)?;
    (!name.is_empty()).then_some(name)
}

fn flags(oparg: u32) -> String {
    let all = (0..).zip(FUNCTION_ATTRIBUTES);
    let set: Vec<&str> = all
        .filter(|(bit, _)| oparg & (1u32 << bit) != 0)
        .map(|(_, name)| name)
        .collect();
    set.join(", ")
}

/// The instruction that a specialised or instrumented one stands for.
fn base_name<'o>(opcodes: &'o OpcodeTable, instruction: &BytecodeInstruction) -> Option<&'o str> {
    let name = opcodes.name(opcodes.base(instruction.opcode))?;
    Some(name.strip_prefix("INSTRUMENTED_").unwrap_or(name))
}

/// Whether the instruction has an argument; `None` if its name is not known.
///
/// `HAVE_ARGUMENT` is a macro that no build keeps. Opcodes without argument are numbered before those with one, each
/// by name, and the first with one is `BINARY_OP` (`Include/opcode_ids.h`, `Tools/cases_generator/opcode_id_generator.py`).
pub fn has_argument(opcodes: &OpcodeTable, instruction: &BytecodeInstruction) -> Option<bool> {
    let base = opcodes.opcode(base_name(opcodes, instruction)?)?;
    Some(base >= opcodes.opcode("BINARY_OP")?)
}

/// Where the instruction can jump to, besides the next one. Of `END_ASYNC_FOR`, which does not jump, it is the `SEND` that
/// it belongs to, as in `dis`.
pub fn jump_target(
    opcodes: &OpcodeTable,
    instruction: &BytecodeInstruction,
) -> Option<BytecodeOffset> {
    let base = base_name(opcodes, instruction)?;
    let unit = match base {
        "JUMP_FORWARD" | "FOR_ITER" | "SEND" => instruction.end.checked_add(instruction.oparg)?,
        "JUMP_BACKWARD" | "JUMP_BACKWARD_NO_INTERRUPT" | "END_ASYNC_FOR" => {
            instruction.end.checked_sub(instruction.oparg)?
        }
        _ if base.starts_with("POP_JUMP_IF_") => instruction.end.checked_add(instruction.oparg)?,
        _ => return None,
    };
    BytecodeOffset::of_code_unit(unit)
}
