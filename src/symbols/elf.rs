//! The ELF file around code, symbols and debug information: a section of code for each executor, and one of everything else.

use super::files::clean;
use super::model::{ExecutorCode, PieceKind};
use super::{Debugger, Part, unwinding};
use crate::address::{Address, Range};
use gimli::write::{DebugFrame, Dwarf, EndianVec, FrameTable, Sections};
use gimli::{LittleEndian, SectionId};
use object::build::elf::{Builder, SectionData, SectionId as ElfSection};
use object::elf;

/// Where the contents of the file begin; the headers are smaller.
const FIRST_OFFSET: u64 = 0x1000;

/// What the section of code covers.
///
/// GDB takes the symbol of the section that sorts first where CPython has registered one for the same code. So ours starts
/// one byte earlier, at the last byte of the page in front, which is padding; and it ends one byte earlier, so that it never
/// overlaps the next one's. That also keeps GDB 18.1 from an assertion: a breakpoint location with a section of a registered
/// file and a line of ours outlives the former. LLDB takes the last module that was loaded at exactly the same address.
pub fn section(code: &ExecutorCode, debugger: Debugger) -> Range {
    let all = code.allocation;
    match debugger {
        Debugger::Gdb => Range::new(Address(all.start.0.wrapping_sub(1)), all.size),
        Debugger::Lldb => all,
    }
}

/// The file about these executors.
pub fn write(parts: &[Part<'_>], debugger: Debugger) -> Result<Vec<u8>, String> {
    let first = parts.first().ok_or("there is no executor")?;
    let mut builder = Builder::new(object::Endianness::Little, true);
    builder.header.e_type = elf::ET_EXEC;
    builder.header.e_machine = elf::Machine(first.code.architecture.platform().elf_machine);
    let mut dwarf = Dwarf::new();
    let mut rules = FrameTable::default();
    let mut offset = FIRST_OFFSET;
    for part in parts {
        let memory = add_memory(&mut builder, part, debugger, &mut offset);
        add_symbols(&mut builder, part.code, &memory, &part.name);
        part.add_units(&mut dwarf);
        unwinding::add(&mut rules, part.code);
    }
    add_dwarf(&mut builder, &mut dwarf)?;
    add_rules(&mut builder, &rules)?;
    add_tables(&mut builder);
    let mut bytes = Vec::new();
    builder
        .write(&mut bytes)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// The sections of an executor's memory.
struct Memory {
    text: ElfSection,
    /// Where its data begins, and the section of that. What lies in a section of code is a function to GDB, which would set
    /// breakpoints on its name: they would change the data.
    data: Option<(Address, ElfSection)>,
}

fn add_memory(
    builder: &mut Builder<'_>,
    part: &Part<'_>,
    debugger: Debugger,
    offset: &mut u64,
) -> Memory {
    let (all, code) = (part.section, part.code);
    let between = data_start(code).min(all.end());
    let part_of = |start: Address, end: Address| {
        let range = Range::new(start, end.offset_from(start).unwrap_or_default());
        match debugger {
            Debugger::Gdb => (range, None),
            // LLDB looks for the next jump in the file when it steps: without the bytes it would put a breakpoint into the
            // middle of an instruction.
            Debugger::Lldb => (range, Some(bytes(code, range))),
        }
    };
    let flags = elf::SHF_ALLOC | elf::SHF_EXECINSTR;
    let text = add_section(builder, ".text", flags, part_of(all.start, between), offset);
    let (data, bytes) = part_of(between, all.end());
    let has_data = data.size != 0;
    Memory {
        text,
        data: has_data.then(|| {
            let data = add_section(builder, ".data", elf::SHF_ALLOC, (data, bytes), offset);
            (between, data)
        }),
    }
}

/// Behind the code and the trampolines.
fn data_start(code: &ExecutorCode) -> Address {
    let trampolines = code.slots.iter().filter(|slot| slot.is_code);
    let ends = trampolines.map(|slot| slot.range.end());
    ends.fold(code.code_end(), Address::max)
}

fn bytes(code: &ExecutorCode, range: Range) -> Vec<u8> {
    let place = |address: Address| usize::try_from(code.offset(address)).ok();
    let bytes = place(range.start).zip(place(range.end()));
    let bytes = bytes.and_then(|(start, end)| code.bytes.get(start..end));
    bytes.unwrap_or_default().to_vec()
}

fn add_section(
    builder: &mut Builder<'_>,
    name: &'static str,
    flags: elf::SectionFlags,
    (range, bytes): (Range, Option<Vec<u8>>),
    offset: &mut u64,
) -> ElfSection {
    let section = builder.sections.add();
    section.name = name.as_bytes().into();
    section.sh_flags = flags;
    section.sh_addr = range.start.0;
    section.sh_offset = *offset;
    section.sh_addralign = 1;
    match bytes {
        None => {
            section.sh_type = elf::SHT_NOBITS;
            section.data = SectionData::UninitializedData(range.size);
        }
        Some(bytes) => {
            *offset = offset.saturating_add(range.size);
            section.sh_type = elf::SHT_PROGBITS;
            section.data = SectionData::Data(bytes.into());
        }
    }
    section.id()
}

fn add_dwarf(builder: &mut Builder<'_>, dwarf: &mut Dwarf) -> Result<(), String> {
    let mut sections = Sections::new(EndianVec::new(LittleEndian));
    dwarf
        .write(&mut sections)
        .map_err(|error| error.to_string())?;
    let mut add = |id: SectionId, bytes: &[u8]| {
        if !bytes.is_empty() {
            add_debug_section(builder, id.name(), bytes);
        }
        Ok::<(), String>(())
    };
    sections.for_each(|id, section| add(id, section.slice()))
}

fn add_rules(builder: &mut Builder<'_>, rules: &FrameTable) -> Result<(), String> {
    let mut section = DebugFrame(EndianVec::new(LittleEndian));
    rules
        .write_debug_frame(&mut section)
        .map_err(|error| error.to_string())?;
    if !section.slice().is_empty() {
        add_debug_section(builder, SectionId::DebugFrame.name(), section.slice());
    }
    Ok(())
}

fn add_debug_section(builder: &mut Builder<'_>, name: &'static str, bytes: &[u8]) {
    let section = builder.sections.add();
    section.name = name.as_bytes().into();
    section.sh_type = elf::SHT_PROGBITS;
    section.sh_addralign = 1;
    section.data = SectionData::Data(bytes.to_vec().into());
}

fn add_tables(builder: &mut Builder<'_>) {
    let tables = [
        (".symtab", elf::SHT_SYMTAB, SectionData::Symbol),
        (".strtab", elf::SHT_STRTAB, SectionData::String),
        (".shstrtab", elf::SHT_STRTAB, SectionData::SectionString),
    ];
    for (name, kind, data) in tables {
        let section = builder.sections.add();
        section.name = name.as_bytes().into();
        section.sh_type = kind;
        section.sh_addralign = 8;
        section.data = data;
    }
}

fn add_symbols(builder: &mut Builder<'_>, code: &ExecutorCode, memory: &Memory, name: &str) {
    let mut add_to = |section: ElfSection, name: &str, range: Range, kind| {
        let symbol = builder.symbols.add();
        symbol.name = clean(name).into();
        symbol.set_st_info(elf::STB_LOCAL, kind);
        symbol.st_value = range.start.0;
        symbol.st_size = range.size;
        symbol.section = Some(section);
    };
    // No `@`: GDB takes what follows it for a version, and the name without it for one of ours, too.
    for slot in &code.slots {
        let range = slot.range;
        match (slot.is_code, memory.data) {
            (true, _) => {
                let name = format!("{}$trampoline", slot.name);
                add_to(memory.text, &name, range, elf::STT_FUNC);
            }
            (false, Some((start, data))) if range.start >= start => {
                add_to(data, &format!("{}$got", slot.name), range, elf::STT_OBJECT);
            }
            (false, _) => {}
        }
    }
    let mut add = |name: &str, range: Range, kind| add_to(memory.text, name, range, kind);
    for piece in &code.pieces {
        match piece.kind {
            PieceKind::Shim => add(&format!("{name} shim"), piece.range, elf::STT_FUNC),
            PieceKind::Guard => add("_FATAL_ERROR", piece.range, elf::STT_FUNC),
            PieceKind::Uop(index) => {
                let row = code.listing.uops.get(index.0 as usize);
                let Some(row) = row else { continue };
                add(&row.name, piece.range, elf::STT_FUNC);
                if row.base != row.name {
                    // Without a size, so that the variant is what GDB calls the address.
                    add(&row.base, Range::new(piece.range.start, 0), elf::STT_NOTYPE);
                }
            }
        }
    }
}
