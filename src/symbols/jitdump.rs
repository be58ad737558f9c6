//! A jitdump (tools/perf/Documentation/jitdump-specification.txt of Linux): executors with their code and lines for `perf`.

use super::lines::listing_line;
use super::model::ExecutorCode;
use super::{names, uop_source};
use crate::address::Address;
use crate::platform::Architecture;
use crate::render::UopSource;

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
    /// The number of the next load: `perf` names a file by it, so that no two may be the same.
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

    /// Adds an executor: a function whose lines are those of its listing, in the file `listing`. Without its code if that was
    /// not read there is nothing to add.
    pub fn add(&mut self, code: &ExecutorCode, listing: &str) {
        let Some((start, bytes)) = machine_code(code) else {
            return;
        };
        let name = names::executor(&code.listing);
        let source = uop_source(&code.listing, &names::title(&code.listing, &name));
        // Lines are of the load that follows them.
        self.record(DEBUG_INFO, &lines(code, &source, start, listing));
        let load = self.load(start, &name, bytes);
        self.record(CODE_LOAD, &load);
        self.next = self.next.saturating_add(1);
    }

    /// The file.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn load(&self, start: u64, name: &str, code: &[u8]) -> Vec<u8> {
        let size = u64::try_from(code.len()).unwrap_or(u64::MAX);
        let mut body = Vec::new();
        // The thread is not known: that of the process stands for all.
        for id in [self.pid, self.pid] {
            body.extend(id.to_le_bytes());
        }
        for word in [start, start, size, self.next] {
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

/// A row where each piece begins, and one where the last ends: `perf` takes the last row for the end.
fn lines(code: &ExecutorCode, source: &UopSource, start: u64, listing: &str) -> Vec<u8> {
    let mut rows: Vec<(u64, u32)> = code
        .pieces
        .iter()
        .map(|piece| (piece.range.start.0, listing_line(source, piece)))
        .collect();
    let last = rows.last().map_or(1, |(_, line)| *line);
    rows.push((code.code_end().0, last));
    let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let mut body = Vec::new();
    body.extend(start.to_le_bytes());
    body.extend(count.to_le_bytes());
    for (address, line) in rows {
        body.extend(address.to_le_bytes());
        // The second is the discriminator.
        for word in [line, 0] {
            body.extend(word.to_le_bytes());
        }
        // The short form of "the same file" is in the specification, but perf 6.1 takes it for a name.
        text(&mut body, listing);
    }
    body
}

/// All machine code, and where it begins, if it was read.
fn machine_code(code: &ExecutorCode) -> Option<(u64, &[u8])> {
    let first = code.pieces.first()?.range.start;
    let offset = |address: Address| {
        let bytes = address.offset_from(code.allocation.start)?;
        usize::try_from(bytes).ok()
    };
    let bytes = code.bytes.get(offset(first)?..offset(code.code_end())?)?;
    Some((first.0, bytes))
}

/// A string of C, which ends at the first zero.
fn text(body: &mut Vec<u8>, text: &str) {
    body.extend(text.bytes().filter(|byte| *byte != 0));
    body.push(0);
}
