//! The source files of a unit.

use super::ENCODING;
use gimli::LineEncoding;
use gimli::write::{FileId, LineProgram, LineString, Unit};
use std::collections::HashMap;

/// The files that a unit has named so far.
pub struct Files<'m> {
    /// The listing.
    pub listing: FileId,
    python: HashMap<&'m str, FileId>,
}

/// A unit whose first file is the listing, and its files.
pub fn unit<'m>(folder: &str, listing: &str) -> (Unit, Files<'m>) {
    let mut program = LineProgram::new(
        ENCODING,
        LineEncoding::default(),
        text(folder),
        None,
        text(listing),
        None,
    );
    let directory = program.default_directory();
    let listing = program.add_file(text(listing), directory, None);
    let files = Files {
        listing,
        python: HashMap::new(),
    };
    (Unit::new(ENCODING, program), files)
}

impl<'m> Files<'m> {
    /// A Python source file.
    pub fn python(&mut self, unit: &mut Unit, filename: &'m str) -> FileId {
        if let Some(known) = self.python.get(filename) {
            return *known;
        }
        let program = &mut unit.line_program;
        let (directory, name) = match filename.rsplit_once('/') {
            Some((directory, name)) if !name.is_empty() => {
                let root = if directory.is_empty() { "/" } else { directory };
                (program.add_directory(text(root)), name)
            }
            _ => (program.default_directory(), filename),
        };
        let id = program.add_file(text(name), directory, None);
        self.python.insert(filename, id);
        id
    }
}

/// Text of a table of DWARF, which may not be empty. Debuggers print it as it is: control characters of a damaged target
/// would reach the terminal, and a NUL would end it.
pub fn text(text: &str) -> LineString {
    LineString::String(clean(text))
}

/// The same as the value of an attribute.
pub fn clean(text: &str) -> Vec<u8> {
    if text.is_empty() {
        return b"?".to_vec();
    }
    if !text.contains(char::is_control) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character.is_control() {
            true => safe.extend(character.escape_default()),
            false => safe.push(character),
        }
    }
    safe.into()
}
