//! `stencil_groups`: an array with an emitter and sizes for each uop (the generated `jit_stencils.h`).

use super::only;
use crate::address::{Address, Range};
use crate::image::{Content, Piece};
use crate::layout::Layouts;
use crate::shape::{Field, Shape};

/// Larger than what is emitted for any uop: debug builds come to some kilobytes.
const LARGEST_STENCIL: u64 = 1 << 16;

/// So many places where those uops have entries are looked at as a whole; CPythons have one.
const MOST_PLACES: usize = 256;

/// Uops that every JIT has a stencil for; with registers, in the variant without any.
const ALWAYS_THERE: [&str; 5] = [
    "_EXIT_TRACE",
    "_SET_IP",
    "_DEOPT",
    "_START_EXECUTOR",
    "_FATAL_ERROR",
];

/// The table whose used entries all have a name in `names`.
pub(super) fn stencil_groups(
    content: &Content<'_>,
    layouts: &Layouts,
    names: &[Option<&str>],
) -> Result<Range, String> {
    let signature = Signature::new(content, layouts, names)?;
    let places = (content.pieces().iter())
        .flat_map(|piece| signature.places(piece))
        .filter(|start| signature.has_used(content.from(*start)))
        .take(MOST_PLACES)
        .filter(|start| signature.fits(content.from(*start)));
    let start = only(
        places.collect(),
        "table of stencils that fits the uop names",
    )?;
    Ok(Range::new(start, signature.length()))
}

struct Signature<'c> {
    content: &'c Content<'c>,
    names: &'c [Option<&'c str>],
    /// Entries that are surely used.
    used: Vec<usize>,
    /// Of one entry, in bytes.
    stride: usize,
    emit: &'c Field,
    sizes: [&'c Field; 2],
}

impl<'c> Signature<'c> {
    fn new(
        content: &'c Content<'c>,
        layouts: &'c Layouts,
        names: &'c [Option<&'c str>],
    ) -> Result<Signature<'c>, String> {
        let shape: &Shape = layouts
            .find("StencilGroup")
            .ok_or("the layout of StencilGroup is not known")?;
        let field = |name| shape.field(name).map_err(|error| error.to_string());
        let used: Vec<usize> = (ALWAYS_THERE.iter())
            .filter_map(|name| index_of(names, name))
            .collect();
        let stride = usize::try_from(shape.size).unwrap_or(0);
        match used.len() == ALWAYS_THERE.len() && stride != 0 {
            true => Ok(Signature {
                content,
                names,
                used,
                stride,
                emit: field("emit")?,
                sizes: [field("code_size")?, field("data_size")?],
            }),
            false => Err("uops that every JIT has are not among the uop names".to_owned()),
        }
    }

    /// The size of the table in bytes.
    fn length(&self) -> u64 {
        u64::try_from(self.names.len().saturating_mul(self.stride)).unwrap_or(0)
    }

    /// Where the table could begin if one of the words of a segment is the emitter of the first used entry.
    fn places<'p>(&'p self, piece: &'p Piece<'_>) -> impl Iterator<Item = Address> + 'p {
        let code = self.content.code();
        let first = self.used.first().copied().unwrap_or(0);
        let before = u64::try_from(first.saturating_mul(self.stride))
            .unwrap_or(u64::MAX)
            .saturating_add(self.emit.offset);
        (piece.words())
            .filter(move |(_, word)| code.contains(*word))
            .filter_map(move |(place, _)| super::before(place, before))
    }

    /// Whether the entries are used that must be.
    fn has_used(&self, table: &[u8]) -> bool {
        let entry = |index: &usize| {
            let start = index.saturating_mul(self.stride);
            table.get(start..start.saturating_add(self.stride))
        };
        (self.used.iter()).all(|index| entry(index).is_some_and(|entry| self.is_used(entry)))
    }

    /// Whether each entry is either unused or has a name.
    fn fits(&self, table: &[u8]) -> bool {
        let entries = table.chunks_exact(self.stride.max(1));
        entries.len() >= self.names.len()
            && (self.names.iter().zip(entries))
                .all(|(name, entry)| self.is_unused(entry) || name.is_some() && self.is_used(entry))
    }

    fn is_used(&self, entry: &[u8]) -> bool {
        let emit = self.emit.unsigned(entry).map(Address);
        emit.is_some_and(|emit| !emit.is_null() && self.content.is_executable(emit))
            && (self.sizes.iter())
                .all(|size| size.unsigned(entry).is_some_and(|n| n < LARGEST_STENCIL))
    }

    fn is_unused(&self, entry: &[u8]) -> bool {
        entry.iter().all(|byte| *byte == 0)
    }
}

fn index_of(names: &[Option<&str>], uop: &str) -> Option<usize> {
    let variant = format!("{uop}_r00");
    [variant.as_str(), uop]
        .iter()
        .find_map(|wanted| names.iter().position(|name| *name == Some(*wanted)))
}
