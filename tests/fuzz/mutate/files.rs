//! A worker's own copies of the files, damaged in place and mended.

use memmap2::Mmap;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes to be written over those at an offset.
#[derive(Clone, Debug)]
pub struct Edit {
    pub offset: usize,
    pub bytes: Vec<u8>,
}

/// A copy of a file, and the file as it was.
pub struct Copy {
    pub path: PathBuf,
    file: File,
    whole: Mmap,
}

impl Copy {
    /// Copies `original` to `path`.
    pub fn new(original: &Path, path: PathBuf) -> Result<Copy, String> {
        let told = |error: std::io::Error| format!("{}: {error}", original.display());
        fs::copy(original, &path).map_err(told)?;
        let file = OpenOptions::new().write(true).open(&path).map_err(told)?;
        // SAFETY: nobody changes the originals while this program runs.
        let whole = unsafe { Mmap::map(&File::open(original).map_err(told)?) }.map_err(told)?;
        Ok(Copy { path, file, whole })
    }

    /// The file as it was.
    pub fn whole(&self) -> &[u8] {
        &self.whole
    }

    pub fn damage(&self, edits: &[Edit], length: Option<usize>) {
        for edit in edits {
            let rest = self.whole.len().saturating_sub(edit.offset);
            let bytes = &edit.bytes[..edit.bytes.len().min(rest)];
            self.file.write_all_at(bytes, edit.offset as u64).unwrap();
        }
        if let Some(length) = length {
            self.file.set_len(length as u64).unwrap();
        }
    }

    pub fn mend(&self, edits: &[Edit], length: Option<usize>) {
        for edit in edits {
            let end = (edit.offset + edit.bytes.len()).min(self.whole.len());
            self.write(edit.offset.min(end)..end);
        }
        if let Some(length) = length {
            self.write(length..self.whole.len());
        }
    }

    fn write(&self, range: std::ops::Range<usize>) {
        let start = range.start as u64;
        self.file.write_all_at(&self.whole[range], start).unwrap();
    }
}
