//! Checks executors against themselves and what lies around them: the content of `jit-verify`.

use super::check_rows::{failures, row, summary};
use super::code_bytes::{self, BytesCheck};
use super::freed::only_remains;
use super::registered::RegisteredCode;
use super::{Known, Session};
use crate::address::Address;
use crate::cpython::{CPython, ExecutorSlots, Found, Interpreter, Registration};
use crate::disasm::{Disassembler, Syntax};
use crate::error::Result;
use crate::listing::{Against, BytesSummary, Finding, VerifiedExecutor, VerifyData};
use crate::map::MappedExecutor;
use crate::map::check::{
    Child, Entered, Neighbours, NoCopy, RegisteredCopy, Roots, Subject, check,
};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};

/// Bytes of machine code that one command reads: a thousand times what the largest executors have. A damaged target may
/// have any number of executors that claim any size.
const MOST_BYTES: u64 = 1 << 30;

/// What every trace begins with.
const START: &str = "_START_EXECUTOR";

impl Session {
    /// Checks these executors. Against the registered copy, only their machine code is.
    pub fn verify(&self, executors: &[Address], against: Against) -> Result<VerifyData> {
        let surroundings = Surroundings::of(self)?;
        let mut disassembler = self.disassembler(Syntax::default())?;
        let mut bytes = BytesCheck::new(self, against)?;
        let mut data = VerifyData::default();
        for address in executors {
            let verified =
                self.verify_one(*address, &surroundings, &mut bytes, &mut disassembler)?;
            let uops = verified.executor.uop_count;
            data.bytes.add(&verified.bytes, uops);
            data.executors.push(verified);
        }
        data.summary = summary(&data.executors);
        Ok(data)
    }

    /// Compares the machine code of these executors with what their emitters write, and checks nothing else.
    pub fn compare_code(&self, executors: &[Address]) -> Result<BytesSummary> {
        let mut disassembler = self.disassembler(Syntax::default())?;
        let mut check = BytesCheck::new(self, Against::Emitters)?;
        let (read, mut summary) = (Cell::new(0), BytesSummary::default());
        let copy = Err(NoCopy::NotKnown("it was not asked for".to_owned()));
        for address in executors {
            let mapped = self.mapped(*address)?;
            let bytes = self.allocation(&mapped, &read);
            let bytes = bytes.as_deref().map_err(String::as_str);
            let compared = check.check(bytes, &mapped, &copy, &mut disassembler);
            summary.add(&compared, mapped.executor.uops.len() as u64);
        }
        Ok(summary)
    }

    fn verify_one(
        &self,
        address: Address,
        surroundings: &Surroundings,
        bytes_check: &mut BytesCheck<'_>,
        disassembler: &mut Disassembler,
    ) -> Result<VerifiedExecutor> {
        let mapped = self.mapped(address)?;
        let bytes = self.allocation(&mapped, &surroundings.bytes);
        let bytes = bytes.as_deref().map_err(String::as_str);
        let python = self.python()?;
        let (results, copy) = match bytes_check.is_quick() {
            true => (Vec::new(), self.copy(&mapped, surroundings)),
            false => {
                let neighbours = self.neighbours(&mapped, surroundings)?;
                let subject = Subject {
                    python,
                    mapped: &mapped,
                    bytes,
                    neighbours: &neighbours,
                    is_code: &|at| self.has_code(at),
                };
                (check(&subject, disassembler), neighbours.copy)
            }
        };
        let bytes = bytes_check.check(bytes, &mapped, &copy, disassembler);
        let failures = results
            .iter()
            .flat_map(|result| failures(python, &mapped, result));
        Ok(VerifiedExecutor {
            failures: failures.chain(code_bytes::failure(&bytes)).collect(),
            checks: (results.iter().map(row))
                .chain([code_bytes::row(&bytes)])
                .collect(),
            executor: self.header_of(&mapped)?,
            bytes,
        })
    }

    /// All bytes that are mapped for the code.
    fn allocation(&self, mapped: &MappedExecutor, total: &Cell<u64>) -> Result<Vec<u8>, String> {
        let executor = &mapped.executor;
        if executor.jit_code.is_null() {
            return Err("it has no machine code (jit_code is NULL)".to_owned());
        }
        total.set(total.get().saturating_add(executor.jit_size));
        if total.get() > MOST_BYTES {
            return Err(format!(
                "the code of all executors has more than {MOST_BYTES} bytes"
            ));
        }
        let what = format_args!("machine code of executor {}", executor.address);
        let read = self
            .reader()
            .bytes(executor.jit_code, executor.jit_size, what);
        read.map_err(|error| error.to_string())
    }

    /// CPython's own file has code; of other files it is only known that something is mapped.
    fn has_code(&self, address: Address) -> bool {
        let in_file = self
            .program()
            .is_ok_and(|program| program.contains(address));
        in_file || self.reader().bytes(address, 1, "code").is_ok()
    }

    fn neighbours(&self, mapped: &MappedExecutor, around: &Surroundings) -> Result<Neighbours> {
        let executor = &mapped.executor;
        Ok(Neighbours {
            roots: around.roots(executor.address),
            entered: self.entered(mapped)?,
            children: self.children(mapped, around)?,
            cold: around.cold.clone(),
            copy: self.copy(mapped, around),
        })
    }

    fn entered(&self, mapped: &MappedExecutor) -> Result<Option<Result<Entered, String>>> {
        let executor = &mapped.executor;
        if executor.code.is_null() {
            return Ok(None);
        }
        let sources = self.sources()?;
        let read = || -> Result<Entered, String> {
            let text = |error: crate::error::Error| error.to_string();
            let slots = ExecutorSlots::read(sources.python, sources.reader, executor.code)
                .map_err(text)?
                .slots;
            let code = sources
                .codes
                .get(sources.python, sources.reader, executor.code)
                .ok_or_else(|| format!("{}, where there is none", executor.code))?;
            let offset = executor
                .entry
                .ok_or_else(|| "vm_data.index is negative".to_owned())?;
            Ok(Entered {
                slots,
                at: code.bytecode.wrapping_add(u64::from(offset.0)),
                instruction: ExecutorSlots::instruction(sources.reader, &code, offset)
                    .map_err(text)?,
                enter: sources.python.opcodes.opcode("ENTER_EXECUTOR"),
            })
        };
        Ok(Some(read()))
    }

    fn children(&self, mapped: &MappedExecutor, around: &Surroundings) -> Result<Vec<Child>> {
        let python = self.python()?;
        let all = self.all_executors()?;
        let mut children = Vec::new();
        for (exit, record) in mapped.executor.exits.iter().enumerate() {
            let child = record.executor;
            if child.is_null() || around.cold.contains(&child) {
                continue;
            }
            let start = match around.places.get(&child).and_then(|place| all.get(*place)) {
                Some(known) => start_of(python, known),
                None => Err(format!("{child}, which was not read")),
            };
            children.push(Child { exit, start });
        }
        Ok(children)
    }

    fn copy(
        &self,
        mapped: &MappedExecutor,
        around: &Surroundings,
    ) -> Result<RegisteredCopy, NoCopy> {
        let missing = |reason: &str| match &around.unregistered {
            Some(reason) => NoCopy::NotKnown(reason.clone()),
            None => NoCopy::Missing(reason.to_owned()),
        };
        let registration = around
            .registered
            .get(&mapped.executor.jit_code)
            .ok_or_else(|| missing("no entry for it"))?;
        let code = RegisteredCode::read(self.reader(), registration).map_err(NoCopy::Missing)?;
        Ok(RegisteredCopy {
            address: code.address,
            text: code.text,
            size: code.size,
        })
    }
}

/// The code unit at which the trace of an executor begins: that of its first uop, or of the stub that this jumps to.
fn start_of(python: &CPython, known: &Known) -> Result<u32, String> {
    let executor = known.executor.as_ref().map_err(Clone::clone)?;
    let first = executor.uops.first();
    let is_start = |opcode| {
        python
            .uops
            .kind(opcode)
            .is_some_and(|kind| &*kind.base == START)
    };
    let first = first
        .filter(|first| is_start(first.opcode))
        .ok_or_else(|| format!("{}, which does not begin with {START}", known.address))?;
    let stub = first
        .jumps
        .jump
        .and_then(|stub| executor.uops.get(stub.0 as usize));
    first
        .target
        .or_else(|| stub?.target)
        .ok_or_else(|| format!("{}, which does not tell where it begins", known.address))
}

/// What is known of all executors together.
struct Surroundings {
    /// By address, what is in the interpreters' lists.
    listed: HashMap<Address, Listed>,
    /// A linked list grows at its head (3.14), an array at its end (3.15).
    newest_first: bool,
    waiting: HashSet<Address>,
    cold: Vec<Address>,
    /// By address, their numbers.
    places: HashMap<Address, usize>,
    /// What is registered for debuggers, by the address of the code.
    registered: HashMap<Address, Registration>,
    /// Why something may be missing there.
    unregistered: Option<String>,
    /// How much machine code was read.
    bytes: Cell<u64>,
}

impl Surroundings {
    fn of(session: &Session) -> Result<Surroundings> {
        let (python, reader) = (session.python()?, session.reader());
        let interpreters = session.at_stop.interpreters(python, reader)?;
        let with = |interpreter: &Interpreter, found: Found| -> Vec<Address> {
            let all = interpreter.executors.iter();
            all.filter(|(_, how)| *how == found)
                .map(|(address, _)| *address)
                .collect()
        };
        let (mut listed, mut waiting, mut cold) = (HashMap::new(), HashSet::new(), Vec::new());
        for interpreter in interpreters {
            places(&with(interpreter, Found::List), &mut listed);
            waiting.extend(with(interpreter, Found::DeletionList));
            cold.extend(with(interpreter, Found::Cold));
        }
        let registered = session.at_stop.registrations(python, reader);
        Ok(Surroundings {
            bytes: Cell::new(0),
            newest_first: python
                .layouts
                .shape("PyInterpreterState")?
                .find("executor_ptrs")
                .is_none(),
            listed,
            waiting,
            cold,
            places: session
                .all_executors()?
                .iter()
                .map(|known| known.address)
                .zip(0..)
                .collect(),
            unregistered: match registered {
                Some(registered) => registered.findings.first().cloned(),
                None => Some("this CPython registers no code for debuggers".to_owned()),
            },
            registered: registered
                .into_iter()
                .flat_map(|registered| &registered.entries)
                .map(|entry| (entry.code, *entry))
                .collect(),
        })
    }

    fn roots(&self, executor: Address) -> Roots {
        let listed = self.listed.get(&executor);
        Roots {
            is_newest: listed.is_some_and(|listed| match self.newest_first {
                true => listed.before.is_null(),
                false => listed.behind.is_null(),
            }),
            listed: listed.map(|listed| (listed.place, listed.before, listed.behind)),
            waits: self.waiting.contains(&executor),
            is_cold: self.cold.contains(&executor),
        }
    }
}

/// Where an executor stands in the list of its interpreter.
#[derive(Clone, Copy)]
struct Listed {
    place: u64,
    /// Its neighbours; null at the ends.
    before: Address,
    behind: Address,
}

/// The places in a list; of one that is in it twice, the first.
fn places(list: &[Address], into: &mut HashMap<Address, Listed>) {
    let at = |place: Option<usize>| place.and_then(|place| list.get(place).copied());
    for (place, executor) in list.iter().enumerate() {
        into.entry(*executor).or_insert(Listed {
            place: place as u64,
            before: at(place.checked_sub(1)).unwrap_or_default(),
            behind: at(place.checked_add(1)).unwrap_or_default(),
        });
    }
}

impl Session {
    /// What `jit-verify` says of executors that cannot be read at all, or that only look like some.
    pub fn broken(&self) -> Result<Vec<Finding>> {
        let all = self.all_executors()?.iter();
        let broken = all.filter_map(|known| {
            let what = match &known.executor {
                Err(reason) => reason.clone(),
                Ok(executor) => only_remains(executor, &known.header.found)?.to_owned(),
            };
            Some(Finding::warning(what).at(known.address))
        });
        Ok(broken.collect())
    }
}
