//! Reads objects back, with `object` and `gimli::read`.

use super::sample::BASE;
use crate::symbols::Symbols;
use gimli::read::{Dwarf, EndianSlice};
use gimli::{Encoding, RunTimeEndian};
use object::{Object as _, ObjectSection};

type Slice<'d> = EndianSlice<'d, RunTimeEndian>;

/// Calls `check` with the debug information of an object.
fn dwarf<T>(symbols: &Symbols, check: impl FnOnce(&Dwarf<Slice<'_>>) -> T) -> T {
    let file = object::File::parse(&*symbols.elf).unwrap();
    let load = |id: gimli::SectionId| -> Result<Slice<'_>, gimli::Error> {
        let section = file.section_by_name(id.name());
        let bytes = section.map_or(&[][..], |section| section.data().unwrap());
        Ok(EndianSlice::new(bytes, RunTimeEndian::Little))
    };
    check(&Dwarf::load(load).unwrap())
}

/// The rows of a unit's line table: address, file name, line, whether it is a statement.
pub fn rows(symbols: &Symbols, unit: usize) -> Vec<(u64, String, u64, bool)> {
    dwarf(symbols, |dwarf| {
        let mut units = dwarf.units();
        let mut header = units.next().unwrap();
        for _ in 0..unit {
            header = units.next().unwrap();
        }
        let unit = dwarf.unit(header.unwrap()).unwrap();
        let mut state = unit.line_program.clone().unwrap().rows();
        let mut found = Vec::new();
        while let Some((header, row)) = state.next_row().unwrap() {
            if row.end_sequence() {
                continue;
            }
            let name = row.file(header).unwrap().path_name();
            let name = dwarf.attr_string(&unit, name).unwrap();
            found.push((
                row.address(),
                name.to_string_lossy().into_owned(),
                row.line().map_or(0, |line| line.get()),
                row.is_stmt(),
            ));
        }
        found
    })
}

/// The entries of the first unit, one a line: depth, tag, name or that of the origin, ranges.
pub fn entries(symbols: &Symbols) -> Vec<String> {
    dwarf(symbols, |dwarf| {
        let unit = dwarf.units().next().unwrap().unwrap();
        let unit = dwarf.unit(unit).unwrap();
        let mut all = unit.entries();
        let mut lines = Vec::new();
        while let Some(entry) = all.next_dfs().unwrap() {
            let name = name_of(dwarf, &unit, entry);
            let mut ranges = dwarf.die_ranges(&unit, entry).unwrap();
            let mut words = String::new();
            while let Some(range) = ranges.next().unwrap() {
                words += &format!(" {:#x}-{:#x}", range.begin - BASE, range.end - BASE);
            }
            let tag = entry.tag().to_string();
            let tag = tag.trim_start_matches("DW_TAG_");
            lines.push(format!("{} {tag} {name}{words}", entry.depth()));
        }
        lines
    })
}

fn name_of<'d>(
    dwarf: &Dwarf<Slice<'d>>,
    unit: &gimli::Unit<Slice<'d>>,
    entry: &gimli::DebuggingInformationEntry<Slice<'d>>,
) -> String {
    if let Some(gimli::AttributeValue::UnitRef(origin)) =
        entry.attr_value(gimli::DW_AT_abstract_origin)
    {
        return name_of(dwarf, unit, &unit.entry(origin).unwrap());
    }
    entry.attr(gimli::DW_AT_name).map_or(String::new(), |name| {
        let name = dwarf.attr_string(unit, name.value()).unwrap();
        name.to_string_lossy().into_owned()
    })
}

/// The value of the variable of this name at an address, `None` where it is not told. A word of memory is 16 times its
/// own address, a register holds what `register` says.
pub fn value(symbols: &Symbols, name: &str, at: u64, register: u64) -> Option<u64> {
    dwarf(symbols, |dwarf| {
        let unit = dwarf.units().next().unwrap().unwrap();
        let unit = dwarf.unit(unit).unwrap();
        let mut all = unit.entries();
        while let Some(entry) = all.next_dfs().unwrap() {
            if name_of(dwarf, &unit, entry) != name {
                continue;
            }
            let Some(location) = entry.attr_value(gimli::DW_AT_location) else {
                continue;
            };
            let mut list = dwarf.attr_locations(&unit, location).unwrap().unwrap();
            while let Some(one) = list.next().unwrap() {
                if (one.range.begin..one.range.end).contains(&at) {
                    return Some(evaluate(one.data, unit.encoding(), register));
                }
            }
        }
        None
    })
}

fn evaluate(expression: gimli::Expression<Slice<'_>>, encoding: Encoding, register: u64) -> u64 {
    use gimli::{EvaluationResult, Location, Value};
    let mut evaluation = expression.evaluation(encoding);
    let mut state = evaluation.evaluate().unwrap();
    loop {
        state = match state {
            EvaluationResult::RequiresRegister { .. } => {
                evaluation.resume_with_register(Value::Generic(register))
            }
            EvaluationResult::RequiresMemory { address, .. } => {
                evaluation.resume_with_memory(Value::Generic(address.wrapping_mul(16)))
            }
            EvaluationResult::Complete => break,
            other => panic!("{other:?}"),
        }
        .unwrap();
    }
    match evaluation.result()[0].location {
        Location::Value {
            value: Value::Generic(value),
        } => value,
        ref other => panic!("{other:?}"),
    }
}
