//! `PyInterpreterState`: which executors an interpreter knows (`Include/internal/pycore_interp_structs.h`).

use super::CPython;
use crate::address::{Address, Range};
use crate::error::{Error, Result};
use crate::target::{Reader, Record};
use std::collections::HashSet;

/// More interpreters than a process has; the list of a damaged target may never end.
const MOST_INTERPRETERS: usize = 1024;

/// More executors than an interpreter has.
const MOST_EXECUTORS: usize = 1 << 20;

/// How an executor was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Found {
    /// In the interpreter's list or array of executors.
    List,
    /// In the list of executors that wait for being freed.
    DeletionList,
    /// One of the two executors that stand for exits without one (3.15).
    Cold,
    /// At an exit of another executor.
    Exit,
    /// A thread is running it.
    Running,
    /// In a slot of a code object (`co_executors`).
    Code,
    /// In a list of the garbage collector, while no other place leads to it.
    Gc,
    /// Its code is registered for debuggers (`__jit_debug_descriptor`, 3.15).
    JitInterface,
}

impl Found {
    /// The word that the JSON uses.
    pub fn word(self) -> &'static str {
        match self {
            Found::List => "list",
            Found::DeletionList => "deletion-list",
            Found::Cold => "cold",
            Found::Exit => "exit",
            Found::Running => "running",
            Found::Code => "code",
            Found::Gc => "gc",
            Found::JitInterface => "jit-interface",
        }
    }
}

/// An interpreter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interpreter {
    /// Where it is.
    pub address: Address,
    /// `interp->id`.
    pub id: i64,
    /// Whether the JIT is switched on; `None` if the target does not tell.
    pub jit_enabled: Option<bool>,
    /// Its executors in the order of its own lists.
    pub executors: Vec<(Address, Found)>,
    /// The head of its list of threads.
    pub threads: Address,
    /// What was wrong with its lists.
    pub findings: Vec<String>,
}

impl Interpreter {
    /// Reads all interpreters of a process.
    pub fn read_all(python: &CPython, reader: Reader<'_>) -> Result<Vec<Interpreter>> {
        let head = python
            .layouts
            .shape("_PyRuntimeState")?
            .field("interpreters.head")?
            .offset;
        let mut next = reader.pointer(
            python.runtime.wrapping_add(head),
            "_PyRuntime.interpreters.head",
        )?;
        prefetch(python, reader, next);
        let mut seen = HashSet::new();
        let mut interpreters = Vec::new();
        while !next.is_null() && seen.insert(next) && interpreters.len() < MOST_INTERPRETERS {
            let (interpreter, behind) = read(python, reader, next)?;
            interpreters.push(interpreter);
            next = behind;
        }
        Ok(interpreters)
    }
}

/// Where an interpreter counts the versions of code objects (`init_code` in `Objects/codeobject.c`).
const NEXT_VERSION: &str = "func_state.next_version";

/// The fields that [`Interpreter::read_all`] reads.
const FIELDS: [&str; 10] = [
    "id",
    "jit",
    "next",
    "threads.head",
    "executor_ptrs",
    "executor_count",
    "executor_list_head",
    "executor_deletion_list_head",
    "cold_executor",
    "cold_dynamic_executor",
];

/// Says that these fields will be read.
fn prefetch(python: &CPython, reader: Reader<'_>, interpreter: Address) {
    let Some(shape) = python.layouts.find("PyInterpreterState") else {
        return;
    };
    let fields = FIELDS.iter().filter_map(|name| shape.find(name));
    let ranges = fields.map(|field| Range::new(interpreter.wrapping_add(field.offset), field.size));
    reader.prefetch(&ranges.collect::<Vec<_>>());
}

impl Interpreter {
    /// The version that it gives to its next code object or function; `None` if the target does not tell, or versions
    /// have run out.
    pub fn next_version(&self, python: &CPython, reader: Reader<'_>) -> Option<u64> {
        let state = Fields {
            python,
            reader,
            address: self.address,
        };
        let version = state.number(NEXT_VERSION).ok()?;
        version.filter(|version| *version != 0)
    }
}

/// The executor that each interpreter has compiled last, and the cold ones: what its lists begin or end with, without
/// following them (`executor_list_head` on 3.14, the end of `executor_ptrs` on 3.15).
pub fn newest_executors(python: &CPython, reader: Reader<'_>) -> Result<Vec<Address>> {
    let shape = python.layouts.shape("_PyRuntimeState")?;
    let head = python
        .runtime
        .wrapping_add(shape.field("interpreters.head")?.offset);
    let mut next = reader.pointer(head, "_PyRuntime.interpreters.head")?;
    let (mut seen, mut newest) = (HashSet::new(), Vec::new());
    while !next.is_null() && seen.insert(next) && seen.len() <= MOST_INTERPRETERS {
        let state = Fields {
            python,
            reader,
            address: next,
        };
        newest.extend(state.newest()?.filter(|executor| !executor.is_null()));
        for name in ["cold_executor", "cold_dynamic_executor"] {
            newest.extend(state.pointer(name)?.filter(|cold| !cold.is_null()));
        }
        next = state.required("next")?;
    }
    Ok(newest)
}

fn read(python: &CPython, reader: Reader<'_>, address: Address) -> Result<(Interpreter, Address)> {
    let state = Fields {
        python,
        reader,
        address,
    };
    let mut interpreter = Interpreter {
        address,
        id: state.number("id")?.unwrap_or_default().cast_signed(),
        jit_enabled: state.number("jit")?.map(|jit| jit != 0),
        executors: Vec::new(),
        threads: state.required("threads.head")?,
        findings: Vec::new(),
    };
    executors(&state, &mut interpreter)?;
    Ok((interpreter, state.required("next")?))
}

/// Fields of the interpreter state, read one by one: it is 220 kB long, and what is needed lies in two places of it.
struct Fields<'t> {
    python: &'t CPython,
    reader: Reader<'t>,
    address: Address,
}

impl Fields<'_> {
    /// The number in a field; `None` if this CPython does not have the field.
    fn number(&self, name: &str) -> Result<Option<u64>> {
        let shape = self.python.layouts.shape("PyInterpreterState")?;
        let Some(field) = shape.find(name) else {
            return Ok(None);
        };
        let at = self.address.wrapping_add(field.offset);
        let bytes = self.reader.bytes(
            at,
            field.size,
            format_args!("{name} of interpreter {}", self.address),
        )?;
        let here = crate::shape::Field {
            offset: 0,
            ..field.clone()
        };
        Ok(here.unsigned(&bytes))
    }

    fn pointer(&self, name: &str) -> Result<Option<Address>> {
        Ok(self.number(name)?.map(Address))
    }

    fn newest(&self) -> Result<Option<Address>> {
        let Some(array) = self.pointer("executor_ptrs")? else {
            return self.pointer("executor_list_head");
        };
        let count = self.number("executor_count")?.unwrap_or(0);
        let Some(last) = count
            .checked_sub(1)
            .filter(|last| *last < MOST_EXECUTORS as u64)
        else {
            return Ok(None);
        };
        let slot = array.wrapping_add(last * 8);
        self.reader.pointer(slot, "executor_ptrs").map(Some)
    }

    fn required(&self, name: &str) -> Result<Address> {
        self.pointer(name)?.ok_or_else(|| Error::NoField {
            shape: "PyInterpreterState".to_owned(),
            field: name.to_owned(),
        })
    }
}

fn executors(state: &Fields<'_>, interpreter: &mut Interpreter) -> Result<()> {
    if let Some(array) = state.pointer("executor_ptrs")? {
        let count = state.number("executor_count")?.unwrap_or(0);
        read_array(state, array, count, interpreter);
    } else if let Some(head) = state.pointer("executor_list_head")? {
        follow_list(state, head, Found::List, interpreter);
    } else {
        interpreter.findings.push(
            "this CPython keeps its executors neither in executor_ptrs nor in executor_list_head; \
             only those that are named or running can be shown"
                .to_owned(),
        );
    }
    if let Some(head) = state.pointer("executor_deletion_list_head")? {
        follow_list(state, head, Found::DeletionList, interpreter);
    }
    for name in ["cold_executor", "cold_dynamic_executor"] {
        if let Some(cold) = state.pointer(name)?.filter(|cold| !cold.is_null()) {
            interpreter.executors.push((cold, Found::Cold));
        }
    }
    Ok(())
}

/// 3.15: `executor_ptrs[0 .. executor_count]`.
fn read_array(state: &Fields<'_>, array: Address, count: u64, interpreter: &mut Interpreter) {
    if count > MOST_EXECUTORS as u64 {
        interpreter
            .findings
            .push(format!("executor_count is {count}, more than there can be"));
        return;
    }
    match state.reader.pointers(array, count, "executor_ptrs") {
        Ok(pointers) => interpreter
            .executors
            .extend(pointers.into_iter().map(|address| (address, Found::List))),
        Err(error) => interpreter.findings.push(error.to_string()),
    }
}

/// 3.14: a list through `vm_data.links.next`; 3.15 keeps those that wait for being freed like this.
fn follow_list(state: &Fields<'_>, head: Address, found: Found, interpreter: &mut Interpreter) {
    let mut next = head;
    let mut seen = HashSet::new();
    while !next.is_null() {
        if !seen.insert(next) || seen.len() > MOST_EXECUTORS {
            interpreter.findings.push(format!(
                "the {} of executors runs in a circle at {next}",
                found.word()
            ));
            return;
        }
        interpreter.executors.push((next, found));
        match link(state, next) {
            Ok(behind) => next = behind,
            Err(error) => {
                interpreter.findings.push(error.to_string());
                return;
            }
        }
    }
}

fn link(state: &Fields<'_>, executor: Address) -> Result<Address> {
    let shape = state.python.layouts.shape("_PyExecutorObject")?;
    let record: Record<'_> = state.reader.record(executor, shape)?;
    record.pointer("vm_data.links.next")
}
