//! What was written, read back by other code.

mod jitdump;
mod read;
mod sample;

use super::*;
use crate::address::Address;
use gimli::LittleEndian;
use object::{Object as _, ObjectSection, ObjectSymbol};
use read::{entries, rows, value};
use sample::{BASE, LOCALSPLUS, code};
use std::sync::Arc;

fn options(debugger: Debugger, view: View) -> SymbolOptions {
    SymbolOptions {
        debugger,
        view,
        folder: "/tmp/listings".to_owned(),
        loses_registers: false,
    }
}

fn written(code: &ExecutorCode, debugger: Debugger, view: View) -> Symbols {
    write(&[Member { code, number: 4 }], &options(debugger, view)).unwrap()
}

#[test]
fn each_debugger_gets_its_sections() {
    let code = code();
    let end = code.code_end().0;
    let symbols = written(&code, Debugger::Gdb, View::Frames);
    let file = object::File::parse(&*symbols.elf).unwrap();
    let text = file.section_by_name(".text").unwrap();
    assert_eq!((text.address(), text.size()), (BASE - 1, end - BASE + 1));
    assert_eq!(text.file_range(), None);
    let data = file.section_by_name(".data").unwrap();
    assert_eq!((data.address(), data.size()), (end, BASE + 4095 - end));
    assert_eq!(
        symbols.listings[0].section,
        Range::new(Address(BASE - 1), 4096)
    );

    let symbols = written(&code, Debugger::Lldb, View::Frames);
    let file = object::File::parse(&*symbols.elf).unwrap();
    let text = file.section_by_name(".text").unwrap();
    let data = file.section_by_name(".data").unwrap();
    let (machine_code, rest) = code.bytes.split_at(usize::try_from(end - BASE).unwrap());
    assert_eq!((text.address(), text.data().unwrap()), (BASE, machine_code));
    assert_eq!((data.address(), data.data().unwrap()), (end, rest));
    assert_eq!(file.architecture(), object::Architecture::X86_64);
}

#[test]
fn data_is_in_no_section_of_code() {
    let mut code = code();
    let trampoline = Slot {
        range: Range::new(Address(BASE + 0x60), 16),
        name: "PyNumber_Add".to_owned(),
        is_code: true,
    };
    code.slots.push(trampoline);
    // In front of code it cannot have a section of its own: then it has no name.
    let mut early = code.slots[0].clone();
    early.range.start = Address(BASE + 0x58);
    early.name = "early".to_owned();
    code.slots.push(early);
    for debugger in [Debugger::Gdb, Debugger::Lldb] {
        let symbols = written(&code, debugger, View::Frames);
        let file = object::File::parse(&*symbols.elf).unwrap();
        let kind = |name: &str| {
            let symbol = file.symbols().find(|one| one.name() == Ok(name))?;
            let section = file.section_by_index(symbol.section_index()?).unwrap();
            Some((symbol.address() - BASE, section.name().unwrap().to_owned()))
        };
        assert_eq!(
            kind("PyNumber_Add$trampoline"),
            Some((0x60, ".text".to_owned()))
        );
        assert_eq!(kind("PyNumber_Add$got"), Some((0x100, ".data".to_owned())));
        assert_eq!(kind("early$got"), None);
        assert!(
            file.symbols().all(|one| !one.name().unwrap().contains('@')
                || one.name().unwrap().starts_with("outer@"))
        );
    }
}

#[test]
fn uops_have_both_names_and_data_those_of_what_it_points_at() {
    let symbols = written(&code(), Debugger::Gdb, View::Frames);
    let file = object::File::parse(&*symbols.elf).unwrap();
    let mut found: Vec<(String, u64, u64)> = file
        .symbols()
        .map(|one| {
            (
                one.name().unwrap().to_owned(),
                one.address() - BASE,
                one.size(),
            )
        })
        .collect();
    found.retain(|(name, _, _)| ["_LOAD", "_LOAD_r11", "PyNumber_Add$got"].contains(&&**name));
    let expected = [
        ("PyNumber_Add$got", 0x100, 8),
        ("_LOAD_r11", 0x20, 16),
        ("_LOAD", 0x20, 0),
    ];
    assert_eq!(
        found,
        expected.map(|(name, at, size)| (name.to_owned(), at, size))
    );
}

#[test]
fn each_line_of_the_listing_is_that_of_its_uop() {
    let code = code();
    let symbols = written(&code, Debugger::Gdb, View::Frames);
    let text: Vec<&str> = symbols.listings[0].text.lines().collect();
    let found = rows(&symbols, 0);
    assert_eq!(found.len(), 5);
    for ((address, file, line, is_statement), uop) in found.iter().zip(&code.listing.uops) {
        assert_eq!(
            (*address, &**file),
            (uop.ranges[0].address.0, "outer.8-4.uops")
        );
        let line = text[usize::try_from(*line).unwrap() - 1];
        assert!(line.contains(&*uop.name) && *is_statement, "{line}");
    }
    assert_eq!(symbols.listings[0].name, "outer.8-4.uops");
    assert_eq!(text[3], "; outer  loop.py:9  x = leaf(y)");
}

#[test]
fn lines_of_python_are_a_unit_of_their_own_or_the_only_ones() {
    let python = |rows: Vec<(u64, String, u64, bool)>| {
        let rows = rows.into_iter();
        let rows = rows.map(|(at, file, line, is_statement)| {
            assert_eq!(file, "loop.py");
            (at - BASE, line, is_statement)
        });
        rows.collect::<Vec<_>>()
    };
    // The first uop is of no line; where the call returns to, line 9 is gone on with.
    let expected = [(0x10, 9, true), (0x20, 2, true), (0x40, 9, false)];
    let symbols = written(&code(), Debugger::Gdb, View::Frames);
    assert_eq!(python(rows(&symbols, 1)), expected);
    let symbols = written(&code(), Debugger::Gdb, View::Python);
    let mut lines = rows(&symbols, 0);
    lines.retain(|row| row.2 != 0); // the first uop, which runs before the loop
    assert_eq!(python(lines), expected);
    // LLDB takes lines without a number for a prologue.
    let symbols = written(&code(), Debugger::Lldb, View::Python);
    let (at, file, line, _) = rows(&symbols, 0).remove(0);
    assert_eq!((at, file), (BASE, symbols.listings[0].name.clone()));
    assert_ne!(line, 0);
    let lines = code().python_lines();
    let lines: Vec<_> = lines
        .iter()
        .map(|line| (line.range.start.0 - BASE, line.line))
        .collect();
    assert_eq!(lines, [(0x10, 9), (0x20, 2), (0x30, 2), (0x40, 9)]);
}

#[test]
fn functions_of_python_are_inlined_with_their_variables() {
    let found = entries(&written(&code(), Debugger::Gdb, View::Frames));
    let expected = "\
0 compile_unit outer.8-4.uops 0x0-0x50
1 structure_type _object
1 typedef PyObject
1 structure_type _PyInterpreterFrame
1 pointer_type 
1 pointer_type 
1 subprogram outer@8 0x0-0x50
2 inlined_subroutine outer 0x0-0x50
3 formal_parameter n
3 variable x
3 inlined_subroutine leaf 0x20-0x40
4 formal_parameter a
2 variable tos0
2 variable frame
1 subprogram outer
1 subprogram leaf";
    assert_eq!(found.join("\n"), expected);
}

#[test]
fn uops_are_inlined_too_where_both_are_wanted() {
    let found = entries(&written(&code(), Debugger::Gdb, View::Both));
    assert!(found.contains(&"4 inlined_subroutine _LOAD_r11 0x20-0x30".to_owned()));
    // LLDB finds it by its base name, which a linkage name does not hide.
    let found = entries(&written(&code(), Debugger::Lldb, View::Both));
    assert!(found.contains(&"4 inlined_subroutine _LOAD 0x20-0x30".to_owned()));
}

#[test]
fn variables_are_found_as_long_as_the_frame_is() {
    let symbols = written(&code(), Debugger::Gdb, View::Frames);
    let at = |name, offset| value(&symbols, name, BASE + offset, 0x1000);
    // x is in the second slot; a word is 16 times its address, whose tag bits are none.
    assert_eq!(at("x", 0), Some((0x1000 + LOCALSPLUS + 8) * 16));
    assert_eq!(at("x", 0x13), at("x", 0));
    // The register is overwritten there.
    assert_eq!(at("x", 0x14), None);
    // One frame further down.
    assert_eq!(at("x", 0x20), Some((0x1008 * 16 + LOCALSPLUS + 8) * 16));
    assert_eq!(at("a", 0x20), Some((0x1000 + LOCALSPLUS) * 16));
    assert_eq!(at("a", 0x40), None);
    assert_eq!(at("frame", 0x40), Some(0x1000));
}

#[test]
fn a_debugger_that_loses_registers_gets_no_variables_of_frames_that_have_called_something() {
    let mut code = code();
    let facts = Arc::make_mut(&mut code.pieces[0].facts);
    facts.returns = vec![5, 0x10];
    let lost = SymbolOptions {
        loses_registers: true,
        ..options(Debugger::Lldb, View::Frames)
    };
    let member = Member {
        code: &code,
        number: 4,
    };
    let lost = write(&[member], &lost).unwrap();
    let all = written(&code, Debugger::Lldb, View::Frames);
    for offset in 0..0x14 {
        let at = |symbols| value(symbols, "x", BASE + offset, 0x1000);
        let is_call = matches!(offset, 4 | 0xf);
        assert!(at(&all).is_some());
        assert_eq!(at(&lost), at(&all).filter(|_| !is_call), "{offset}");
    }
}

#[test]
fn stack_items_are_known_where_uops_begin() {
    let symbols = written(&code(), Debugger::Gdb, View::Frames);
    let at = |offset, bits| value(&symbols, "tos0", BASE + offset, bits);
    assert_eq!(at(0, 0x1001), Some(0x1000));
    // A number is no object.
    assert_eq!(at(0, 0x1003), Some(0x1003));
    assert_eq!(at(1, 0x1001), None);
}

#[test]
fn a_uop_that_leaves_its_frame_cuts_the_way_to_the_others() {
    let mut code = code();
    code.places[3].leaves_frame = true;
    let symbols = written(&code, Debugger::Gdb, View::Frames);
    let at = |name, offset| value(&symbols, name, BASE + offset, 0x1000);
    assert!(at("x", 0x30).is_some() && at("x", 0x31).is_none());
    assert!(at("a", 0x3f).is_some());
}

#[test]
fn what_is_still_to_be_tested_is_not_said() {
    let mut code = code();
    code.places[2].is_certain = false;
    let found = entries(&written(&code, Debugger::Gdb, View::Frames)).join("\n");
    assert!(
        found.contains("3 inlined_subroutine leaf 0x30-0x40"),
        "{found}"
    );
    assert!(
        found.contains("3 inlined_subroutine ? 0x20-0x30"),
        "{found}"
    );
    code.frames[1].function = None;
    let found = entries(&written(&code, Debugger::Gdb, View::Frames)).join("\n");
    assert!(!found.contains("leaf") && !found.contains("formal_parameter a"));
}

#[test]
fn callers_are_found_by_the_rules_of_each_place() {
    use gimli::{CfaRule, RegisterRule, UnwindSection};
    let symbols = written(&code(), Debugger::Gdb, View::Frames);
    let file = object::File::parse(&*symbols.elf).unwrap();
    let section = file.section_by_name(".debug_frame").unwrap();
    let mut table = gimli::DebugFrame::new(section.data().unwrap(), LittleEndian);
    table.set_address_size(8);
    let bases = gimli::BaseAddresses::default();
    let rule = |offset: u64, column: u16| {
        let mut context = gimli::UnwindContext::new();
        let row = table
            .unwind_info_for_address(
                &bases,
                &mut context,
                BASE + offset,
                gimli::DebugFrame::cie_from_offset,
            )
            .unwrap();
        let CfaRule::Expression(expression) = row.cfa() else {
            panic!("{:?}", row.cfa())
        };
        let cfa = expression.get(&table).unwrap().0.slice().to_vec();
        (cfa, row.register(gimli::Register(column)))
    };
    let (breg6, breg7) = (gimli::DW_OP_breg6.0, gimli::DW_OP_breg7.0);
    assert_eq!(
        rule(0, 13),
        (vec![breg6, 16], Some(RegisterRule::Offset(-40)))
    );
    assert_eq!(rule(0x21, 13), rule(0, 13));
    let (cfa, lost) = rule(0x22, 13);
    assert_eq!((cfa[0], lost), (breg7, Some(RegisterRule::Undefined)));
    assert_eq!(rule(0x22, 16).1, Some(RegisterRule::Offset(-8)));
    // Of the fourth nothing is known, of the fifth all.
    assert_eq!(rule(0x30, 16).1, Some(RegisterRule::Undefined));
    assert_eq!(rule(0x40, 16), rule(0, 16));
    assert_eq!(rule(0x40, 13), rule(0, 13));
}

#[test]
fn names_from_the_target_are_words_and_safe() {
    let mut code = code();
    let header = &mut code.listing.executor;
    header.qualname = Some(format!("../f.<locals>.g\n\0{}", "x".repeat(999)));
    code.listing.uops[0].name = "a\0b".into();
    if let Some(function) = &mut code.frames[0].function {
        Arc::make_mut(function).name = "\0\x1b[2J".to_owned();
        Arc::make_mut(function).filename = "".into();
    }
    for view in [View::Frames, View::Python, View::Both] {
        let symbols = written(&code, Debugger::Gdb, view);
        assert!(symbols.listings[0].name.len() < 200 && !symbols.listings[0].name.contains('/'));
        assert!(
            symbols.listings[0].executor.starts_with("..f.gxxx")
                && symbols.listings[0].executor.ends_with("@8")
        );
        assert!(
            entries(&symbols)
                .iter()
                .any(|line| line.contains(r"inlined_subroutine \u{0}\u{1b}[2J"))
        );
    }
}

#[test]
fn a_trace_that_never_returns_ends() {
    let mut code = code();
    let frame = code.frames[1].clone();
    for parent in 1..10_000 {
        let parent = Some(parent);
        code.frames.push(InlinedFrame {
            parent,
            ..frame.clone()
        });
    }
    code.places[4].frame = Some(10_000);
    let symbols = written(&code, Debugger::Gdb, View::Frames);
    assert!(symbols.elf.len() < 1 << 16);
}

#[test]
fn nothing_to_tell_is_no_error() {
    let mut code = code();
    code.pieces.clear();
    code.listing.uops.clear();
    code.places.clear();
    code.frames.clear();
    code.convention = None;
    let symbols = written(&code, Debugger::Gdb, View::Both);
    assert!(object::File::parse(&*symbols.elf).is_ok());
}

#[test]
fn an_object_of_several_has_all_of_each() {
    let (first, mut second) = (code(), code());
    let apart = 0x10_0000;
    sample::move_by(&mut second, apart);
    let numbered = (4..).zip([&first, &second]);
    let members: Vec<Member<'_>> = numbered
        .map(|(number, code)| Member { code, number })
        .collect();
    for debugger in [Debugger::Gdb, Debugger::Lldb] {
        let options = options(debugger, View::Both);
        let together = write(&members, &options).unwrap();
        let alone = members.iter().map(|one| write(&[*one], &options).unwrap());
        let alone: Vec<Symbols> = alone.collect();
        let names: Vec<&str> = together.listings.iter().map(|one| &*one.name).collect();
        assert_eq!(names, ["outer.8-4.uops", "outer.8-5.uops"]);
        for (index, alone) in alone.iter().enumerate() {
            assert_eq!(together.listings[index], alone.listings[0]);
            // Two units each: the code, and the lines of Python.
            for unit in 0..2 {
                assert_eq!(rows(&together, 2 * index + unit), rows(alone, unit));
            }
        }
        assert_eq!(
            symbols_of(&together),
            alone.iter().flat_map(symbols_of).collect::<Vec<_>>()
        );
        assert_eq!(
            texts_of(&together),
            alone.iter().flat_map(texts_of).collect::<Vec<_>>()
        );
        let offset = 0x20;
        assert_eq!(
            value(&together, "x", BASE + offset, 0x1000),
            value(&alone[0], "x", BASE + offset, 0x1000)
        );
    }
}

fn symbols_of(symbols: &Symbols) -> Vec<(String, u64, u64)> {
    let file = object::File::parse(&*symbols.elf).unwrap();
    let all = file.symbols();
    all.map(|one| (one.name().unwrap().to_owned(), one.address(), one.size()))
        .collect()
}

fn texts_of(symbols: &Symbols) -> Vec<(u64, u64, Vec<u8>)> {
    let file = object::File::parse(&*symbols.elf).unwrap();
    let all = file
        .sections()
        .filter(|one| [Ok(".text"), Ok(".data")].contains(&one.name()));
    all.map(|one| (one.address(), one.size(), one.data().unwrap().to_vec()))
        .collect()
}
