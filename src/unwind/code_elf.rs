//! An ELF file that holds nothing but the code of an executor, at its address: what a symbol file belongs to.
//!
//! The bytes of the code must be in it: LLDB looks for the next jump in the file when it steps.

use crate::address::Address;
use crate::platform::Architecture;

const HEADER: u64 = 64;
const PROGRAM_HEADER: u64 = 56;
const SECTION_HEADER: u64 = 64;

const NAMES: &[u8] = b"\0.text\0.note.gnu.build-id\0.shstrtab\0";
const TEXT_NAME: u32 = 1;
const NOTE_NAME: u32 = 7;
const NAMES_NAME: u32 = 26;

/// `PF_R | PF_X`; `SHF_ALLOC | SHF_EXECINSTR`; `SHF_ALLOC`.
const READ_EXECUTE: u32 = 5;
const ALLOCATED_CODE: u64 = 6;
const ALLOCATED: u64 = 2;

/// `SHT_PROGBITS`, `SHT_STRTAB`, `SHT_NOTE`.
const PROGBITS: u32 = 1;
const STRTAB: u32 = 3;
const NOTE: u32 = 7;

/// Words and bytes, little-endian.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn half(&mut self, values: &[u16]) -> &mut Bytes {
        self.0
            .extend(values.iter().flat_map(|value| value.to_le_bytes()));
        self
    }

    fn word(&mut self, values: &[u32]) -> &mut Bytes {
        self.0
            .extend(values.iter().flat_map(|value| value.to_le_bytes()));
        self
    }

    fn long(&mut self, values: &[u64]) -> &mut Bytes {
        self.0
            .extend(values.iter().flat_map(|value| value.to_le_bytes()));
        self
    }

    fn section(&mut self, name: u32, kind: u32, flags: u64, address: u64, offset: u64, size: u64) {
        self.word(&[name, kind])
            .long(&[flags, address, offset, size]);
        self.word(&[0, 0]).long(&[1, 0]);
    }
}

/// The file, with `code` at `start`.
pub fn code_elf(
    architecture: Architecture,
    start: Address,
    code: &[u8],
    build_id: &[u8; 20],
) -> Vec<u8> {
    let mut note = Bytes::default();
    // The lengths of name and content, NT_GNU_BUILD_ID.
    note.word(&[4, 20, 3]);
    note.0.extend(b"GNU\0");
    note.0.extend(build_id);
    let size = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let code_at = HEADER + PROGRAM_HEADER;
    let note_at = code_at + size(code);
    let names_at = note_at + size(&note.0);
    let sections_at = (names_at + size(NAMES)).next_multiple_of(8);

    let mut file = Bytes::default();
    // 64 bits, little-endian, version 1, System V.
    file.0.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    // ET_EXEC; EV_CURRENT; entry, program headers, section headers; flags.
    file.half(&[2, architecture.platform().elf_machine])
        .word(&[1])
        .long(&[0, HEADER, sections_at]);
    // Sizes and numbers of headers; the last section has the names.
    file.word(&[0]).half(&[64, 56, 1, 64, 4, 3]);
    // PT_LOAD.
    file.word(&[1, READ_EXECUTE]);
    file.long(&[code_at, start.0, start.0, size(code), size(code), 1]);
    file.0.extend(code);
    file.0.extend(&note.0);
    file.0.extend(NAMES);
    file.0
        .resize(usize::try_from(sections_at).unwrap_or(file.0.len()), 0);
    file.section(0, 0, 0, 0, 0, 0);
    file.section(
        TEXT_NAME,
        PROGBITS,
        ALLOCATED_CODE,
        start.0,
        code_at,
        size(code),
    );
    file.section(NOTE_NAME, NOTE, ALLOCATED, 0, note_at, size(&note.0));
    file.section(NAMES_NAME, STRTAB, 0, 0, names_at, size(NAMES));
    debug_assert_eq!(SECTION_HEADER * 4 + sections_at, size(&file.0));
    file.0
}
