//! A copy of what `perf record` has written, with a record that the process has mapped a jitdump: `perf inject --jit` looks
//! for one there, and the process that was recorded knows nothing of the dump.
//!
//! The form is that of tools/perf/Documentation/perf.data-file-format.txt of Linux; records are those of
//! include/uapi/linux/perf_event.h. What is not understood is refused: `perf` would show something wrong.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8] = b"PERFILE2";
const HEADER_SIZE: u64 = 104;
/// The first of four words whose bits say which features stand behind the data.
const FEATURES: usize = 72;
const FEATURE_ENTRY: u64 = 16;
/// An event's description up to its clock (`PERF_ATTR_SIZE_VER2` and later), and one that would be no description.
const SHORTEST_ATTRIBUTE: u64 = 96;
const LONGEST_ATTRIBUTE: u64 = 1 << 12;
/// More events than anybody records.
const MOST_ATTRIBUTES: u64 = 1 << 10;

/// `sample_id_all` and `use_clockid` of `struct perf_event_attr`.
const SAMPLE_ID_ALL: u64 = 1 << 18;
const USE_CLOCKID: u64 = 1 << 25;
const CLOCK_MONOTONIC: u32 = 1;
/// What of `sample_type` stands behind a record that is no sample, a word each: TID, TIME, ID, CPU, STREAM_ID, IDENTIFIER.
const TRAILING: [u64; 6] = [1 << 1, 1 << 2, 1 << 6, 1 << 7, 1 << 9, 1 << 16];

const PERF_RECORD_MMAP: u32 = 1;
const PERF_RECORD_MISC_USER: u16 = 2;
const PAGE: u64 = 0x1000;

/// A file of `perf record` that can be used.
pub struct Recording {
    path: PathBuf,
    file: File,
    content: Content,
}

impl Recording {
    /// Opens the one at `path`.
    ///
    /// # Errors
    /// In words, if it cannot be read or is not what can be used.
    pub fn open(path: &Path) -> Result<Recording, String> {
        let reading = |error: io::Error| format!("cannot read {}: {error}", path.display());
        let mut file = File::open(path).map_err(reading)?;
        let length = file.metadata().map_err(reading)?.len();
        let content = Content::read(&mut file, length)
            .map_err(|reason| format!("{} cannot be used: {reason}", path.display()))?;
        Ok(Recording {
            path: path.to_owned(),
            file,
            content,
        })
    }

    /// Makes sure that a copy at `path` is not written over it.
    ///
    /// # Errors
    /// In words, if it would.
    pub fn is_apart_from(&self, path: &Path) -> Result<(), String> {
        let same = |path: PathBuf| self.path.canonicalize().is_ok_and(|own| own == path);
        match path.canonicalize().is_ok_and(same) {
            true => Err(format!(
                "{} would be written over; choose another directory",
                self.path.display()
            )),
            false => Ok(()),
        }
    }

    /// Copies it to `to`, with a record in front of all others that process `pid` has mapped the file `dump`.
    ///
    /// # Errors
    /// In words, if a file cannot be read or written.
    pub fn with_dump(mut self, to: &Path, pid: u32, dump: &Path) -> Result<(), String> {
        let record = record(pid, dump, self.content.trailing)?;
        File::create(to)
            .and_then(|mut output| self.content.copy(&mut self.file, &mut output, &record))
            .map_err(|error| format!("cannot write {}: {error}", to.display()))
    }
}

/// What has to change with the length of the data.
struct Content {
    header: Vec<u8>,
    data: (u64, u64),
    /// Where each feature is and how long.
    features: Vec<(u64, u64)>,
    /// Bytes of identification behind each record.
    trailing: usize,
}

impl Content {
    fn read(input: &mut (impl Read + Seek), length: u64) -> Result<Content, String> {
        let header = bytes_at(input, 0, HEADER_SIZE).map_err(|_| "it is too short")?;
        if !header.starts_with(MAGIC) {
            return Err("it is no perf.data of a little-endian machine".to_owned());
        }
        if word(&header, 8) != Some(HEADER_SIZE) {
            return Err("it is what perf writes into a pipe; record into a file".to_owned());
        }
        let field = |at| word(&header, at).ok_or("it is too short");
        let (size, attributes) = (field(16)?, (field(24)?, field(32)?));
        let data = (field(40)?, field(48)?);
        let end = data.0.checked_add(data.1).filter(|end| *end <= length);
        let end = end.ok_or("its data is cut off, or perf is still writing it")?;
        if data.1 == 0 || attributes.0.saturating_add(attributes.1) > data.0 {
            return Err("it has no data behind the description of its events".to_owned());
        }
        let trailing = trailing(input, size, attributes, data.0)?;
        let mut count = 0;
        for at in (FEATURES..FEATURES + 32).step_by(8) {
            count += u64::from(field(at)?.count_ones());
        }
        let mut features = Vec::new();
        let table = bytes_at(input, end, count * FEATURE_ENTRY);
        let table = table.map_err(|_| "its features are cut off")?;
        for entry in table.chunks_exact(16) {
            let place = word(entry, 0).zip(word(entry, 8));
            features.push(place.ok_or("its features are cut off")?);
        }
        Ok(Content {
            header,
            data,
            features,
            trailing,
        })
    }

    fn copy(
        &self,
        input: &mut (impl Read + Seek),
        output: &mut impl Write,
        record: &[u8],
    ) -> io::Result<()> {
        let (start, size) = self.data;
        let more = u64::try_from(record.len()).unwrap_or(u64::MAX);
        let mut header = self.header.clone();
        if let Some(field) = header.get_mut(48..56) {
            field.copy_from_slice(&size.saturating_add(more).to_le_bytes());
        }
        output.write_all(&header)?;
        copy(
            input,
            output,
            HEADER_SIZE,
            start.saturating_sub(HEADER_SIZE),
        )?;
        output.write_all(record)?;
        copy(input, output, start, size)?;
        let end = start.saturating_add(size);
        for (at, size) in &self.features {
            let at = if *at >= end {
                at.saturating_add(more)
            } else {
                *at
            };
            output.write_all(&at.to_le_bytes())?;
            output.write_all(&size.to_le_bytes())?;
        }
        let table = FEATURE_ENTRY * u64::try_from(self.features.len()).unwrap_or(0);
        copy(input, output, end.saturating_add(table), u64::MAX)?;
        output.flush()
    }
}

/// Bytes of identification behind each record, the same for all events.
fn trailing(
    input: &mut (impl Read + Seek),
    size: u64,
    (start, length): (u64, u64),
    data: u64,
) -> Result<usize, String> {
    let described = size.saturating_sub(FEATURE_ENTRY);
    let is_sound = (SHORTEST_ATTRIBUTE..=LONGEST_ATTRIBUTE).contains(&described)
        && length % size == 0
        && (1..=MOST_ATTRIBUTES).contains(&(length / size));
    if !is_sound {
        return Err("the description of its events is not understood".to_owned());
    }
    let attributes = bytes_at(input, start, length).map_err(|_| "it is cut off")?;
    let mut found = None;
    for entry in attributes.chunks_exact(usize::try_from(size).unwrap_or(usize::MAX)) {
        let one = of_event(entry, data)?;
        if found.is_some_and(|before| before != one) {
            return Err("its events have samples of different kinds; record one event".to_owned());
        }
        found = Some(one);
    }
    found.ok_or_else(|| "it has no events".to_owned())
}

fn of_event(entry: &[u8], data: u64) -> Result<usize, String> {
    let cut_off = "it is cut off";
    let (kind, flags) = (
        word(entry, 24).ok_or(cut_off)?,
        word(entry, 40).ok_or(cut_off)?,
    );
    let clock = entry.get(92..96).and_then(|bytes| bytes.try_into().ok());
    let is_monotonic = clock.map(u32::from_le_bytes) == Some(CLOCK_MONOTONIC);
    if flags & USE_CLOCKID == 0 || !is_monotonic {
        return Err(
            "perf inject wants times of the monotonic clock; record with perf record -k mono"
                .to_owned(),
        );
    }
    // Its identifications stand in front of the data, which moves nothing that is there.
    let ids = entry.len().checked_sub(16).and_then(|at| word(entry, at));
    if ids.is_none_or(|ids| ids > data) {
        return Err("it is not laid out as perf does".to_owned());
    }
    let words = TRAILING.iter().filter(|bit| kind & **bit != 0).count();
    Ok(if flags & SAMPLE_ID_ALL != 0 {
        words * 8
    } else {
        0
    })
}

/// `PERF_RECORD_MMAP`, at no time: `perf` takes it before all samples.
fn record(pid: u32, dump: &Path, trailing: usize) -> Result<Vec<u8>, String> {
    let mut name = dump.as_os_str().as_encoded_bytes().to_vec();
    name.push(0);
    name.resize(name.len().next_multiple_of(8), 0);
    let mut body = Vec::new();
    for id in [pid, pid] {
        body.extend(id.to_le_bytes());
    }
    // Address and length of the map, and the offset in the file: perf looks for what is executable in anonymous memory
    // by the dump alone.
    for word in [PAGE, PAGE, 0] {
        body.extend(word.to_le_bytes());
    }
    body.extend(name);
    body.resize(body.len().saturating_add(trailing), 0);
    let size = u16::try_from(body.len().saturating_add(8));
    let size = size.map_err(|_| format!("the name of {} is too long", dump.display()))?;
    let mut record = Vec::new();
    record.extend(PERF_RECORD_MMAP.to_le_bytes());
    record.extend(PERF_RECORD_MISC_USER.to_le_bytes());
    record.extend(size.to_le_bytes());
    record.extend(body);
    Ok(record)
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// Exactly so many; the callers have bounded them.
fn bytes_at(input: &mut (impl Read + Seek), at: u64, length: u64) -> io::Result<Vec<u8>> {
    input.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    input.take(length).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()) == Ok(length) {
        true => Ok(bytes),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Up to so many.
fn copy(
    input: &mut (impl Read + Seek),
    output: &mut impl Write,
    at: u64,
    length: u64,
) -> io::Result<()> {
    input.seek(SeekFrom::Start(at))?;
    io::copy(&mut input.take(length), output)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use std::io::Cursor;

    const ATTRIBUTES: u64 = 0x90;
    const SIZE: u64 = 128 + 16;
    const DATA: u64 = ATTRIBUTES + SIZE;
    /// One record without identification.
    const RECORD: [u8; 16] = [68, 0, 0, 0, 2, 0, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    /// `IP | TID | TIME | PERIOD | IDENTIFIER`: three of them stand behind other records.
    const KIND: u64 = 1 | 1 << 1 | 1 << 2 | 1 << 8 | 1 << 16;
    const FEATURE: &[u8] = b"a feature";

    fn put(bytes: &mut Vec<u8>, at: u64, value: &[u8]) {
        let at = usize::try_from(at).unwrap();
        bytes.resize(bytes.len().max(at + value.len()), 0);
        bytes[at..at + value.len()].copy_from_slice(value);
    }

    fn words(bytes: &mut Vec<u8>, at: u64, words: &[u64]) {
        for (word, at) in words.iter().zip((at..).step_by(8)) {
            put(bytes, at, &word.to_le_bytes());
        }
    }

    /// One with one event, one record and one feature.
    fn recorded() -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        let size = 16;
        words(
            &mut file,
            8,
            &[
                HEADER_SIZE,
                SIZE,
                ATTRIBUTES,
                SIZE,
                DATA,
                size,
                0,
                0,
                1 << 3,
            ],
        );
        put(&mut file, 103, &[0]);
        words(
            &mut file,
            ATTRIBUTES + 24,
            &[KIND, 0, SAMPLE_ID_ALL | USE_CLOCKID],
        );
        put(&mut file, ATTRIBUTES + 92, &CLOCK_MONOTONIC.to_le_bytes());
        words(&mut file, ATTRIBUTES + 128, &[104, 8]);
        put(&mut file, DATA, &RECORD);
        let behind = DATA + size + FEATURE_ENTRY;
        words(&mut file, DATA + size, &[behind, FEATURE.len() as u64]);
        put(&mut file, behind, FEATURE);
        file
    }

    fn copied(file: &[u8]) -> Result<Vec<u8>, String> {
        let mut input = Cursor::new(file);
        let content = Content::read(&mut input, file.len() as u64)?;
        let record = record(4242, Path::new("/d/jit-4242.dump"), content.trailing)?;
        let mut output = Vec::new();
        content.copy(&mut input, &mut output, &record).unwrap();
        Ok(output)
    }

    #[test]
    fn the_map_comes_first_and_all_else_stays() {
        let before = recorded();
        let after = copied(&before).unwrap();
        let more = 8 + 8 + 24 + 24 + 24;
        assert_eq!(after.len(), before.len() + more);
        let data = usize::try_from(DATA).unwrap();
        let record = &after[data..data + more];
        assert_eq!(
            record[..8],
            [1, 0, 0, 0, 2, 0, u8::try_from(more).unwrap(), 0]
        );
        assert_eq!(record[8..16], [0x92, 0x10, 0, 0, 0x92, 0x10, 0, 0]);
        assert_eq!(&record[40..64], b"/d/jit-4242.dump\0\0\0\0\0\0\0\0");
        assert_eq!(record[64..], [0; 24]);
        assert_eq!(after[data + more..data + more + 16], RECORD);
        let features = data + more + 16;
        assert_eq!(word(&after, features), Some((features + 16) as u64));
        assert_eq!(&after[features + 16..], FEATURE);
        assert_eq!(word(&after, 48), Some(16 + more as u64));
        assert_eq!(after[..48], before[..48]);
        assert_eq!(after[56..data], before[56..data]);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let refused = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut file = recorded();
            change(&mut file);
            copied(&file).unwrap_err()
        };
        assert!(refused(&|file| file[0] = b'X').contains("no perf.data"));
        assert!(refused(&|file| words(file, 8, &[16])).contains("pipe"));
        assert!(refused(&|file| file.truncate(50)).contains("too short"));
        assert!(refused(&|file| file.truncate(300)).contains("cut off"));
        assert!(refused(&|file| words(file, 48, &[u64::MAX])).contains("cut off"));
        assert!(refused(&|file| words(file, 16, &[0])).contains("not understood"));
        assert!(refused(&|file| words(file, 32, &[SIZE - 1])).contains("not understood"));
        let without_clock = |file: &mut Vec<u8>| words(file, ATTRIBUTES + 40, &[SAMPLE_ID_ALL]);
        assert!(refused(&without_clock).contains("-k mono"));
        assert!(refused(&|file| words(file, ATTRIBUTES + 128, &[1 << 40])).contains("laid out"));
    }

    #[test]
    fn no_prefix_is_too_much() {
        let file = recorded();
        for length in 0..file.len() {
            let _ = copied(&file[..length]);
        }
    }
}
