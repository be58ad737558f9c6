//! What was found out about a build, kept on disk for the next time: a build never changes.

use super::build_id::BuildId;
use super::shape_set::ShapeSet;
use super::symbols::Symbol;
use crate::address::Range;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Changed whenever an older reader would misunderstand a file, or an older file was written by a reader with a bug.
const FORMAT: &str = "cpyjit image 2";

/// Largest cache file that is read, in bytes. One with all shapes of a CPython has below 2 MB.
const LARGEST: u64 = 64 << 20;

/// Keeps the names of unfinished files apart within this process.
static UNFINISHED: AtomicU32 = AtomicU32::new(0);

/// The directory of the cache, or none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cache {
    directory: Option<PathBuf>,
}

impl Cache {
    /// What the user's environment says: `CPYJIT_CACHE` (a directory, or `off`), else `cpyjit` below `XDG_CACHE_HOME`,
    /// else below `~/.cache`; no cache without any of them.
    pub fn from_environment() -> Cache {
        Cache::from_variables(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Cache {
        // The XDG base directory specification: a relative path is to be ignored.
        let absolute = |name| {
            variable(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let directory = match variable("CPYJIT_CACHE") {
            Some(off) if off == "off" => None,
            Some(directory) => Some(PathBuf::from(directory)),
            None => absolute("XDG_CACHE_HOME")
                .or_else(|| Some(absolute("HOME")?.join(".cache")))
                .map(|caches| caches.join("cpyjit")),
        };
        Cache { directory }
    }

    /// A cache in this directory, which is made when it is needed.
    pub fn at(directory: &Path) -> Cache {
        Cache {
            directory: Some(directory.to_owned()),
        }
    }

    /// No cache.
    pub fn off() -> Cache {
        Cache { directory: None }
    }

    /// The file for a build, if there is a cache.
    pub(super) fn file(&self, id: &BuildId) -> Option<PathBuf> {
        Some(self.directory.as_ref()?.join(format!("{id}.json")))
    }
}

/// Which files the facts were taken from. The build id alone does not tell a stripped file from a whole one.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Origin {
    pub(super) build_id: String,
    /// Bytes.
    pub(super) image_size: u64,
    /// Bytes; `None` without a debug file.
    pub(super) debug_size: Option<u64>,
}

/// All that is known of a build. A name that was never asked for is in no list.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) origin: Origin,
    pub(super) symbols: BTreeMap<String, Option<Symbol>>,
    pub(super) shapes: ShapeSet,
    /// By the rules of the scan.
    pub(super) scanned: Option<(String, Scanned)>,
}

/// What a scan found in a file: tables without a symbol.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Scanned {
    /// Where tables are, at the addresses of the file, and their sizes in bytes.
    pub found: BTreeMap<String, Range>,
    /// Why others were not found, for people.
    pub reasons: BTreeMap<String, String>,
}

impl Record {
    pub(super) fn new(origin: Origin) -> Record {
        Record {
            origin,
            ..Record::default()
        }
    }
}

/// The record in a cache file if it has the same origin; an error says what is wrong with the file.
pub(super) fn load(path: &Path, origin: &Origin) -> Result<Option<Record>, String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let mut bytes = Vec::new();
    (file.take(LARGEST).read_to_end(&mut bytes)).map_err(|error| error.to_string())?;
    let record = decode(&bytes)?;
    Ok(Some(record).filter(|record| record.origin == *origin))
}

/// Writes a record so that nobody ever sees half of it.
pub(super) fn store(path: &Path, record: &Record) -> Result<(), String> {
    let bytes = encode(record)?;
    let number = UNFINISHED.fetch_add(1, Ordering::Relaxed);
    let unfinished = path.with_extension(format!("{}-{number}.tmp", std::process::id()));
    let outcome = write(&unfinished, &bytes).and_then(|()| fs::rename(&unfinished, path));
    outcome.map_err(|error| {
        // It may never have been there; the first error is the one to tell.
        let _ = fs::remove_file(&unfinished);
        error.to_string()
    })
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(directory) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)
}

/// A first line with format and checksum, then JSON.
fn encode(record: &Record) -> Result<Vec<u8>, String> {
    let content = serde_json::to_vec(record).map_err(|error| error.to_string())?;
    let mut bytes = format!("{FORMAT} {:08x}\n", checksum(&content)).into_bytes();
    bytes.extend(content);
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<Record, String> {
    let end = memchr::memchr(b'\n', bytes).ok_or("it is no cache file")?;
    let (line, rest) = bytes.split_at_checked(end).ok_or("it is no cache file")?;
    let content = rest.get(1..).unwrap_or_default();
    let expected = (line.strip_prefix(FORMAT.as_bytes()))
        .and_then(|sum| sum.strip_prefix(b" "))
        .ok_or("another version wrote it")?;
    if expected != format!("{:08x}", checksum(content)).as_bytes() {
        return Err("it is damaged: its checksum is wrong".to_owned());
    }
    serde_json::from_slice(content).map_err(|error| format!("it is damaged: {error}"))
}

fn checksum(content: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(content);
    sum.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(variables: &[(&str, &str)]) -> Option<PathBuf> {
        Cache::from_variables(|name| {
            let (_, value) = variables.iter().find(|(other, _)| *other == name)?;
            Some(value.into())
        })
        .directory
    }

    #[test]
    fn the_environment_says_where() {
        let home = ("HOME", "/home/a");
        let xdg = ("XDG_CACHE_HOME", "/caches");
        assert_eq!(cache(&[home]), Some("/home/a/.cache/cpyjit".into()));
        assert_eq!(cache(&[home, xdg]), Some("/caches/cpyjit".into()));
        assert_eq!(cache(&[home, ("XDG_CACHE_HOME", "caches")]), cache(&[home]));
        assert_eq!(
            cache(&[home, xdg, ("CPYJIT_CACHE", "/c")]),
            Some("/c".into())
        );
        assert_eq!(cache(&[home, xdg, ("CPYJIT_CACHE", "off")]), None);
        assert_eq!(cache(&[]), None);
    }

    fn record() -> Record {
        let mut record = Record::new(Origin {
            build_id: "d41a".to_owned(),
            image_size: 1,
            debug_size: Some(2),
        });
        record.symbols.insert("shim".to_owned(), None);
        record
    }

    #[test]
    fn what_is_stored_is_loaded() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("below/d41a.json");
        let record = record();
        store(&path, &record).unwrap();
        assert_eq!(load(&path, &record.origin), Ok(Some(record)));
        let files: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(files.len(), 1);
    }

    #[test]
    fn a_record_of_another_origin_is_no_answer() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("d41a.json");
        store(&path, &record()).unwrap();
        let without_debug_file = Origin {
            debug_size: None,
            ..record().origin
        };
        assert_eq!(load(&path, &without_debug_file), Ok(None));
        assert_eq!(
            load(&directory.path().join("other"), &record().origin),
            Ok(None)
        );
    }

    #[test]
    fn damage_is_noticed_wherever_it_is() {
        let whole = encode(&record()).unwrap();
        assert_eq!(decode(&whole), Ok(record()));
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            assert!(decode(&damaged).is_err(), "byte {place}");
            assert!(decode(&whole[..place]).is_err(), "first {place} bytes");
        }
    }

    #[test]
    fn another_version_is_no_damage() {
        let reason = decode(b"cpyjit image 0 00000000\n{}").unwrap_err();
        assert_eq!(reason, "another version wrote it");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let in_the_way = directory.path().join("file");
        fs::write(&in_the_way, "").unwrap();
        assert!(store(&in_the_way.join("d41a.json"), &record()).is_err());
        assert!(load(&in_the_way.join("d41a.json"), &record().origin).is_err());
    }
}
