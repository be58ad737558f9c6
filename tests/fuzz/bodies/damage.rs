//! A synthetic target with damage: changed bytes, pages that cannot be read, pages where there should be none.

use super::choices::{Choices, INTERESTING};
use super::meter::{Meter, Metered};
use crate::synthetic::memory::Segments;
use crate::synthetic::target::{Parts, Target};
use cpyjit::address::Address;
use cpyjit::cpython::CPython;
use cpyjit::error::Fault;
use cpyjit::session::{Program, Session};
use cpyjit::shape::Shape;
use cpyjit::target::{Description, Evaluate, Kind, Memory, Reader, Stop};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const PAGE: u64 = 4096;

/// Case files with targets worth damaging. New ones go to the end: a seed names its target by number.
const CASES: [&str; 11] = [
    "loop-3.15",
    "loop-3.14",
    "loop-aarch64",
    "inlined-call",
    "exit-cycle",
    "deletion-list",
    "running",
    "cold-executors",
    "symbols",
    "breakpoints",
    "stack",
];

/// The targets, made once.
pub fn targets() -> &'static [Parts] {
    static TARGETS: OnceLock<Vec<Parts>> = OnceLock::new();
    TARGETS.get_or_init(|| CASES.iter().map(|name| parts(name)).collect())
}

fn parts(name: &str) -> Parts {
    let cases = cases();
    let text = std::fs::read_to_string(cases.join(format!("{name}.case"))).unwrap();
    let description = text.split("\n> ").next().unwrap();
    // Breakpoints need the functions that tell of executors; the target is the same otherwise.
    let description = format!("{description}\n\nfunctions\n");
    Target::parts(name, &description, &cases.join("targets")).unwrap()
}

/// `tests/cases`, seen from the package of the library or from that of the fuzz targets.
fn cases() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["tests/cases", "../cases"].map(|place| package.join(place));
    places.into_iter().find(|place| place.is_dir()).unwrap()
}

/// The memory of a target with damage on top.
pub struct Damaged {
    base: &'static Segments,
    changed: HashMap<u64, Vec<u8>>,
    unreadable: HashSet<u64>,
    /// What is at every address where there is nothing else, over and over.
    elsewhere: Vec<u8>,
}

impl Damaged {
    pub fn new(base: &'static Segments) -> Damaged {
        Damaged {
            base,
            changed: HashMap::new(),
            unreadable: HashSet::new(),
            elsewhere: Vec::new(),
        }
    }

    /// Writes bytes anywhere; pages come into being.
    pub fn put(&mut self, address: u64, bytes: &[u8]) {
        for (at, byte) in (0..).map(|at| address.wrapping_add(at)).zip(bytes) {
            let page = at / PAGE;
            if !self.changed.contains_key(&page) {
                let mut whole = vec![0; PAGE as usize];
                self.unchanged(page, &mut whole);
                self.changed.insert(page, whole);
            }
            self.changed.get_mut(&page).unwrap()[(at % PAGE) as usize] = *byte;
        }
    }

    /// Writes a field, if this target's structure has it.
    pub fn set(&mut self, shape: &Shape, object: u64, field: &str, value: u64) {
        let Some(field) = shape.find(field) else {
            return;
        };
        let at = object.wrapping_add(field.offset);
        match field.bits {
            None => self.put(at, &value.to_le_bytes()[..field.size.min(8) as usize]),
            Some(bits) => {
                let size = field.size.min(8) as usize;
                let mut word = [0; 8];
                let _ = self.read(Address(at), &mut word[..size]);
                let mask = ((1u64 << bits.width) - 1) << bits.shift;
                let new = u64::from_le_bytes(word) & !mask | (value << bits.shift) & mask;
                self.put(at, &new.to_le_bytes()[..size]);
            }
        }
    }

    /// Gives every address something to read.
    pub fn fill_elsewhere(&mut self, bytes: &[u8]) {
        self.elsewhere = bytes.to_vec();
    }

    /// What lies there before it is changed; `false` if nothing does.
    fn unchanged(&self, page: u64, whole: &mut [u8]) -> bool {
        if self.base.read(Address(page * PAGE), whole).is_ok() {
            return true;
        }
        if self.elsewhere.is_empty() {
            return false;
        }
        for (byte, from) in whole.iter_mut().zip(self.elsewhere.iter().cycle()) {
            *byte = *from;
        }
        true
    }

    fn page(&self, page: u64, whole: &mut [u8]) -> bool {
        if self.unreadable.contains(&page) {
            return false;
        }
        match self.changed.get(&page) {
            Some(changed) => {
                whole.copy_from_slice(changed);
                true
            }
            None => self.unchanged(page, whole),
        }
    }

    /// Damage as the choices say.
    pub fn damage(&mut self, parts: &Parts, choices: &mut Choices<'_>) {
        let mut names: Vec<u64> = parts.names.values().copied().collect();
        names.extend(parts.symbols.iter().map(|(_, symbol)| symbol.address.0));
        names.sort_unstable();
        if choices.u8() % 4 == 1 {
            let count = usize::from(choices.u8());
            self.fill_elsewhere(choices.take(count));
        }
        while !choices.is_empty() {
            let kind = choices.u8();
            let at = choices
                .one(&names)
                .wrapping_add(u64::from(choices.u16() % 512))
                .wrapping_sub(64);
            let aligned = at / 8 * 8;
            match kind % 8 {
                0 => self.put(at, &[choices.u8()]),
                1 => self.put(aligned, &choices.u64().to_le_bytes()),
                2 => self.put(aligned, &choices.one(&names).to_le_bytes()),
                3 => self.put(at & !3, &choices.one(&INTERESTING).to_le_bytes()[..4]),
                4 => self.put(aligned, &choices.one(&INTERESTING).to_le_bytes()),
                5 => {
                    let count = usize::from(choices.u8());
                    self.put(at, choices.take(count));
                }
                6 => {
                    let mut copied = [0; 256];
                    let from = *choices.one(&names);
                    if self.read(Address(from), &mut copied).is_ok() {
                        self.put(aligned, &copied);
                    }
                }
                _ => {
                    self.unreadable.insert(at / PAGE);
                }
            }
        }
    }
}

impl Memory for Damaged {
    fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        let mut done = 0;
        let mut whole = vec![0; PAGE as usize];
        while done < into.len() {
            let at = address.0.wrapping_add(done as u64);
            let start = (at % PAGE) as usize;
            let count = (PAGE as usize - start).min(into.len() - done);
            if !self.page(at / PAGE, &mut whole) {
                return Err(Fault {
                    address,
                    length: into.len() as u64,
                    readable: done as u64,
                });
            }
            into[done..done + count].copy_from_slice(&whole[start..start + count]);
            done += count;
        }
        Ok(())
    }
}

/// A debugger that knows numbers and registers: the pc, and for all others an address that has something.
struct Values {
    pc: Option<Address>,
    other: Address,
}

impl Evaluate for Values {
    fn evaluate(&self, expression: &str) -> Result<Address, String> {
        let register = match expression {
            "$pc" => self.pc,
            _ => expression.strip_prefix('$').map(|_| self.other),
        };
        let number = || expression.parse().ok().map(Address);
        register
            .or_else(number)
            .ok_or_else(|| format!("No symbol \"{expression}\" in current context.\n"))
    }
}

/// A session on damaged memory. The tables are read from `tables`; `None` if they are too damaged for that.
pub fn session(
    parts: &'static Parts,
    tables: &dyn Memory,
    memory: Damaged,
    kind: Kind,
) -> Option<Session> {
    let reader = Reader::new(tables);
    let python = CPython::read(reader, parts.layouts.clone(), parts.symbols.clone()).ok()?;
    let description = Description {
        architecture: parts.architecture.name().to_owned(),
        kind,
        pid: Some(1),
        files: Vec::new(),
        debug_directories: Vec::new(),
        packet: None,
    };
    let metered = Metered {
        memory,
        meter: Meter::default(),
    };
    let pc = parts.names.get("A:3").copied().map(Address);
    let other = Address(parts.names.get("f").copied().unwrap_or_default());
    let values = Values { pc, other };
    let mut session = Session::new(Box::new(metered), Box::new(values), description)
        .with_program(Program::known(parts.architecture, python));
    session.select(Stop {
        pc,
        thread: Some(7),
        in_file: false,
    });
    Some(session)
}
