//! A jitdump (tools/perf/Documentation/jitdump-specification.txt of Linux): code, names and lines of uops for `perf`.

use super::lines::listing_line;
use super::model::{ExecutorCode, Piece};
use super::perf_map::piece_name;
use super::{names, uop_source};
use crate::platform::Architecture;

/// `JiTD` as a number of the target; both machines are little-endian.
const MAGIC: u32 = 0x4A69_5444;
const VERSION: u32 = 1;
const HEADER_SIZE: u32 = 40;
const CODE_LOAD: u32 = 0;
const DEBUG_INFO: u32 = 2;
/// Kind, size and time of a record.
const PREFIX_SIZE: usize = 16;
/// When code was compiled is not known: it is there before all samples.
const TIME: u64 = 0;

/// A jitdump that is being written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Jitdump {
    bytes: Vec<u8>,
    pid: u32,
    /// The number of the next load: `perf` names the file by it, so that no two may be the same.
    next: u64,
}

impl Jitdump {
    /// One without code, of a process.
    pub fn new(architecture: Architecture, pid: u32) -> Jitdump {
        let mut bytes = Vec::new();
        let machine = u32::from(architecture.platform().elf_machine);
        for word in [MAGIC, VERSION, HEADER_SIZE, machine, 0, pid] {
            bytes.extend(word.to_le_bytes());
        }
        // The time, and no flags: times are those of the clock that perf uses.
        for word in [TIME, 0] {
            bytes.extend(word.to_le_bytes());
        }
        Jitdump {
            bytes,
            pid,
            next: 0,
        }
    }

    /// Adds the uops of an executor, each as a function whose line is that of the listing in the file `listing`.
    pub fn add(&mut self, code: &ExecutorCode, listing: &str) {
        let name = names::executor(&code.listing);
        let source = uop_source(&code.listing, &names::title(&code.listing, &name));
        for piece in &code.pieces {
            let Some((inside, bytes)) = piece_name(code, piece).zip(machine_code(code, piece))
            else {
                continue;
            };
            let line = listing_line(&source, piece);
            // Lines are of the load that follows them.
            self.record(DEBUG_INFO, &debug_info(piece, line, listing));
            let load = self.load(piece, &format!("{inside} in {name}"), bytes);
            self.record(CODE_LOAD, &load);
            self.next = self.next.saturating_add(1);
        }
    }

    /// The file.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn load(&self, piece: &Piece, name: &str, code: &[u8]) -> Vec<u8> {
        let start = piece.range.start.0;
        let mut body = Vec::new();
        // The thread is not known: that of the process stands for all.
        for id in [self.pid, self.pid] {
            body.extend(id.to_le_bytes());
        }
        for word in [start, start, piece.range.size, self.next] {
            body.extend(word.to_le_bytes());
        }
        text(&mut body, name);
        body.extend(code);
        body
    }

    /// One that is too long for its size is left out; allocations of executors are far below that.
    fn record(&mut self, kind: u32, body: &[u8]) {
        let Ok(size) = u32::try_from(PREFIX_SIZE.saturating_add(body.len())) else {
            return;
        };
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend(size.to_le_bytes());
        self.bytes.extend(TIME.to_le_bytes());
        self.bytes.extend(body);
    }
}

/// One row: where the piece begins.
fn debug_info(piece: &Piece, line: u32, listing: &str) -> Vec<u8> {
    let mut body = Vec::new();
    let start = piece.range.start.0;
    for word in [start, 1, start] {
        body.extend(word.to_le_bytes());
    }
    // The second is the discriminator.
    for word in [line, 0] {
        body.extend(word.to_le_bytes());
    }
    text(&mut body, listing);
    body
}

/// The bytes of a piece, if all of it was read.
fn machine_code<'m>(code: &'m ExecutorCode, piece: &Piece) -> Option<&'m [u8]> {
    let start = piece.range.start.offset_from(code.allocation.start)?;
    let end = start.checked_add(piece.range.size)?;
    code.bytes
        .get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
}

/// A string of C, which ends at the first zero.
fn text(body: &mut Vec<u8>, text: &str) {
    body.extend(text.bytes().filter(|byte| *byte != 0));
    body.push(0);
}
