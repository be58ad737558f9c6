//! Where the parts of an undamaged ELF file are: what is worth damaging. Written down apart from the library's readers.

use std::ops::Range;

const PT_LOAD: u64 = 1;
const PT_NOTE: u64 = 4;

/// A loaded segment: where it is in memory, and where its bytes are in the file.
pub struct Load {
    pub address: u64,
    pub file: Range<usize>,
}

/// The parts of an ELF file.
#[derive(Default)]
pub struct Elf {
    pub headers: Vec<Range<usize>>,
    pub notes: Vec<Range<usize>>,
    pub loads: Vec<Load>,
    pub sections: Vec<(String, Range<usize>)>,
}

fn number(bytes: &[u8], at: usize, size: usize) -> u64 {
    let mut word = [0; 8];
    if let Some(found) = bytes.get(at..at + size) {
        word[..size].copy_from_slice(found);
    }
    u64::from_le_bytes(word)
}

impl Elf {
    pub fn read(bytes: &[u8]) -> Elf {
        let mut elf = Elf::default();
        let place = |at, size| number(bytes, at, size) as usize;
        let (segments, count) = (place(32, 8), place(56, 2));
        elf.headers.push(0..64);
        elf.headers.push(segments..segments + 56 * count);
        for at in (0..count).map(|index| segments + 56 * index) {
            let file = place(at + 8, 8)..place(at + 8, 8) + place(at + 32, 8);
            match number(bytes, at, 4) {
                PT_LOAD => elf.loads.push(Load {
                    address: number(bytes, at + 16, 8),
                    file,
                }),
                PT_NOTE => elf.notes.push(file),
                _ => {}
            }
        }
        elf.read_sections(bytes, place(40, 8), place(60, 2), place(62, 2));
        elf
    }

    fn read_sections(&mut self, bytes: &[u8], table: usize, count: usize, names: usize) {
        if table == 0 {
            return;
        }
        self.headers.push(table..table + 64 * count);
        let place = |at, size| number(bytes, at, size) as usize;
        let names = place(table + 64 * names + 24, 8);
        for at in (0..count).map(|index| table + 64 * index) {
            let name = names + place(at, 4);
            let end = name + bytes[name..].iter().position(|b| *b == 0).unwrap_or(0);
            let name = String::from_utf8_lossy(&bytes[name..end]).into_owned();
            const NOBITS: u64 = 8;
            if number(bytes, at + 4, 4) != NOBITS {
                let start = place(at + 24, 8);
                self.sections.push((name, start..start + place(at + 32, 8)));
            }
        }
    }

    /// Where in the file the bytes are that belong at `address`.
    pub fn offset(&self, address: u64) -> Option<usize> {
        self.loads.iter().find_map(|load| {
            let within = usize::try_from(address.checked_sub(load.address)?).ok()?;
            (within < load.file.len()).then(|| load.file.start + within)
        })
    }
}
