//! Variables and items of a stack in words.

use super::items::{Bits, Item, Items};
use crate::address::Address;
use crate::cpython::{Frame, Repr, Reprs, StackRef, VariableKind, Variables};
use crate::listing::{Hex, ItemRow, LocalRow, ValueRow};
use crate::session::Session;
use std::collections::HashSet;

/// `Py_TAG_REFCNT`.
const TAG: u64 = 1;

impl Session {
    /// The variables of a frame; `None` if they cannot be read.
    pub(super) fn locals(
        &self,
        frame: &Frame,
        variables: &Variables,
        reprs: &Reprs<'_>,
    ) -> Option<Vec<LocalRow>> {
        let slots = self
            .reader()
            .pointers(frame.localsplus, variables.count(), "local variables")
            .ok()?;
        let slots = (0..).zip(slots.iter().zip(&variables.all));
        let rows = slots.map(|(index, (bits, (name, kind)))| LocalRow {
            index,
            name: name.clone(),
            kind: kind.word(),
            value: value(reprs, bits.0),
            content: match kind {
                VariableKind::Local | VariableKind::Hidden => None,
                VariableKind::Cell | VariableKind::Free => content(reprs, bits.0),
            },
        });
        Some(rows.collect())
    }

    /// The items, the top first.
    pub(super) fn item_rows(
        &self,
        items: &Items,
        locals: Option<&[LocalRow]>,
        reprs: &Reprs<'_>,
    ) -> Vec<ItemRow> {
        let kept: HashSet<Address> = locals
            .unwrap_or_default()
            .iter()
            .filter_map(|local| local.value.object)
            .collect();
        let all = (0..).zip(&items.all);
        let mut rows: Vec<ItemRow> = all
            .map(|(index, item)| ItemRow {
                index,
                register: item.register,
                address: item.address,
                cached: item.cached,
                state: item.state.word(),
                value: self.item_value(item, &kept, reprs),
            })
            .collect();
        rows.reverse();
        rows
    }

    fn item_value(
        &self,
        item: &Item,
        kept: &HashSet<Address>,
        reprs: &Reprs<'_>,
    ) -> Option<ValueRow> {
        let (bits, is_whole) = match item.bits {
            Bits::At(address) => (self.reader().u64(address, "evaluation stack").ok()?, true),
            Bits::Are(bits, is_whole) => (bits, is_whole),
            Bits::Unknown => return None,
        };
        // What may have been freed is not looked at, unless it is static or a variable keeps it.
        let object = Address(bits & !TAG);
        let exists = !item.may_be_freed || kept.contains(&object) || self.is_static(object);
        Some(match (is_whole, exists) {
            (true, true) => value(reprs, bits),
            (true, false) => undescribed(bits),
            (false, exists) => {
                let repr = exists.then(|| reprs.of(object)).flatten();
                described(None, "reference", Some(object), repr)
            }
        })
    }

    /// Whether an object is a variable of CPython: these are never freed.
    fn is_static(&self, object: Address) -> bool {
        let program = self.program();
        program.is_ok_and(|program| program.contains(object))
    }
}

/// The content of a slot.
fn value(reprs: &Reprs<'_>, bits: u64) -> ValueRow {
    let mut row = undescribed(bits);
    if let StackRef::Owned(address) | StackRef::Borrowed(address) = StackRef::of_bits(bits)
        && let Some(repr) = reprs.of(address)
    {
        return described(row.bits, row.tag, row.object, Some(repr));
    }
    // A release build's pointer to a frame has no tag, that of a debug build has one that says it is no object.
    if let StackRef::Owned(address) | StackRef::Other(address) = StackRef::of_bits(bits)
        && let Some(function) = reprs.frame(address)
    {
        row.tag = "frame";
        row.object = None;
        row.repr = Some(format!("<frame of {function} at {address}>"));
    }
    row
}

fn undescribed(bits: u64) -> ValueRow {
    let (tag, object, repr) = match StackRef::of_bits(bits) {
        StackRef::Null => ("null", None, Some("NULL".to_owned())),
        StackRef::Int(number) => ("int", None, Some(number.to_string())),
        StackRef::Owned(address) => ("owned", Some(address), None),
        StackRef::Borrowed(address) => ("borrowed", Some(address), None),
        StackRef::Other(_) => ("other", None, None),
    };
    ValueRow {
        bits: Some(Hex(bits)),
        tag,
        object,
        kind: None,
        repr,
    }
}

fn described(
    bits: Option<Hex>,
    tag: &'static str,
    object: Option<Address>,
    repr: Option<Repr>,
) -> ValueRow {
    let (kind, repr) = repr.map(|repr| (repr.kind, repr.text)).unzip();
    ValueRow {
        bits,
        tag,
        object,
        kind,
        repr,
    }
}

/// What is in the cell that a slot refers to. An argument is put into its cell when the function begins.
fn content(reprs: &Reprs<'_>, bits: u64) -> Option<ValueRow> {
    let cell = StackRef::of_bits(bits).object()?;
    Some(match reprs.cell(cell)? {
        Some(object) => described(Some(Hex(object.0)), "owned", Some(object), reprs.of(object)),
        None => undescribed(0),
    })
}
