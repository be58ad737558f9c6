//! Makes ELF files for the tests, byte by byte: nothing of it is shared with the reader.

const PT_LOAD: u32 = 1;
pub(super) const SHT_PROGBITS: u32 = 1;
const SHT_SYMTAB: u32 = 2;
const SHT_STRTAB: u32 = 3;
const SHT_NOTE: u32 = 7;
const SHT_DYNSYM: u32 = 11;
const SHF_ALLOC: u64 = 2;
pub(super) const LOCAL_OBJECT: u8 = 1;
pub(super) const GLOBAL_OBJECT: u8 = 0x11;

/// Writes an ELF file: header, program headers, contents of sections, section headers.
#[derive(Default)]
pub(super) struct Maker {
    sections: Vec<Section>,
    segments: Vec<Load>,
}

struct Section {
    name: String,
    kind: u32,
    flags: u64,
    address: u64,
    content: Vec<u8>,
    link: u32,
}

struct Load {
    flags: u32,
    address: u64,
    file: std::ops::Range<u64>,
    memory_size: u64,
}

impl Maker {
    pub(super) fn section(mut self, name: &str, kind: u32, content: Vec<u8>) -> Maker {
        // A symbol table is followed by its strings; section 0 is empty.
        let link = match kind {
            SHT_SYMTAB | SHT_DYNSYM => u32::try_from(self.sections.len() + 2).unwrap(),
            _ => 0,
        };
        self.sections.push(Section {
            name: name.to_owned(),
            kind,
            flags: 0,
            address: 0,
            content,
            link,
        });
        self
    }

    pub(super) fn loaded(self, name: &str, address: u64, content: Vec<u8>) -> Maker {
        let mut made = self.section(name, SHT_PROGBITS, content);
        let section = made.sections.last_mut().unwrap();
        section.flags = SHF_ALLOC;
        section.address = address;
        made
    }

    pub(super) fn build_id(self, id: &[u8]) -> Maker {
        let mut note = Vec::new();
        for word in [4, u32::try_from(id.len()).unwrap(), 3] {
            note.extend(word.to_le_bytes());
        }
        note.extend(b"GNU\0");
        note.extend(id);
        self.section(".note.gnu.build-id", SHT_NOTE, note)
    }

    /// Symbols of name, binding and type, address and size 8.
    pub(super) fn symbols(self, dynamic: bool, symbols: &[(&str, u8, u64)]) -> Maker {
        let mut strings = vec![0];
        let mut table = vec![0; 24];
        for (name, info, address) in symbols {
            table.extend(u32::try_from(strings.len()).unwrap().to_le_bytes());
            table.extend([*info, 0, 1, 0]);
            table.extend(address.to_le_bytes());
            table.extend(8u64.to_le_bytes());
            strings.extend(name.as_bytes());
            strings.push(0);
        }
        if dynamic {
            return (self.section(".dynsym", SHT_DYNSYM, table))
                .section(".dynstr", SHT_STRTAB, strings);
        }
        (self.section(".symtab", SHT_SYMTAB, table)).section(".strtab", SHT_STRTAB, strings)
    }

    pub(super) fn debug_link(self, name: &str, debug_file: &[u8]) -> Maker {
        let mut content = name.as_bytes().to_vec();
        content.resize((name.len() / 4 + 1) * 4, 0);
        let mut sum = flate2::Crc::new();
        sum.update(debug_file);
        content.extend(sum.sum().to_le_bytes());
        self.section(".gnu_debuglink", SHT_PROGBITS, content)
    }

    pub(super) fn segment(mut self, flags: u32, address: u64, file: std::ops::Range<u64>) -> Maker {
        let memory_size = file.end - file.start + 0x10;
        self.segments.push(Load {
            flags,
            address,
            file,
            memory_size,
        });
        self
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self = self.section(".shstrtab", SHT_STRTAB, Vec::new());
        let mut names = vec![0];
        let mut headers = vec![0; 64];
        let mut contents = Vec::new();
        let start = 64 + 56 * self.segments.len();
        let last = self.sections.len() - 1;
        for (index, section) in self.sections.iter().enumerate() {
            let name = names.len();
            names.extend(section.name.as_bytes());
            names.push(0);
            let content = if index == last {
                &names
            } else {
                &section.content
            };
            contents.resize(contents.len().next_multiple_of(8), 0);
            let place = start + contents.len();
            let entry_size = if section.link == 0 { 0 } else { 24 };
            headers.extend(u32::try_from(name).unwrap().to_le_bytes());
            headers.extend(section.kind.to_le_bytes());
            let size = content.len() as u64;
            for word in [section.flags, section.address, place as u64, size] {
                headers.extend(word.to_le_bytes());
            }
            headers.extend(section.link.to_le_bytes());
            headers.extend(0u32.to_le_bytes());
            headers.extend(4u64.to_le_bytes());
            headers.extend(u64::to_le_bytes(entry_size));
            contents.extend(content);
        }
        contents.resize(contents.len().next_multiple_of(8), 0);
        let mut file = self.header((start + contents.len()) as u64);
        file.extend(self.program_headers());
        file.extend(contents);
        file.extend(headers);
        file
    }

    fn header(&self, section_headers: u64) -> Vec<u8> {
        let sections = u16::try_from(self.sections.len() + 1).unwrap();
        let mut header = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        header.extend([3, 0, 62, 0, 1, 0, 0, 0]); // ET_DYN, EM_X86_64, version
        for word in [0, 64, section_headers] {
            header.extend(word.to_le_bytes());
        }
        header.extend([0; 4]);
        let segments = u16::try_from(self.segments.len()).unwrap();
        for half in [64, 56, segments, 64, sections, sections - 1] {
            header.extend(half.to_le_bytes());
        }
        header
    }

    fn program_headers(&self) -> Vec<u8> {
        let mut headers = Vec::new();
        for load in &self.segments {
            headers.extend(PT_LOAD.to_le_bytes());
            headers.extend(load.flags.to_le_bytes());
            let size = load.file.end - load.file.start;
            let memory = load.memory_size;
            for word in [load.file.start, load.address, 0, size, memory, 0x1000] {
                headers.extend(word.to_le_bytes());
            }
        }
        headers
    }
}
