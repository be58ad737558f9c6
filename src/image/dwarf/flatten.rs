//! The fields of a structure, through nested structures, under dotted names.

use super::bit_field::bit_field;
use super::dies::Dies;
use super::storage::{Storage, storage};
use super::trouble::Trouble;
use crate::shape::{Field, Shape};
use gimli::constants as dw;
use std::collections::VecDeque;

/// How many named steps a field may have. What is read of CPython needs three (`vm_data.links.next`); all of
/// `_PyRuntimeState`, which has a `PyInterpreterState` in it, would be tens of thousands of fields.
const MOST_STEPS: usize = 4;

/// How many structures may be nested without a name. CPython nests two; the limit ends a cycle.
const DEEPEST: usize = 16;

/// How many fields a shape may have. The largest of CPython (`_PyRuntimeState`) has about 5,000.
const MOST_FIELDS: usize = 32_768;

/// Where the fields of a nested structure go.
struct Nested {
    at: usize,
    /// The dotted name up to here, with the dot at its end.
    prefix: String,
    offset: u64,
    steps: usize,
    depth: usize,
}

/// The shape of the structure that is defined at this offset.
pub(super) fn shape(dies: &mut Dies<'_>, at: usize, name: &str) -> Result<Shape, Trouble> {
    let outermost = Nested {
        at,
        prefix: String::new(),
        offset: 0,
        steps: 0,
        depth: 0,
    };
    let mut fields = Vec::new();
    // First in, first out: when a limit cuts something off, it is the deepest.
    let mut waiting = VecDeque::from([outermost]);
    while let Some(nested) = waiting.pop_front() {
        members(dies, &nested, &mut fields, &mut waiting)?;
        if fields.len().saturating_add(waiting.len()) > MOST_FIELDS {
            return Err(Trouble::Limit("a structure with too many fields"));
        }
    }
    fields.sort_by_key(|field| field.offset);
    Ok(Shape {
        name: name.to_owned(),
        size: dies.die(at)?.byte_size.unwrap_or(0),
        fields,
    })
}

/// Adds the members of one structure, and the structures among them to those that wait.
fn members(
    dies: &mut Dies<'_>,
    nested: &Nested,
    fields: &mut Vec<Field>,
    waiting: &mut VecDeque<Nested>,
) -> Result<(), Trouble> {
    let whole = dies.die(nested.at)?.byte_size.unwrap_or(0);
    for member in dies.children(nested.at)? {
        if member.tag != dw::DW_TAG_member || member.is_declaration {
            continue;
        }
        let storage = storage(dies, member.type_at.clone()?)?;
        let bits = bit_field(&member, storage.size, whole);
        let offset = (nested.offset)
            .checked_add(bits.map_or(member.member_offset.unwrap_or(0), |bits| bits.offset))
            .ok_or(Trouble::Limit("a member past the end of memory"))?;
        let name = member.name.map(String::from_utf8_lossy);
        if let Some(name) = &name {
            fields.push(Field {
                name: format!("{}{name}", nested.prefix),
                offset,
                size: bits.map_or(storage.size, |bits| bits.size),
                bits: bits.map(|bits| bits.bits),
                element: storage.element,
                signed: storage.signed,
            });
        }
        waiting.extend(inside(nested, &storage, name.as_deref(), offset));
    }
    Ok(())
}

/// The structure that a member is, unless it lies too deep.
fn inside(nested: &Nested, storage: &Storage, name: Option<&str>, offset: u64) -> Option<Nested> {
    let steps = nested.steps.checked_add(usize::from(name.is_some()))?;
    let depth = nested.depth.checked_add(1)?;
    let at = storage
        .aggregate
        .filter(|_| steps < MOST_STEPS && depth < DEEPEST)?;
    Some(Nested {
        at,
        prefix: match name {
            Some(name) => format!("{}{name}.", nested.prefix),
            None => nested.prefix.clone(),
        },
        offset,
        steps,
        depth,
    })
}
