//! The code objects of one stop, and what of them outlasts it.

use super::code::{read, read_named};
use super::{CPython, CodeObject, Objects};
use crate::address::{Address, Range};
use crate::error::Result;
use crate::target::Reader;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// As much of a name or a table as is fetched ahead; most are shorter.
const POINTED_AT: u64 = 256;

/// The code objects that were met at one stop, each read once.
#[derive(Default)]
pub struct CodeObjects {
    known: RefCell<HashMap<Address, Option<Arc<CodeObject>>>>,
}

impl CodeObjects {
    /// Says that these code objects will be asked for.
    pub fn prefetch(&self, python: &CPython, reader: Reader<'_>, addresses: &[Address]) {
        let known = self.known.borrow();
        let unknown: Vec<Address> = addresses
            .iter()
            .copied()
            .filter(|address| !known.contains_key(address))
            .collect();
        // What cannot be fetched ahead is read, and told, when it is needed.
        let _ = prefetch(python, reader, &unknown);
    }

    /// The code object at `address`, or `None` if there is none.
    pub fn get(
        &self,
        python: &CPython,
        reader: Reader<'_>,
        address: Address,
    ) -> Option<Arc<CodeObject>> {
        if let Some(known) = self.known.borrow().get(&address) {
            return known.clone();
        }
        let code = read(python, reader, address).ok().map(Arc::new);
        self.known.borrow_mut().insert(address, code.clone());
        code
    }

    /// The same, of which only names and lines are wanted. `generation` is another one whenever a code object has been
    /// made since: while it is the same, one that is alive is the one that it was.
    pub fn named(
        &self,
        python: &CPython,
        reader: Reader<'_>,
        address: Address,
        generation: Option<&[u8]>,
    ) -> Option<Arc<CodeObject>> {
        let is_known = self.known.borrow().contains_key(&address);
        let generation = generation.filter(|_| reader.keeps_lasting() && !is_known);
        let Some(generation) = generation else {
            return self.get(python, reader, address);
        };
        // Not the owner of what the code object itself proves: no object is at an odd address.
        let owner = address.wrapping_add(1);
        let read = || read_named(python, reader, address);
        let code = reader.lasting(owner, || Some(generation.to_vec()), read);
        code.ok().map(Arc::new)
    }
}

/// What a code object points at, [`CodeObjects::get`] reads, and what never changes while it points there.
const POINTERS: [&str; 4] = ["co_name", "co_qualname", "co_filename", "co_linetable"];

/// What no other code object has, before or after it, at the same address: its version, which is used once, and where its
/// names and tables are. `None` where versions have run out (`init_code` in `Objects/codeobject.c`), and of one that may have
/// been freed: its names may lie where others are now.
pub fn proof_of_code(python: &CPython, reader: Reader<'_>, code: Address) -> Option<Vec<u8>> {
    let record = reader
        .record(code, python.layouts.find("PyCodeObject")?)
        .ok()?;
    let version = record.unsigned("co_version").ok()?;
    let mut proof = version.to_le_bytes().to_vec();
    for field in POINTERS.iter().chain(&["co_localsplusnames"]) {
        proof.extend(record.unsigned(field).ok()?.to_le_bytes());
    }
    let is_alive = Objects::new(python, reader).is_alive(code).ok()?;
    (version != 0 && is_alive).then_some(proof)
}

/// Says that these code objects will be read, if they are some: first they themselves, then what they point at.
fn prefetch(python: &CPython, reader: Reader<'_>, addresses: &[Address]) -> Result<()> {
    let shape = python.layouts.shape("PyCodeObject")?;
    let heads: Vec<Range> = addresses
        .iter()
        .map(|address| Range::new(*address, shape.size))
        .collect();
    reader.prefetch(&heads);
    let mut behind = Vec::new();
    for address in addresses {
        let Ok(record) = reader.record(*address, shape) else {
            continue;
        };
        let proof = || proof_of_code(python, reader, *address);
        let fields = match reader.keeps(*address, proof) {
            true => &[][..],
            false => &POINTERS,
        };
        for field in fields.iter().chain(&["co_executors"]) {
            let pointer = record.pointer(field)?;
            behind.extend((!pointer.is_null()).then(|| Range::new(pointer, POINTED_AT)));
        }
    }
    reader.prefetch(&behind);
    Ok(())
}
