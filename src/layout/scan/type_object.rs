//! Type objects, by name and size of instances.

use super::only;
use crate::address::{Address, Range};
use crate::error::Error;
use crate::image::Content;
use crate::layout::Layouts;

/// A type object with a field behind which its instances go on: `tp_basicsize` is the offset of that.
pub(super) struct Type {
    /// `tp_name`.
    pub(super) name: &'static str,
    pub(super) shape: &'static str,
    pub(super) tail: &'static str,
}

/// `_PyUOpExecutor_Type` (`Python/optimizer.c`).
pub(super) const EXECUTOR: Type = Type {
    name: "uop_executor",
    shape: "_PyExecutorObject",
    tail: "exits",
};

/// `PyCode_Type` (`Objects/codeobject.c`).
pub(super) const CODE: Type = Type {
    name: "code",
    shape: "PyCodeObject",
    tail: "co_code_adaptive",
};

/// The only one that fits. A pointer to the name alone is not enough: in a library, the relocation table has another.
pub(super) fn find(
    content: &Content<'_>,
    layouts: &Layouts,
    wanted: &Type,
) -> Result<Range, String> {
    candidates(content, layouts, wanted)
        .map_err(|error| error.to_string())
        .and_then(|places| only(places, &format!("type {}", wanted.name)))
}

fn candidates(
    content: &Content<'_>,
    layouts: &Layouts,
    wanted: &Type,
) -> Result<Vec<Range>, Error> {
    let shape = layouts.shape("PyTypeObject")?;
    let name = shape.field("tp_name")?.offset;
    let basic_size = shape.field("tp_basicsize")?.offset;
    let expected = Address(layouts.shape(wanted.shape)?.field(wanted.tail)?.offset);
    let is_named = |start: &Address| {
        let name = content.pointer(start.wrapping_add(name));
        let text = name.and_then(|name| content.c_string(name, wanted.name.len() + 1));
        text == Some(wanted.name.as_bytes())
    };
    let in_one_piece = |start: &Address| content.from(*start).len() as u64 > basic_size;
    Ok((content.pieces().iter())
        .flat_map(|piece| piece.words())
        .filter(|(_, word)| *word == expected)
        .filter_map(|(place, _)| super::before(place, basic_size))
        .filter(|start| in_one_piece(start) && is_named(start))
        .map(|start| Range::new(start, shape.size))
        .collect())
}
