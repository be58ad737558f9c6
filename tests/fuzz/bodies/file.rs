//! The bytes as a file, for what opens files.

use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

thread_local! {
    /// The file of this thread; in memory, if the system has a place for that.
    static FILE: NamedTempFile = {
        let memory = PathBuf::from("/dev/shm");
        let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
        NamedTempFile::new_in(place).unwrap()
    };
}

/// Calls `look` with a file of these bytes.
pub fn with_file(bytes: &[u8], look: impl FnOnce(&Path)) {
    FILE.with(|file| {
        std::fs::write(file.path(), bytes).unwrap();
        look(file.path());
    });
}
