//! DWARF made by gimli's writer, or byte by byte where it cannot write something, and what is read from it.

use super::dwarf_maker::{Made, Maker, at, bytes, is};
use crate::shape::{Bits, Shape};
use gimli::Format;
use gimli::constants as dw;
use gimli::write::{AttributeValue, DebugInfoRef};

/// `name offset+size`, with bits, elements and sign where there are any.
fn lines(shape: &Shape) -> Vec<String> {
    (shape.fields.iter())
        .map(|field| {
            let mut line = format!("{} {}+{}", field.name, field.offset, field.size);
            if let Some(Bits { shift, width }) = field.bits {
                line += &format!(" bits {shift}:{width}");
            }
            if let Some(element) = field.element {
                line += &format!(" of {element}");
            }
            if field.signed {
                line += " signed";
            }
            line
        })
        .collect()
}

#[test]
fn nested_structures_are_flattened() {
    let mut maker = Maker::new();
    let int = maker.int();
    let inner = maker.structure("Inner", 8);
    maker.member(inner, "a", 0, int);
    maker.member(inner, "b", 4, int);
    let either = maker.aggregate(dw::DW_TAG_union_type, "", 8);
    maker.member(either, "left", 0, int);
    maker.member(either, "inner", 0, inner);
    let outer = maker.structure("Outer", 24);
    maker.member(outer, "first", 0, inner);
    maker.member(outer, "", 8, either);
    let shape = maker.finish().shape("Outer");
    assert_eq!((shape.name.as_str(), shape.size), ("Outer", 24));
    let expected = [
        "first 0+8",
        "first.a 0+4 signed",
        "first.b 4+4 signed",
        "left 8+4 signed",
        "inner 8+8",
        "inner.a 8+4 signed",
        "inner.b 12+4 signed",
    ];
    assert_eq!(lines(&shape), expected);
}

#[test]
fn each_kind_of_type_has_its_size_and_sign() {
    let mut maker = Maker::new();
    let int = maker.int();
    let byte = maker.base("unsigned char", 1, dw::DW_ATE_unsigned_char);
    let truth = maker.base("_Bool", 1, dw::DW_ATE_boolean);
    let atomic = maker.alias(dw::DW_TAG_atomic_type, "", int);
    let volatile = maker.alias(dw::DW_TAG_volatile_type, "", atomic);
    let index = maker.alias(dw::DW_TAG_typedef, "Index", volatile);
    let pointer = maker.top(dw::DW_TAG_pointer_type, "", vec![]);
    let unsigned_enum = maker.top(dw::DW_TAG_enumeration_type, "E", vec![bytes(1), is(byte)]);
    let signed_enum = maker.top(dw::DW_TAG_enumeration_type, "F", vec![is(int)]);
    let array = maker.array(int, &[Some(2), Some(4)]);
    let flexible = maker.array(pointer, &[None]);
    let outer = maker.structure("Outer", 96);
    let members = [
        ("truth", 0, truth),
        ("index", 4, index),
        ("pointer", 8, pointer),
        ("e", 16, unsigned_enum),
        ("f", 20, signed_enum),
        ("array", 24, array),
        ("flexible", 96, flexible),
    ];
    for (name, offset, what) in members {
        maker.member(outer, name, offset, what);
    }
    let expected = [
        "truth 0+1",
        "index 4+4 signed",
        "pointer 8+8",
        "e 16+1",
        "f 20+4 signed",
        "array 24+60 of 4 signed",
        "flexible 96+0 of 8",
    ];
    assert_eq!(lines(&maker.finish().shape("Outer")), expected);
}

#[test]
fn bit_fields_are_placed_in_their_word() {
    let mut maker = Maker::new();
    let short = maker.base("unsigned short", 2, dw::DW_ATE_unsigned);
    let uop = maker.structure("_PyUOpInstruction", 8);
    maker.bits(uop, "opcode", 0, 15, short);
    maker.bits(uop, "format", 15, 1, short);
    maker.member(uop, "oparg", 2, short);
    let expected = ["opcode 0+2 bits 0:15", "format 0+2 bits 15:1", "oparg 2+2"];
    assert_eq!(lines(&maker.finish().shape("_PyUOpInstruction")), expected);
}

#[test]
fn a_typedef_stands_for_its_structure_even_an_anonymous_one() {
    let mut maker = Maker::new();
    let int = maker.int();
    let anonymous = maker.structure("", 4);
    maker.member(anonymous, "a", 0, int);
    let group = maker.alias(dw::DW_TAG_typedef, "StencilGroup", anonymous);
    maker.alias(dw::DW_TAG_typedef, "Other", group);
    maker.alias(dw::DW_TAG_typedef, "Number", int);
    let made = maker.finish();
    assert_eq!(made.shape("StencilGroup").name, "StencilGroup");
    assert_eq!(lines(&made.shape("Other")), ["a 0+4 signed"]);
    assert_eq!(made.reason("Number"), "the DWARF does not define it");
}

#[test]
fn a_declaration_sends_the_search_to_the_next_unit() {
    let mut maker = Maker::new();
    let declaration = (dw::DW_AT_declaration, AttributeValue::Flag(true));
    let declared = maker.top(dw::DW_TAG_structure_type, "_executor", vec![declaration]);
    maker.alias(dw::DW_TAG_typedef, "Executor", declared);
    maker.next_unit();
    let defined = maker.structure("_executor", 16);
    maker.alias(dw::DW_TAG_typedef, "Executor", defined);
    let made = maker.finish();
    assert_eq!(made.shape("_executor").size, 16);
    assert_eq!(made.shape("Executor").size, 16);
}

#[test]
fn one_unit_answers_for_all_names_and_the_first_definition_counts() {
    let mut maker = Maker::new();
    maker.structure("Common", 1);
    maker.next_unit();
    maker.structure("Common", 2);
    maker.structure("Telling", 3);
    let made = maker.finish();
    let found = made.read(&["Telling", "Common", "Nowhere"]);
    assert_eq!(found.shapes["Common"].size, 2);
    assert_eq!(made.shape("Common").size, 1);
    assert_eq!(found.missing[0].name, "Nowhere");
}

#[test]
fn bytes_that_look_like_a_mention_are_not_believed() {
    let mut maker = Maker::new();
    let place = 0x0102_0304;
    let constant = (dw::DW_AT_const_value, AttributeValue::Data4(place));
    maker.top(dw::DW_TAG_variable, "v", vec![constant]);
    maker.next_unit();
    maker.structure("Wanted", 8);
    let mut made = maker.finish();
    // Put the real reference's bytes where the constant is.
    let needle = super::needle::needles("Wanted", &made.strings).remove(0);
    let constant = memchr::memmem::find(&made.info, &place.to_le_bytes()).unwrap();
    made.info[constant..constant + 4].copy_from_slice(&needle);
    assert_eq!(made.shape("Wanted").size, 8);
}

#[test]
fn names_inline_and_the_64_bit_format_are_read() {
    let mut maker = Maker::new();
    maker.inline_names = true;
    maker.structure("Wanted", 8);
    assert_eq!(maker.finish().shape("Wanted").size, 8);
    for version in [2, 3, 4, 5] {
        let mut maker = Maker::with(
            version,
            if version == 2 {
                Format::Dwarf32
            } else {
                Format::Dwarf64
            },
        );
        let int = maker.int();
        let outer = maker.structure("Wanted", 8);
        maker.member(outer, "a", 4, int);
        assert_eq!(lines(&maker.finish().shape("Wanted")), ["a 4+4 signed"]);
    }
}

#[test]
fn an_old_location_expression_is_an_offset() {
    let mut maker = Maker::with(2, Format::Dwarf32);
    let int = maker.int();
    let outer = maker.structure("Wanted", 8);
    let mut expression = gimli::write::Expression::new();
    expression.op_plus_uconst(4);
    let location = (
        dw::DW_AT_data_member_location,
        AttributeValue::Exprloc(expression),
    );
    maker.add(outer, dw::DW_TAG_member, "a", vec![is(int), location]);
    assert_eq!(lines(&maker.finish().shape("Wanted")), ["a 4+4 signed"]);
}

#[test]
fn a_type_in_a_later_unit_is_found() {
    let mut maker = Maker::new();
    let outer = maker.structure("Wanted", 8);
    maker.next_unit();
    let int = maker.int();
    let reference = AttributeValue::DebugInfoRef(DebugInfoRef::Entry(maker.unit, int));
    let first = maker.dwarf.units.id(0);
    maker.unit = first;
    maker.add(
        outer,
        dw::DW_TAG_member,
        "a",
        vec![at(4), (dw::DW_AT_type, reference)],
    );
    assert_eq!(lines(&maker.finish().shape("Wanted")), ["a 4+4 signed"]);
}

#[test]
fn what_is_not_supported_spoils_only_what_needs_it() {
    let mut maker = Maker::new();
    let signature = AttributeValue::DebugTypesRef(gimli::DebugTypeSignature(7));
    let in_type_unit = vec![(dw::DW_AT_type, signature)];
    let function = maker.top(dw::DW_TAG_subprogram, "f", in_type_unit.clone());
    maker.add(function, dw::DW_TAG_variable, "v", in_type_unit.clone());
    maker.top(dw::DW_TAG_typedef, "Elsewhere", in_type_unit.clone());
    let outer = maker.structure("Outer", 8);
    maker.add(outer, dw::DW_TAG_member, "a", in_type_unit);
    maker.structure("Wanted", 8);
    let made = maker.finish();
    assert_eq!(made.shape("Wanted").size, 8);
    let reason = "the DWARF has a type unit, which is not supported";
    assert_eq!(made.reason("Outer"), reason);
    assert_eq!(made.reason("Elsewhere"), reason);
}

#[test]
fn strings_by_index_are_read() {
    // As clang writes them; gimli's writer cannot.
    let made = Made {
        abbreviations: vec![
            1, 0x11, 1, 0x72, 0x17, 0,
            0, // compile unit, children, str_offsets_base: sec_offset
            2, 0x13, 0, 0x03, 0x25, 0x0b, 0x0b, 0,
            0, // structure, name: strx1, byte_size: data1
            0,
        ],
        info: vec![
            17, 0, 0, 0, 5, 0, 1, 8, 0, 0, 0, 0, // header of DWARF 5
            1, 8, 0, 0, 0, // the unit
            2, 1, 40, // the structure
            0,
        ],
        string_offsets: vec![12, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0],
        strings: b"no\0Wanted\0".to_vec(),
    };
    assert_eq!(made.shape("Wanted").size, 40);
}

#[test]
fn endless_and_exploding_types_end_with_a_reason() {
    let mut maker = Maker::new();
    let endless = maker.top(dw::DW_TAG_typedef, "Endless", vec![]);
    let unit = maker.dwarf.units.get_mut(maker.unit);
    unit.get_mut(endless)
        .set(dw::DW_AT_type, AttributeValue::UnitRef(endless));
    let cyclic = maker.structure("Cyclic", 8);
    maker.member(cyclic, "", 0, cyclic);
    maker.member(cyclic, "", 0, cyclic);
    let wide = maker.structure("Wide", 8);
    for _ in 0..300 {
        maker.member(wide, "w", 0, wide);
    }
    let int = maker.int();
    let huge = maker.array(int, &[Some(u64::MAX - 1)]);
    let outer = maker.structure("Huge", 8);
    maker.member(outer, "huge", 0, huge);
    let far = maker.structure("Far", 8);
    maker.member(far, "cyclic", u64::MAX, cyclic);
    let made = maker.finish();
    for (name, what) in [
        ("Endless", "a chain of types that does not end"),
        ("Wide", "a structure with too many fields"),
        ("Huge", "an array that is too large"),
    ] {
        assert_eq!(made.reason(name), format!("the DWARF has {what}"));
    }
    assert_eq!(made.shape("Cyclic").fields, []);
}

fn a_bit_of_everything() -> Made {
    let mut maker = Maker::new();
    let int = maker.int();
    let array = maker.array(int, &[Some(3)]);
    let inner = maker.structure("", 16);
    maker.member(inner, "a", 0, array);
    maker.bits(inner, "b", 100, 3, int);
    let outer = maker.structure("Wanted", 32);
    maker.member(outer, "inner", 8, inner);
    maker.alias(dw::DW_TAG_typedef, "Also", outer);
    maker.finish()
}

#[test]
fn truncated_sections_give_reasons() {
    let whole = a_bit_of_everything();
    assert_eq!(whole.read(&["Wanted", "Also"]).shapes.len(), 2);
    for end in 0..whole.info.len() {
        let made = Made {
            info: whole.info[..end].to_vec(),
            ..whole.clone()
        };
        assert_eq!(made.read(&["Wanted", "Also"]).missing.len(), 2, "{end}");
    }
    for end in 0..whole.abbreviations.len() {
        let made = Made {
            abbreviations: whole.abbreviations[..end].to_vec(),
            ..whole.clone()
        };
        made.read(&["Wanted", "Also"]);
    }
}

#[test]
fn damaged_bytes_do_no_harm() {
    let whole = a_bit_of_everything();
    for place in 0..whole.info.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff, whole.info[place] ^ 0x10] {
            let mut made = whole.clone();
            made.info[place] = value;
            made.read(&["Wanted", "Also"]);
        }
    }
    for place in 0..whole.abbreviations.len() {
        for value in 0..=255 {
            let mut made = whole.clone();
            made.abbreviations[place] = value;
            made.read(&["Wanted", "Also"]);
        }
    }
}
