//! Names of functions and variables of the target.

use crate::address::Address;
use crate::image::Image;
use crate::layout::Symbols;
use crate::listing::note::{Facts, Note, NoteKind};
use std::sync::Arc;

/// The symbols of the CPython in the target.
#[derive(Clone, Copy)]
pub struct SymbolNames<'t> {
    /// The file that contains it, and how far from its own addresses it was loaded.
    pub image: Option<(&'t Image, u64)>,
    /// The symbols that are known without it.
    pub known: &'t Symbols,
}

impl SymbolNames<'_> {
    /// The symbol that an address lies in, and bytes from its start.
    pub fn nearest(&self, address: Address) -> Option<(Arc<str>, u64)> {
        if let Some((image, bias)) = self.image {
            let in_file = Address(address.0.wrapping_sub(bias));
            let found = image.nearest(in_file)?;
            return Some((without_suffix(found.name).into(), found.offset));
        }
        let mut known = self.known.iter();
        let found = known.find(|(_, symbol)| symbol.address == address);
        found.map(|(name, _)| (name.into(), 0))
    }

    /// A call of the function at an address.
    pub fn call(&self, target: Address) -> Option<Note> {
        let (symbol, offset) = self.nearest(target)?;
        let text: Arc<str> = match offset {
            0 => symbol.clone(),
            _ => format!("{symbol}+{offset}").into(),
        };
        let facts = Facts::Call {
            target,
            symbol: Some(symbol),
            offset,
        };
        Some(Note::new(NoteKind::Call, text, facts))
    }
}

/// Link-time optimisers number what they had to make visible.
fn without_suffix(name: &str) -> &str {
    name.split_once(".lto_priv").map_or(name, |(name, _)| name)
}
