//! An ELF file whose only content is a list of SDT probes: the way to give GDB one breakpoint with many places.
//!
//! GDB reads such probes from any file that it is told to load (`-probe-stap cpyjit:LABEL` then means all of one name), takes
//! their addresses as they are, and lets go of them without writing to memory when the file goes. The notes are those of
//! SystemTap (`sys/sdt.h`): `.note.stapsdt` with { pc, base, semaphore }, provider, name and operands each.

use crate::address::Range;
use crate::control::Place;
use crate::disasm::Architecture;

/// The provider of all probes.
const PROVIDER: &str = "cpyjit";

/// `NT_STAPSDT` in `sys/sdt.h`.
const NOTE_TYPE: u32 = 3;

/// Sizes of the structures in a 64-bit ELF file.
const ELF_HEADER: u64 = 64;
const PROGRAM_HEADER: u64 = 56;
const SECTION_HEADER: u16 = 64;

/// Where the notes begin.
const NOTES: u64 = ELF_HEADER + PROGRAM_HEADER;

/// The names of the sections, one behind the other; each header names its own by the offset in here.
const NAMES: &[u8] = b"\0.text\0.stapsdt.base\0.note.stapsdt\0.shstrtab\0";
const TEXT_NAME: u32 = 1;
const BASE_NAME: u32 = 7;
const NOTE_NAME: u32 = 21;
const NAMES_NAME: u32 = 35;

/// The bytes of the file with these places; nothing if there are none. `text` is the memory that the file claims to be the
/// code of.
pub fn probes(architecture: Architecture, text: Range, places: &[Place]) -> Vec<u8> {
    if places.is_empty() {
        return Vec::new();
    }
    let mut notes = Vec::new();
    for place in places {
        note(&mut notes, text, place);
    }
    let mut file = Vec::new();
    let names_at = NOTES + length(&notes);
    let sections_at = (names_at + length(NAMES)).next_multiple_of(8);
    elf_header(&mut file, architecture, text, sections_at);
    program_header(&mut file, text);
    file.extend_from_slice(&notes);
    file.extend_from_slice(NAMES);
    file.resize(file.len().next_multiple_of(8), 0);
    section_headers(&mut file, text, length(&notes), names_at);
    file
}

/// The same with one probe, at an address that nothing is ever set at.
pub fn stand_in(architecture: Option<Architecture>, label: &str) -> Vec<u8> {
    let nowhere = Range::new(crate::address::Address(0x1000), 0);
    let place = Place {
        breakpoint: 0,
        label: label.to_owned(),
        address: nowhere.start,
        arguments: String::new(),
    };
    let architecture = architecture.unwrap_or_default();
    probes(architecture, nowhere, &[place])
}

fn note(into: &mut Vec<u8>, text: Range, place: &Place) {
    let mut content = Vec::new();
    for word in [place.address.0, text.start.0, 0] {
        content.extend_from_slice(&word.to_le_bytes());
    }
    for string in [PROVIDER, &place.label, &place.arguments] {
        content.extend(string.bytes().filter(|byte| *byte != 0));
        content.push(0);
    }
    half_words(
        into,
        &[8, u32::try_from(content.len()).unwrap_or(0), NOTE_TYPE],
    );
    into.extend_from_slice(b"stapsdt\0");
    into.extend_from_slice(&content);
    into.resize(into.len().next_multiple_of(4), 0);
}

fn elf_header(into: &mut Vec<u8>, architecture: Architecture, text: Range, sections_at: u64) {
    let machine = architecture.platform().elf_machine;
    // 64-bit, little-endian, version 1; the rest of the identification is zeros.
    into.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    // ET_EXEC: addresses are as they are.
    shorts(into, &[2, machine]);
    half_words(into, &[1]);
    words(into, &[text.start.0, ELF_HEADER, sections_at]);
    half_words(into, &[0]);
    // One program header of 56 bytes; five section headers, of which the last names all.
    shorts(into, &[64, 56, 1, SECTION_HEADER, 5, 4]);
}

/// `PT_LOAD`, readable and executable, without bytes of its own.
fn program_header(into: &mut Vec<u8>, text: Range) {
    half_words(into, &[1, 5]);
    words(into, &[0, text.start.0, text.start.0, 0, text.size, 4096]);
}

fn section_headers(into: &mut Vec<u8>, text: Range, notes: u64, names_at: u64) {
    const NOBITS: u32 = 8;
    const NOTE: u32 = 7;
    const STRTAB: u32 = 3;
    into.resize(into.len() + usize::from(SECTION_HEADER), 0);
    section(into, (TEXT_NAME, NOBITS, 6), text, NOTES, 16);
    // GDB looks for this one, and finds out by it whether the file was moved.
    section(
        into,
        (BASE_NAME, NOBITS, 2),
        Range::new(text.start, 1),
        NOTES,
        1,
    );
    section(into, (NOTE_NAME, NOTE, 0), nowhere(notes), NOTES, 4);
    section(
        into,
        (NAMES_NAME, STRTAB, 0),
        nowhere(length(NAMES)),
        names_at,
        1,
    );
}

/// A section that is not loaded.
fn nowhere(size: u64) -> Range {
    Range::new(crate::address::Address::NULL, size)
}

fn section(
    into: &mut Vec<u8>,
    (name, kind, flags): (u32, u32, u64),
    memory: Range,
    at: u64,
    align: u64,
) {
    half_words(into, &[name, kind]);
    words(into, &[flags, memory.start.0, at, memory.size]);
    half_words(into, &[0, 0]);
    words(into, &[align, 0]);
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn words(into: &mut Vec<u8>, values: &[u64]) {
    into.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn half_words(into: &mut Vec<u8>, values: &[u32]) {
    into.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn shorts(into: &mut Vec<u8>, values: &[u16]) {
    into.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use object::read::elf::ElfFile64;
    use object::{Object, ObjectSection, ObjectSegment};

    #[test]
    fn another_reader_finds_the_probes() {
        let text = Range::new(Address(0x7000_0000), 0x2000);
        let place = |address, label: &str| Place {
            breakpoint: 1,
            label: label.to_owned(),
            address: Address(address),
            arguments: "8@%rdi".to_owned(),
        };
        let places = [
            place(0x7000_0010, "_NOP#1"),
            place(0x7000_0123, "_X(a=1)#2"),
        ];
        let bytes = probes(Architecture::X86_64, text, &places);
        let elf = ElfFile64::<object::LittleEndian>::parse(&*bytes).unwrap();
        let code = elf.section_by_name(".text").unwrap();
        assert_eq!((code.address(), code.size()), (0x7000_0000, 0x2000));
        assert_eq!(
            elf.section_by_name(".stapsdt.base").unwrap().address(),
            0x7000_0000
        );
        assert_eq!(elf.segments().next().unwrap().size(), 0x2000);
        let notes = elf.section_by_name(".note.stapsdt").unwrap();
        let data = notes.data().unwrap();
        // Header 12, owner 8, then pc.
        assert_eq!(data[20..28], 0x7000_0010u64.to_le_bytes());
        assert!(data[44..].starts_with(b"cpyjit\0_NOP#1\08@%rdi\0"));
        assert_eq!(data.len() % 4, 0);
        assert!(
            data.windows(8)
                .any(|window| window == 0x7000_0123u64.to_le_bytes())
        );
    }
}
