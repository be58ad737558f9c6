//! `_PyExecutorObject`: a trace, its machine code and its exits (`Include/internal/pycore_optimizer.h`).

use super::uop::uops;
use super::{BackoffCounter, BackoffFormat, CPython, Uop};
use crate::address::{Address, BytecodeOffset, Range};
use crate::error::{Error, Result};
use crate::target::{Reader, Record};

/// More uops than a trace can have (`UOP_MAX_TRACE_LENGTH` is 2,500 on 3.15, in debug builds 1,000).
const MOST_UOPS: u64 = 1 << 16;

/// More exits than a trace can have; on 3.15 their index has 12 bits.
const MOST_EXITS: u64 = 1 << 14;

/// More machine code than an executor can have (3.15: `PY_MAX_JIT_CODE_SIZE` is 1 MiB; debug builds are larger).
const MOST_CODE: u64 = 64 << 20;

/// An executor, read as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Executor {
    /// Where the object is.
    pub address: Address,
    /// Where its trace is.
    pub trace: Address,
    /// The trace, stubs included.
    pub uops: Vec<Uop>,
    /// Its side exits.
    pub exits: Vec<Exit>,
    /// Where its machine code is; null if it has none.
    pub jit_code: Address,
    /// How much memory was mapped for it, in bytes.
    pub jit_size: u64,
    /// Where other executors enter it, if that differs from `jit_code` (3.14).
    pub side_entry: Option<Address>,
    /// What CPython thinks of it.
    pub state: State,
    /// How many executors lie between it and one in bytecode.
    pub chain_depth: u32,
    /// The code object whose bytecode enters it; null if only exits do.
    pub code: Address,
    /// Where the bytecode enters it; meaningless if `code` is null.
    pub entry: Option<BytecodeOffset>,
    /// What it says of its place among others, to be checked.
    pub claims: Claims,
}

/// Fields that repeat what is known from elsewhere: whether both agree shows whether an executor is whole. `None` where
/// this CPython does not have the field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Claims {
    /// `ob_refcnt`.
    pub references: Option<u64>,
    /// `ob_size`: bytes of exits and trace.
    pub object_size: Option<u64>,
    /// `vm_data.opcode` and `vm_data.oparg`: the instruction that `ENTER_EXECUTOR` replaced.
    pub replaced: Option<(u8, u8)>,
    /// `vm_data.links.next`.
    pub next: Option<Address>,
    /// `vm_data.links.previous`.
    pub previous: Option<Address>,
    /// `vm_data.bloom_array_idx`: its place in `interp->executor_ptrs`; negative if it has none (3.15).
    pub array_index: Option<i64>,
}

/// The flags of an executor (`_PyVMData`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct State {
    /// Its assumptions hold: it may be entered.
    pub valid: bool,
    /// It is linked into the lists of the interpreter.
    pub linked: Option<bool>,
    /// It ran since the last look for cold executors.
    pub warm: Option<bool>,
    /// It waits for being freed.
    pub pending_deletion: bool,
}

/// A side exit (`_PyExitData`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exit {
    /// Where the record is.
    pub address: Address,
    /// The code unit at which the interpreter goes on.
    pub target: u32,
    /// The executor that goes on instead; null or a cold executor while there is none.
    pub executor: Address,
    /// Whether it is the exit of a branch or an iterator, where the target tells (3.15).
    pub is_control_flow: bool,
    /// Its place among the exits, where the target tells (3.15).
    pub index: Option<u64>,
    /// How often it must still be taken before CPython tries to compile what follows it.
    pub temperature: Option<BackoffCounter>,
}

impl Executor {
    /// Reads the executor at `address`: one read for the head, one for all that follows.
    ///
    /// What cannot be an executor (wrong type, impossible counts) is an error that says why.
    pub fn read(python: &CPython, reader: Reader<'_>, address: Address) -> Result<Executor> {
        let shape = python.layouts.shape("_PyExecutorObject")?;
        check_type(python, reader, address)?;
        let head = reader.record(address, shape)?;
        let trace = head.pointer("trace")?;
        let uop_shape = python.layouts.shape("_PyUOpInstruction")?;
        let uop_count = bounded(&head, "code_size", MOST_UOPS)?;
        let trace_bytes = reader.bytes(
            trace,
            uop_count * uop_shape.size,
            format_args!("trace of executor {address}"),
        )?;
        let code = head.pointer("vm_data.code")?;
        Ok(Executor {
            address,
            trace,
            uops: uops(uop_shape, &trace_bytes)?,
            exits: exits(python, reader, &head)?,
            jit_code: head.pointer("jit_code")?,
            jit_size: bounded(&head, "jit_size", MOST_CODE)?,
            side_entry: head.optional("jit_side_entry")?.map(Address),
            state: state(&head)?,
            chain_depth: u32::try_from(head.unsigned("vm_data.chain_depth")?).unwrap_or(u32::MAX),
            code,
            entry: match code.is_null() {
                true => None,
                false => entry(&head)?,
            },
            claims: claims(python, reader, &head)?,
        })
    }
}

impl Executor {
    /// What its machine code was made from: with the same trace at the same places it is the same code. `None` if it may
    /// have been freed.
    pub fn proof(&self, python: &CPython, reader: Reader<'_>) -> Option<Vec<u8>> {
        let uop = python.layouts.find("_PyUOpInstruction")?;
        let size = uop.size.saturating_mul(self.uops.len() as u64);
        let mut proof = reader.bytes(self.trace, size, "trace").ok()?;
        for place in [self.trace.0, self.jit_code.0, self.jit_size] {
            proof.extend(place.to_le_bytes());
        }
        let objects = super::Objects::new(python, reader);
        objects.is_alive(self.address).ok()?.then_some(proof)
    }

    /// Where the executor at `address` lies with its exits and its trace, which follow it as one object.
    pub fn extent(python: &CPython, reader: Reader<'_>, address: Address) -> Result<Range> {
        let head = reader.record(address, python.layouts.shape("_PyExecutorObject")?)?;
        let uops = bounded(&head, "code_size", MOST_UOPS)?;
        let size = uops * python.layouts.shape("_PyUOpInstruction")?.size;
        let end = head.pointer("trace")?.wrapping_add(size);
        let length = end
            .offset_from(address)
            .filter(|length| *length <= MOST_CODE);
        Ok(Range::new(address, length.unwrap_or(0)))
    }
}

/// What is left of an executor whose memory was freed, or that cannot be read as one for another reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Remains {
    /// Where its machine code was, if the memory still tells something that may be it.
    pub code: Option<Range>,
    /// Whether the object there still has the type of executors.
    pub is_executor: bool,
    /// Whether the memory holds the pattern that CPython's debug allocators leave in freed memory.
    pub is_dead: bool,
}

/// `PYMEM_DEADBYTE` in `Include/internal/pycore_pymem.h`, eight times.
const DEAD: u64 = 0xdddd_dddd_dddd_dddd;

/// Code is mapped in pages.
const PAGE: u64 = 4096;

impl Remains {
    /// Looks at the bytes where an executor was; `None` if they cannot be read.
    pub fn read(python: &CPython, reader: Reader<'_>, address: Address) -> Option<Remains> {
        let shape = python.layouts.shape("_PyExecutorObject").ok()?;
        let head = reader.record(address, shape).ok()?;
        let (start, size) = (
            head.pointer("jit_code").ok()?,
            head.unsigned("jit_size").ok()?,
        );
        let plausible = !start.is_null()
            && start.0.is_multiple_of(PAGE)
            && size.is_multiple_of(PAGE)
            && (1..=MOST_CODE).contains(&size);
        Some(Remains {
            code: plausible.then_some(Range::new(start, size)),
            is_executor: check_type(python, reader, address).is_ok(),
            is_dead: start.0 == DEAD && size == DEAD,
        })
    }
}

/// An error unless the object at `address` is an executor.
fn check_type(python: &CPython, reader: Reader<'_>, address: Address) -> Result<()> {
    let refuse = |reason: &str| {
        Err(Error::Inconsistent {
            what: "executor".to_owned(),
            address,
            reason: reason.to_owned(),
        })
    };
    if !address.0.is_multiple_of(8) {
        return refuse("no object lies at an address that is not a multiple of 8");
    }
    let objects = super::Objects::new(python, reader);
    let known = python.symbols.find("_PyUOpExecutor_Type");
    let matches = match known {
        Some(known) => objects.type_of(address)? == known.address,
        None => objects
            .type_name(address)
            .is_ok_and(|name| name == "uop_executor"),
    };
    match matches {
        true => Ok(()),
        false => refuse(&match objects.type_name(address) {
            Ok(name) if is_type_name(&name) => format!("it is an object of type {name}"),
            _ => "there is no Python object".to_owned(),
        }),
    }
}

/// Whether this can be what garbage was taken for: only then is the name worth telling.
fn is_type_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.".contains(c))
}

fn bounded(head: &Record<'_>, field: &str, limit: u64) -> Result<u64> {
    let value = head.unsigned(field)?;
    if value <= limit {
        return Ok(value);
    }
    Err(Error::Inconsistent {
        what: "executor".to_owned(),
        address: head.address,
        reason: format!("{field} is {value}, more than any executor has"),
    })
}

fn state(head: &Record<'_>) -> Result<State> {
    let flag = |name: &str| {
        head.optional(name)
            .map(|value| value.map(|value| value != 0))
    };
    let unlinked = head.optional("vm_data.bloom_array_idx")?.is_some();
    Ok(State {
        valid: head.unsigned("vm_data.valid")? != 0,
        // 3.15 keeps linked executors in an array, and their place in it here; -1 means none.
        linked: match unlinked {
            true => Some(head.signed("vm_data.bloom_array_idx")? >= 0),
            false => flag("vm_data.linked")?,
        },
        warm: match flag("vm_data.cold")? {
            Some(cold) => Some(!cold),
            None => flag("vm_data.warm")?,
        },
        pending_deletion: flag("vm_data.pending_deletion")?.unwrap_or(false),
    })
}

fn claims(python: &CPython, reader: Reader<'_>, head: &Record<'_>) -> Result<Claims> {
    let byte = |name: &str| -> Result<Option<u8>> {
        let value = head.optional(name)?;
        Ok(value.and_then(|value| u8::try_from(value).ok()))
    };
    let array_index = match head.optional("vm_data.bloom_array_idx")? {
        Some(_) => Some(head.signed("vm_data.bloom_array_idx")?),
        None => None,
    };
    Ok(Claims {
        references: super::Objects::new(python, reader).references(head.address)?,
        object_size: head.optional("ob_base.ob_size")?,
        replaced: byte("vm_data.opcode")?.zip(byte("vm_data.oparg")?),
        next: head.optional("vm_data.links.next")?.map(Address),
        previous: head.optional("vm_data.links.previous")?.map(Address),
        array_index,
    })
}

fn entry(head: &Record<'_>) -> Result<Option<BytecodeOffset>> {
    let unit = u32::try_from(head.signed("vm_data.index")?).ok();
    Ok(unit.and_then(BytecodeOffset::of_code_unit))
}

fn exits(python: &CPython, reader: Reader<'_>, head: &Record<'_>) -> Result<Vec<Exit>> {
    let shape = python.layouts.shape("_PyExitData")?;
    let count = bounded(head, "exit_count", MOST_EXITS)?;
    let start = head.address_of("exits")?;
    let bytes = reader.bytes(start, count * shape.size, "exits of an executor")?;
    let size = usize::try_from(shape.size).unwrap_or(0).max(1);
    let target = shape.field("target")?;
    let executor = shape.field("executor")?;
    let control_flow = shape.find("is_control_flow");
    let place = shape.find("index");
    let temperature = BackoffFormat::of(shape, "temperature", python.offsets.version_hex);
    let exit = |(index, bytes): (u64, &[u8])| Exit {
        address: start.wrapping_add(index * shape.size),
        target: target
            .unsigned(bytes)
            .and_then(|target| u32::try_from(target).ok())
            .unwrap_or_default(),
        executor: Address(executor.unsigned(bytes).unwrap_or_default()),
        is_control_flow: control_flow.and_then(|field| field.unsigned(bytes)) == Some(1),
        index: place.and_then(|field| field.unsigned(bytes)),
        temperature: temperature.as_ref().and_then(|format| format.read(bytes)),
    };
    Ok((0..).zip(bytes.chunks_exact(size)).map(exit).collect())
}
