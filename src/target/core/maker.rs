//! Makes cores for the tests, byte by byte: nothing of it is shared with the reader.

/// Writes a core: header, program headers, notes, memory.
pub struct Maker {
    machine: u16,
    notes: Vec<u8>,
    loads: Vec<Load>,
}

struct Load {
    flags: u32,
    address: u64,
    content: Vec<u8>,
    memory_size: u64,
}

impl Maker {
    pub fn x86_64() -> Maker {
        Maker {
            machine: 62,
            notes: Vec::new(),
            loads: Vec::new(),
        }
    }

    pub fn aarch64() -> Maker {
        Maker {
            machine: 183,
            ..Maker::x86_64()
        }
    }

    /// Memory at `address`, all of it in the core; `flags` as in `p_flags` (4 read, 2 write, 1 execute).
    pub fn memory(self, flags: u32, address: u64, content: &[u8]) -> Maker {
        let size = content.len() as u64;
        self.partly(flags, address, content, size)
    }

    /// Memory of which the core holds only the start.
    pub fn partly(mut self, flags: u32, address: u64, content: &[u8], memory_size: u64) -> Maker {
        self.loads.push(Load {
            flags,
            address,
            content: content.to_vec(),
            memory_size,
        });
        self
    }

    pub fn note(mut self, kind: u32, content: &[u8]) -> Maker {
        for word in [5, u32::try_from(content.len()).unwrap(), kind] {
            self.notes.extend(word.to_le_bytes());
        }
        self.notes.extend(b"CORE\0\0\0\0");
        self.notes.extend(content);
        self.notes.resize(self.notes.len().next_multiple_of(4), 0);
        self
    }

    /// A thread whose registers have the values 1, 2, 3, …
    pub fn thread(self, id: u32, signal: u16) -> Maker {
        let count = if self.machine == 62 { 27 } else { 34 };
        let mut note = vec![0; 112];
        note[12..14].copy_from_slice(&signal.to_le_bytes());
        note[32..36].copy_from_slice(&id.to_le_bytes());
        note.extend((1..=count).flat_map(u64::to_le_bytes));
        note.extend([0; 8]);
        self.note(1, &note)
    }

    pub fn process(self, id: u32, command: &str) -> Maker {
        let mut note = vec![0; 136];
        note[24..28].copy_from_slice(&id.to_le_bytes());
        note[40..40 + command.len()].copy_from_slice(command.as_bytes());
        self.note(3, &note)
    }

    pub fn auxiliary(self, entries: &[(u64, u64)]) -> Maker {
        let entries = entries.iter().chain(&[(0, 0)]);
        let note: Vec<u8> = entries
            .flat_map(|(key, value)| [key.to_le_bytes(), value.to_le_bytes()].concat())
            .collect();
        self.note(6, &note)
    }

    /// Files by start, end and page of the file.
    pub fn files(self, files: &[(u64, u64, u64, &str)]) -> Maker {
        let mut note = [(files.len() as u64).to_le_bytes(), 4096u64.to_le_bytes()].concat();
        for (start, end, page, _) in files {
            note.extend(
                [start, end, page]
                    .iter()
                    .flat_map(|word| word.to_le_bytes()),
            );
        }
        for (_, _, _, path) in files {
            note.extend(path.as_bytes());
            note.push(0);
        }
        self.note(0x4649_4c45, &note)
    }

    pub fn finish(self) -> Vec<u8> {
        let count = self.loads.len() + 1;
        let mut core = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        core.extend([4, 0]);
        core.extend(self.machine.to_le_bytes());
        core.extend([1, 0, 0, 0]);
        for word in [0u64, 64, 0] {
            core.extend(word.to_le_bytes());
        }
        core.extend([0; 4]);
        for half in [64, 56, u16::try_from(count).unwrap(), 0, 0, 0] {
            core.extend(half.to_le_bytes());
        }
        let mut place = (64 + 56 * count) as u64;
        let notes = self.notes.len() as u64;
        let mut header =
            |kind: u32, flags: u32, address: u64, size: u64, memory: u64, align: u64| {
                core.extend([kind, flags].iter().flat_map(|word| word.to_le_bytes()));
                for word in [place, address, 0, size, memory, align] {
                    core.extend(word.to_le_bytes());
                }
                place += size;
            };
        header(4, 0, 0, notes, 0, 4);
        for load in &self.loads {
            let size = load.content.len() as u64;
            header(1, load.flags, load.address, size, load.memory_size, 4096);
        }
        core.extend(self.notes);
        core.extend(self.loads.into_iter().flat_map(|load| load.content));
        core
    }
}
