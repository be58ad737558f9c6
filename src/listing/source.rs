//! The text of source lines, as far as the files can be read where the debugger runs.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// Larger files are no source of a person.
const LARGEST_FILE: u64 = 16 << 20;

/// Source files, each read once.
#[derive(Default)]
pub struct SourceFiles {
    files: RefCell<HashMap<String, Option<Arc<SourceFile>>>>,
}

/// A source file.
pub struct SourceFile {
    lines: Vec<String>,
    /// When it was last changed.
    pub changed: Option<SystemTime>,
}

impl SourceFiles {
    /// The text of a line without what surrounds it; `None` if the file or the line is not there.
    pub fn line(&self, filename: &str, line: i32) -> Option<String> {
        self.file(filename)?.line(line).map(ToOwned::to_owned)
    }

    /// Takes `text` for the file of this name: what was typed at a prompt is in no file.
    pub fn give(&self, filename: &str, text: &str) {
        let file = Arc::new(SourceFile::of(text, None));
        self.files
            .borrow_mut()
            .insert(filename.to_owned(), Some(file));
    }

    /// The file of this name; `None` if it cannot be read.
    pub fn file(&self, filename: &str) -> Option<Arc<SourceFile>> {
        let mut files = self.files.borrow_mut();
        let file = files
            .entry(filename.to_owned())
            .or_insert_with(|| read(Path::new(filename)).map(Arc::new));
        file.clone()
    }
}

impl SourceFile {
    fn of(text: &str, changed: Option<SystemTime>) -> SourceFile {
        let lines = text.lines().map(|line| line.trim_end().to_owned());
        SourceFile {
            lines: lines.collect(),
            changed,
        }
    }

    /// The text of a line without blanks at its end.
    pub fn line(&self, line: i32) -> Option<&str> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        self.lines.get(index).map(String::as_str)
    }
}

/// Regular files only: a name from the target may lead to a device or a pipe.
fn read(path: &Path) -> Option<SourceFile> {
    let facts = std::fs::metadata(path).ok()?;
    if !facts.is_file() || facts.len() > LARGEST_FILE {
        return None;
    }
    let bytes = std::fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    Some(SourceFile::of(&text, facts.modified().ok()))
}
