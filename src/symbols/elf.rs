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
    for part in parts {
        let text = add_text(&mut builder, part.code, debugger, part.section);
        add_symbols(&mut builder, part.code, text, &part.name);
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

fn add_text(
    builder: &mut Builder<'_>,
    code: &ExecutorCode,
    debugger: Debugger,
    range: Range,
) -> ElfSection {
    let section = builder.sections.add();
    section.name = b".text".as_slice().into();
    section.sh_flags = elf::SHF_ALLOC | elf::SHF_EXECINSTR;
    section.sh_addr = range.start.0;
    section.sh_offset = FIRST_OFFSET;
    section.sh_addralign = 1;
    match debugger {
        Debugger::Gdb => {
            section.sh_type = elf::SHT_NOBITS;
            section.data = SectionData::UninitializedData(range.size);
        }
        // LLDB looks for the next jump in the file when it steps: without the bytes it would put a breakpoint into the
        // middle of an instruction.
        Debugger::Lldb => {
            section.sh_type = elf::SHT_PROGBITS;
            section.data = SectionData::Data(code.bytes.clone().into());
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

fn add_symbols(builder: &mut Builder<'_>, code: &ExecutorCode, text: ElfSection, name: &str) {
    let mut add = |name: &str, range: Range, kind| {
        let symbol = builder.symbols.add();
        symbol.name = clean(name).into();
        symbol.set_st_info(elf::STB_LOCAL, kind);
        symbol.st_value = range.start.0;
        symbol.st_size = range.size;
        symbol.section = Some(text);
    };
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
    for slot in &code.slots {
        match slot.is_code {
            true => add(
                &format!("{}@trampoline", slot.name),
                slot.range,
                elf::STT_FUNC,
            ),
            false => add(&format!("{}@got", slot.name), slot.range, elf::STT_OBJECT),
        }
    }
}
