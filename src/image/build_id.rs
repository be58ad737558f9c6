//! The build id: the name that the linker gives to exactly one build.

use std::fmt;
use std::path::{Path, PathBuf};

/// The build id of an ELF file (the note `NT_GNU_BUILD_ID`).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BuildId(Vec<u8>);

impl BuildId {
    /// Longest build id that is believed, in bytes. Linkers write 8 (fast), 16 (MD5), 20 (SHA-1) or 32 (SHA-256); the
    /// text form becomes a file name, of which most file systems allow 255 characters.
    const LONGEST: usize = 64;

    /// The build id with these bytes, or `None` if no linker writes one of this length.
    pub fn new(bytes: &[u8]) -> Option<BuildId> {
        (2..=BuildId::LONGEST)
            .contains(&bytes.len())
            .then(|| BuildId(bytes.to_owned()))
    }

    /// Where debug files with this build id lie below a debug directory: `DIRECTORY/.build-id/xx/yyyy.debug`.
    pub fn debug_file(&self, directory: &Path) -> PathBuf {
        let text = self.to_string();
        let (first, rest) = text.split_at(text.len().min(2));
        directory
            .join(".build-id")
            .join(first)
            .join(format!("{rest}.debug"))
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_debug_file() {
        let id = BuildId::new(&[0xd4, 0x1a, 0x0c]).unwrap();
        assert_eq!(id.to_string(), "d41a0c");
        assert_eq!(
            id.debug_file(Path::new("/debug")),
            Path::new("/debug/.build-id/d4/1a0c.debug")
        );
    }

    #[test]
    fn refuses_lengths_that_no_linker_writes() {
        assert_eq!(BuildId::new(&[]), None);
        assert_eq!(BuildId::new(&[1]), None);
        assert_eq!(BuildId::new(&[1; 65]), None);
    }
}
