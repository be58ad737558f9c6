//! Structures with offsets that the description chooses.

use super::text::{Block, Line};
use cpyjit::layout::{Layouts, Provenance};
use cpyjit::shape::{Bits, Field, Shape};
use std::collections::BTreeMap;

/// A member: offset and size in bytes, and for a bit-field the lowest bit and the number of bits.
#[derive(Clone, Debug)]
struct Member {
    offset: usize,
    size: usize,
    bits: Option<(u8, u8)>,
    element: Option<u64>,
    signed: bool,
}

#[derive(Clone, Debug, Default)]
struct Structure {
    size: u64,
    members: BTreeMap<String, Member>,
}

/// All structures of one target, by name.
#[derive(Clone, Debug, Default)]
pub struct Structures {
    all: BTreeMap<String, Structure>,
}

impl Structures {
    /// `struct NAME SIZE` with items `MEMBER @OFFSET SIZE [signed] [bits=LOW:COUNT] [element=SIZE]`.
    pub fn describe(&mut self, block: &Block) {
        let head = &block.head;
        let structure = Structure {
            size: head.parsed(head.word(2)),
            members: block.items.iter().map(member).collect(),
        };
        self.all.insert(head.word(1).to_owned(), structure);
    }

    /// Takes a structure, or a member of one, away again.
    pub fn forget(&mut self, name: &str, member: Option<&str>) {
        match member {
            None => {
                self.all.remove(name);
            }
            Some(member) => {
                let members = self.all.get_mut(name).map(|found| &mut found.members);
                members.and_then(|members| members.remove(member));
            }
        }
    }

    pub fn size(&self, name: &str) -> u64 {
        self.structure(name).size
    }

    pub fn offset(&self, name: &str, member: &str) -> u64 {
        self.member(name, member).offset as u64
    }

    pub fn has(&self, name: &str, member: &str) -> bool {
        self.all
            .get(name)
            .is_some_and(|found| found.members.contains_key(member))
    }

    /// Writes a value into a member of a structure that begins with these bytes.
    pub fn set(&self, bytes: &mut [u8], name: &str, member: &str, value: u64) {
        let member = self.member(name, member);
        let place = &mut bytes[member.offset..member.offset + member.size];
        let mut word = [0; 8];
        word[..place.len()].copy_from_slice(place);
        let new = match member.bits {
            None => value,
            Some((low, count)) => {
                let mask = ((1 << count) - 1) << low;
                (u64::from_le_bytes(word) & !mask) | ((value << low) & mask)
            }
        };
        place.copy_from_slice(&new.to_le_bytes()[..place.len()]);
    }

    /// The same if this target's structure has such a member.
    pub fn set_if_there(&self, bytes: &mut [u8], name: &str, member: &str, value: u64) {
        if self.has(name, member) {
            self.set(bytes, name, member, value);
        }
    }

    /// Sets a bit of an array member.
    pub fn set_bit(&self, bytes: &mut [u8], name: &str, member: &str, bit: usize) {
        let member = self.member(name, member);
        assert!(bit / 8 < member.size, "{name} has no bit {bit}");
        bytes[member.offset + bit / 8] |= 1 << (bit % 8);
    }

    /// In the library's words.
    pub fn layouts(&self) -> Layouts {
        let mut layouts = Layouts::default();
        for (name, structure) in &self.all {
            let mut fields: Vec<Field> = structure.members.iter().map(field).collect();
            fields.sort_by_key(|field| field.offset);
            let shape = Shape {
                name: name.clone(),
                size: structure.size,
                fields,
            };
            layouts.add(shape, Provenance::Derived("the case file"));
        }
        layouts
    }

    fn structure(&self, name: &str) -> &Structure {
        match self.all.get(name) {
            Some(found) => found,
            None => panic!("no struct {name} is described"),
        }
    }

    fn member(&self, name: &str, member: &str) -> &Member {
        match self.structure(name).members.get(member) {
            Some(found) => found,
            None => panic!("struct {name} is described without {member}"),
        }
    }
}

fn member(line: &Line) -> (String, Member) {
    let offset = line.word(1).trim_start_matches('@');
    let bits = line.value("bits").and_then(|text| text.split_once(':'));
    let small = |text: &str| line.parsed(text) as u8;
    let member = Member {
        offset: line.parsed(offset) as usize,
        size: line.parsed(line.word(2)) as usize,
        bits: bits.map(|(low, count)| (small(low), small(count))),
        element: line.value("element").map(|text| line.parsed(text)),
        signed: line.has("signed"),
    };
    (line.word(0).to_owned(), member)
}

fn field((name, member): (&String, &Member)) -> Field {
    Field {
        name: name.clone(),
        offset: member.offset as u64,
        size: member.size as u64,
        bits: member.bits.map(|(shift, width)| Bits { shift, width }),
        element: member.element,
        signed: member.signed,
    }
}
