//! What a type occupies: its size, its sign, and the structure it is, through typedefs, qualifiers and arrays.

use super::die::Die;
use super::dies::Dies;
use super::trouble::Trouble;
use gimli::constants as dw;

/// How many typedefs, qualifiers and array types may stand between a member and the type itself. CPython has up to 5
/// (`typedef` of `volatile` of `_Atomic` of …); the limit ends a cycle.
const LONGEST_CHAIN: usize = 64;

/// What a type occupies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Storage {
    /// Bytes; 0 for a flexible array and for what has no size.
    pub(super) size: u64,
    /// Of an array, the size of one (innermost) element in bytes.
    pub(super) element: Option<u64>,
    /// Whether the value, or the element of an array, is a signed integer.
    pub(super) signed: bool,
    /// Where the structure or union is defined, if the type is one.
    pub(super) aggregate: Option<usize>,
}

/// What the type at this offset occupies.
pub(super) fn storage(dies: &mut Dies<'_>, type_at: Option<usize>) -> Result<Storage, Trouble> {
    let mut next = type_at;
    let mut elements: Option<u64> = None;
    for _ in 0..LONGEST_CHAIN {
        let Some(at) = next else {
            return Ok(Storage::default());
        };
        let die = dies.die(at)?;
        match die.tag {
            dw::DW_TAG_array_type => {
                let count = elements.unwrap_or(1).checked_mul(elements_of(dies, at)?);
                elements = Some(count.ok_or(Trouble::Limit("an array that is too large"))?);
                next = die.type_at?;
            }
            dw::DW_TAG_typedef
            | dw::DW_TAG_const_type
            | dw::DW_TAG_volatile_type
            | dw::DW_TAG_restrict_type
            | dw::DW_TAG_atomic_type => next = die.type_at?,
            // An enum is stored as its underlying integer, if the compiler names that.
            dw::DW_TAG_enumeration_type if die.type_at != Ok(None) => next = die.type_at?,
            _ => return repeated(plain(dies, &die, at)?, elements),
        }
    }
    Err(Trouble::Limit("a chain of types that does not end"))
}

/// What a type occupies that is neither array nor another name of a type.
fn plain(dies: &mut Dies<'_>, die: &Die<'_>, at: usize) -> Result<Storage, Trouble> {
    let pointer = matches!(
        die.tag,
        dw::DW_TAG_pointer_type | dw::DW_TAG_reference_type | dw::DW_TAG_rvalue_reference_type
    );
    let size = match die.byte_size {
        Some(size) => size,
        None if pointer => dies.unit_of(at)?.pointer_size(),
        None => 0,
    };
    let signed = [dw::DW_ATE_signed, dw::DW_ATE_signed_char].map(|encoding| u64::from(encoding.0));
    Ok(Storage {
        size,
        element: None,
        signed: die
            .encoding
            .is_some_and(|encoding| signed.contains(&encoding)),
        aggregate: (die.is_aggregate() && !die.is_declaration).then_some(at),
    })
}

/// How many elements an array has, over all its dimensions; 0 if one of them is open.
fn elements_of(dies: &mut Dies<'_>, array: usize) -> Result<u64, Trouble> {
    let mut count: Option<u64> = None;
    for dimension in dies.children(array)? {
        if dimension.tag == dw::DW_TAG_subrange_type {
            let product = count.unwrap_or(1).checked_mul(dimension.count.unwrap_or(0));
            count = Some(product.ok_or(Trouble::Limit("an array that is too large"))?);
        }
    }
    Ok(count.unwrap_or(0))
}

fn repeated(element: Storage, elements: Option<u64>) -> Result<Storage, Trouble> {
    let Some(elements) = elements else {
        return Ok(element);
    };
    let size = element.size.checked_mul(elements);
    Ok(Storage {
        size: size.ok_or(Trouble::Limit("an array that is too large"))?,
        element: Some(element.size),
        signed: element.signed,
        // The members of an element are no fields of the structure that has the array.
        aggregate: None,
    })
}
