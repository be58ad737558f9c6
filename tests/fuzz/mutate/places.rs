//! Places of a core or an ELF file where damage is likely to matter.

use super::elf::Elf;
use cpyjit::session::Session;
use std::collections::HashSet;
use std::ops::Range;

/// Kinds of places, each with ranges of the file. A mutation chooses a kind first, so that the few bytes of a header are
/// hit as often as the many of a heap.
#[derive(Default)]
pub struct Places {
    pub kinds: Vec<(&'static str, Vec<Range<usize>>)>,
    /// Numbers that mean something in this file: addresses of executors, traces and machine code.
    pub values: Vec<u64>,
}

impl Places {
    fn add(&mut self, kind: &'static str, ranges: Vec<Range<usize>>) {
        let ranges: Vec<_> = ranges
            .into_iter()
            .filter(|range| !range.is_empty())
            .collect();
        if !ranges.is_empty() {
            self.kinds.push((kind, ranges));
        }
    }

    /// Of an executable or debug file.
    pub fn of_file(bytes: &[u8]) -> Places {
        let mut places = Places::default();
        let elf = Elf::read(bytes);
        places.add("header", elf.headers.clone());
        places.add("note", elf.notes.clone());
        let named = |names: &[&str]| -> Vec<Range<usize>> {
            let sections = elf.sections.iter();
            let wanted = sections.filter(|(name, _)| names.contains(&name.as_str()));
            wanted.map(|(_, range)| range.clone()).collect()
        };
        places.add(
            "symbols",
            named(&[".symtab", ".dynsym", ".strtab", ".dynstr", ".shstrtab"]),
        );
        places.add(
            "build id and link",
            named(&[".note.gnu.build-id", ".gnu_debuglink"]),
        );
        places.add(
            "section headers",
            elf.headers.iter().skip(2).cloned().collect(),
        );
        places.add(
            "dwarf",
            named(&[
                ".debug_info",
                ".debug_abbrev",
                ".debug_str",
                ".debug_str_offsets",
            ]),
        );
        // A compressed section begins with its kind and its size.
        let heads = |range: Range<usize>| range.start..range.end.min(range.start + 64);
        let dwarf = elf
            .sections
            .iter()
            .filter(|(name, _)| name.starts_with(".debug"));
        places.add(
            "head of dwarf",
            dwarf.map(|(_, range)| heads(range.clone())).collect(),
        );
        places.add(
            "data",
            named(&[
                ".rodata",
                ".data",
                ".data.rel.ro",
                ".rela.dyn",
                ".PyRuntime",
                ".dynamic",
            ]),
        );
        places.add("anything", std::iter::once(0..bytes.len()).collect());
        places
    }

    /// Of a core that the session has read undamaged.
    pub fn of_core(bytes: &[u8], session: &Session) -> Result<Places, String> {
        let elf = Elf::read(bytes);
        let mut places = Places::default();
        places.add("header", elf.headers.clone());
        places.add("note", elf.notes.clone());
        let known = session.executors().map_err(|error| error.to_string())?;
        let at = |address: u64, before: usize, behind: usize| {
            let offset = elf.offset(address)?;
            Some(offset.saturating_sub(before)..(offset + behind).min(bytes.len()))
        };
        let (mut objects, mut traces, mut codes, mut machine) = (vec![], vec![], vec![], vec![]);
        for known in known {
            objects.extend(at(known.address.0, 16, 0x180));
            places.values.push(known.address.0);
            let Ok(executor) = &known.executor else {
                continue;
            };
            // Uops have 32 bytes or more; what lies behind the trace is as good.
            traces.extend(at(executor.trace.0, 0, 32 * executor.uops.len()));
            codes.extend(at(executor.code.0, 0, 0x180));
            machine.extend(at(executor.jit_code.0, 0, executor.jit_size as usize));
            places
                .values
                .extend([executor.trace.0, executor.jit_code.0, executor.code.0]);
            places
                .values
                .extend(executor.exits.iter().map(|exit| exit.address.0));
        }
        places.values.retain(|value| *value != 0);
        if objects.is_empty() {
            return Err("there is no executor in its core".to_owned());
        }
        let (pointers, near) = pointers(bytes, &places.values);
        for (kind, ranges) in [
            ("executor", objects),
            ("trace", traces),
            ("code object", codes),
            ("machine code", machine),
            ("pointer", pointers),
            ("beside a pointer", near),
            (
                "segment",
                elf.loads.iter().map(|load| load.file.clone()).collect(),
            ),
        ] {
            places.add(kind, ranges);
        }
        places.add("anything", std::iter::once(0..bytes.len()).collect());
        Ok(places)
    }
}

/// Each word of the core that is one of `values`, and what is around it.
fn pointers(bytes: &[u8], values: &[u64]) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let values: HashSet<u64> = values.iter().copied().collect();
    let words = bytes.as_chunks::<8>().0.iter().enumerate();
    let found = words.filter(|(_, word)| values.contains(&u64::from_le_bytes(**word)));
    let places: Vec<usize> = found.map(|(index, _)| 8 * index).collect();
    let around = |at: &usize| at.saturating_sub(64)..(at + 72).min(bytes.len());
    (
        places.iter().map(|at| *at..at + 8).collect(),
        places.iter().map(around).collect(),
    )
}
