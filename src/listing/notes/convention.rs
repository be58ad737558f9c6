//! Which register holds what where a uop begins, and the few fields that the analysis itself must know.
//!
//! The stencils are `preserve_none` functions that pass their arguments on (`Tools/jit/template.c`): the order of the
//! arguments is that of the registers. Two orders are known, told apart by what else changed with them: since stencils
//! reach C functions through a GOT, the executor is the first argument and up to three stack items are the last ones.

use super::held::Role;
use super::state::State;
use super::value::{Tag, Terms, Thing, Value};
use crate::cpython::CPython;
use crate::platform::{Architecture, Register, RegisterSet};

/// What is known before any code is looked at.
#[derive(Clone, Debug)]
pub struct Convention {
    roles: Vec<(Register, Thing)>,
    cached: Vec<Register>,
    /// The machine's stack pointer.
    pub machine_stack: Register,
    /// Its frame pointer, which may hold an address of the machine stack without giving it away.
    pub frame_pointer: Register,
    /// Where functions return their results.
    pub result: Register,
    /// Registers that a call may change.
    pub lost_by_calls: RegisterSet,
    /// The offset of `localsplus` in a frame.
    pub localsplus: u64,
    /// The offset of `stackpointer` in a frame: only the code of the frame itself changes it.
    pub stackpointer: Option<u64>,
    /// The offset of `instr_ptr` in a frame, to which `_SET_IP` writes.
    pub instr_ptr: Option<u64>,
    /// The offset of the type in an object.
    pub ob_type: u64,
    /// Pointers that only code of the frame itself changes: thing and offset.
    pub lasting: Vec<(Thing, u64)>,
    /// Pointers through which a frame and its stack can be reached: thing and offset.
    pub to_frame: Vec<(Thing, u64)>,
}

/// What registers hold where a uop begins, those of stack items as far as it finds some there; `None` if this CPython's are
/// not understood.
pub fn register_roles(
    python: &CPython,
    architecture: Architecture,
) -> Option<Vec<(Register, Role)>> {
    Convention::of(python, architecture).map(|convention| convention.registers())
}

/// Bytes of a frame at most; more would be no offset but a negative number (a generator lies around its frame).
const LARGEST_FRAME: u64 = 1 << 20;

impl Convention {
    /// Whether so many bytes into a frame lie in `localsplus`.
    pub fn is_local(&self, offset: u64) -> bool {
        (self.localsplus..LARGEST_FRAME).contains(&offset)
    }

    /// The convention of this CPython; `None` if it is not known.
    pub fn of(python: &CPython, architecture: Architecture) -> Option<Convention> {
        let frame = python.layouts.find("_PyInterpreterFrame")?;
        let executor = python.layouts.find("_PyExecutorObject")?;
        // Before uops had two operands (3.13), registers were handed out in another order.
        python.layouts.find("_PyUOpInstruction")?.find("operand1")?;
        let order: &[Thing] = if python.uops.has_got {
            &[
                Thing::Executor,
                Thing::Frame,
                Thing::Stack,
                Thing::ThreadState,
            ]
        } else if executor.find("jit_side_entry").is_some() {
            &[Thing::Frame, Thing::Stack, Thing::ThreadState]
        } else {
            return None;
        };
        let platform = architecture.platform();
        let registers = platform.preserve_none;
        let (roles, behind) = registers.split_at_checked(order.len())?;
        Some(Convention {
            roles: roles.iter().copied().zip(order.iter().copied()).collect(),
            cached: match python.uops.has_got {
                true => behind.to_vec(),
                false => Vec::new(),
            },
            machine_stack: platform.stack_pointer,
            frame_pointer: platform.frame_pointer,
            result: platform.result,
            lost_by_calls: platform.lost_by_calls,
            localsplus: frame.find("localsplus")?.offset,
            stackpointer: frame.find("stackpointer").map(|field| field.offset),
            instr_ptr: frame.find("instr_ptr").map(|field| field.offset),
            ob_type: python.layouts.find("PyObject")?.find("ob_type")?.offset,
            lasting: fields_of(python, &LASTING),
            to_frame: fields_of(python, &TO_FRAME),
        })
    }

    /// What is in the register that holds the pointer of the evaluation stack where a uop begins.
    pub fn stack_of(&self, state: &State) -> Option<Value> {
        let mut roles = self.roles.iter();
        let (register, _) = roles.find(|(_, thing)| *thing == Thing::Stack)?;
        Some(state.register(*register))
    }

    fn registers(&self) -> Vec<(Register, Role)> {
        let roles = self.roles.iter().filter_map(|(register, thing)| {
            let role = match thing {
                Thing::Executor => Role::Executor,
                Thing::Frame => Role::Frame,
                Thing::ThreadState => Role::ThreadState,
                Thing::Stack => Role::Stack,
                _ => return None,
            };
            Some((*register, role))
        });
        let cached = (0..).zip(&self.cached);
        roles
            .chain(cached.map(|(number, register)| (*register, Role::Cached(number))))
            .collect()
    }

    /// The registers for stack items, the lowest item first.
    pub fn cached_registers(&self) -> impl Iterator<Item = Register> {
        self.cached.iter().copied()
    }

    /// What the registers hold where a uop begins that finds so many stack items in registers.
    pub fn entry(&self, terms: &mut Terms, cached: u8) -> State {
        let mut state = State::unknown();
        let zero = terms.constant(0);
        for (register, thing) in &self.roles {
            let thing = terms.thing(*thing);
            state.set(*register, Value::Pointer(thing, zero, Tag::None));
        }
        for (number, register) in (0..cached).zip(&self.cached) {
            let thing = terms.thing(Thing::Cached(number));
            state.set(*register, Value::Pointer(thing, zero, Tag::Maybe));
        }
        let stack = terms.thing(Thing::MachineStack);
        state.set(self.machine_stack, Value::Pointer(stack, zero, Tag::None));
        state
    }
}

/// A frame keeps its function and globals, a thread its interpreter.
const LASTING: [(Thing, &str, &str); 5] = [
    (Thing::Frame, "_PyInterpreterFrame", "f_executable"),
    (Thing::Frame, "_PyInterpreterFrame", "f_funcobj"),
    (Thing::Frame, "_PyInterpreterFrame", "f_globals"),
    (Thing::Frame, "_PyInterpreterFrame", "f_builtins"),
    (Thing::ThreadState, "PyThreadState", "interp"),
];

const TO_FRAME: [(Thing, &str, &str); 3] = [
    (Thing::Frame, "_PyInterpreterFrame", "stackpointer"),
    (Thing::Frame, "_PyInterpreterFrame", "previous"),
    (Thing::ThreadState, "PyThreadState", "current_frame"),
];

fn fields_of(python: &CPython, fields: &[(Thing, &str, &str)]) -> Vec<(Thing, u64)> {
    fields
        .iter()
        .filter_map(|(thing, shape, field)| {
            Some((*thing, python.layouts.find(shape)?.find(field)?.offset))
        })
        .collect()
}

#[cfg(test)]
impl Convention {
    /// That of 3.15 on x86-64, with made-up offsets.
    pub fn sample() -> Convention {
        let platform = Architecture::default().platform();
        let registers = platform.preserve_none;
        let order = [
            Thing::Executor,
            Thing::Frame,
            Thing::Stack,
            Thing::ThreadState,
        ];
        Convention {
            roles: registers.into_iter().zip(order).collect(),
            cached: registers.into_iter().skip(order.len()).collect(),
            machine_stack: platform.stack_pointer,
            frame_pointer: platform.frame_pointer,
            result: platform.result,
            lost_by_calls: platform.lost_by_calls,
            localsplus: 80,
            stackpointer: Some(64),
            instr_ptr: Some(56),
            ob_type: 8,
            lasting: vec![(Thing::ThreadState, 16)],
            to_frame: vec![(Thing::Frame, 64)],
        }
    }
}
