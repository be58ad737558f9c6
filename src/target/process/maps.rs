//! `/proc/PID`: what the kernel tells of a process.

use crate::address::{Address, Range};
use crate::target::FileMapping;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Longest file of `/proc` that is read, in bytes: 65,530 mappings with long names have less.
const LONGEST: u64 = 64 << 20;

/// More threads than any process that can be debugged has.
const MOST_THREADS: usize = 1 << 16;

/// `AT_ENTRY`: where the executable begins to run.
const AT_ENTRY: u64 = 9;

/// The files that are mapped, by address.
pub(super) fn mappings(directory: &Path) -> io::Result<Vec<FileMapping>> {
    let text = read(&directory.join("maps"))?;
    let lines = text.split(|byte| *byte == b'\n');
    Ok(lines.filter_map(mapping).collect())
}

/// `55d0-55e0 r-xp 00002000 08:01 1234   /usr/bin/python3.15`
fn mapping(line: &[u8]) -> Option<FileMapping> {
    let slash = line.iter().position(|byte| *byte == b'/')?;
    let (fields, path) = line.split_at_checked(slash)?;
    let mut fields = std::str::from_utf8(fields).ok()?.split_ascii_whitespace();
    let hexadecimal = |text: &str| u64::from_str_radix(text, 16).ok();
    let (start, end) = fields.next()?.split_once('-')?;
    let (start, end) = (hexadecimal(start)?, hexadecimal(end)?);
    Some(FileMapping {
        range: Range::new(Address(start), end.checked_sub(start)?),
        offset: fields.nth(1).and_then(hexadecimal)?,
        path: PathBuf::from(OsStr::from_bytes(path)),
    })
}

/// Where the executable begins to run.
pub(super) fn entry(directory: &Path) -> Option<Address> {
    let vector = read(&directory.join("auxv")).ok()?;
    let words = vector
        .as_chunks::<8>()
        .0
        .iter()
        .map(|word| u64::from_le_bytes(*word));
    let values = words.clone().skip(1).step_by(2);
    let mut entries = words.step_by(2).zip(values);
    entries
        .find(|(key, _)| *key == AT_ENTRY)
        .map(|(_, value)| Address(value))
}

/// The ids of the threads.
pub(super) fn threads(directory: &Path) -> io::Result<Vec<u64>> {
    let entries = std::fs::read_dir(directory.join("task"))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let mut threads: Vec<u64> = names.take(MOST_THREADS).collect();
    threads.sort_unstable();
    Ok(threads)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_of_maps() {
        let line = b"7f00-8000 r-xp 00002000 08:01 1234     /opt/my python/bin (deleted)";
        let found = mapping(line).unwrap();
        assert_eq!(found.range, Range::new(Address(0x7f00), 0x100));
        assert_eq!(found.offset, 0x2000);
        assert_eq!(found.path, Path::new("/opt/my python/bin (deleted)"));
        assert_eq!(
            mapping(b"7f00-8000 rw-p 00000000 00:00 0      [heap]"),
            None
        );
        assert_eq!(mapping(b"/"), None);
        assert_eq!(mapping(b"9-8 r 0 0 0 /x"), None);
    }

    #[test]
    fn knows_this_process() {
        let here = Path::new("/proc/self");
        assert!(threads(here).unwrap().contains(&std::process::id().into()));
        let executable = std::env::current_exe().unwrap();
        let mappings = mappings(here).unwrap();
        let entry = entry(here).unwrap();
        let main = mappings
            .iter()
            .find(|mapping| mapping.range.contains(entry))
            .unwrap();
        assert_eq!(main.path, executable);
    }
}
