//! Compressed cores, as systemd, Apport and people make them: unpacked into a file without a name, which is mapped.

use crate::target::Finding;
use memmap2::Mmap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// Bytes that are unpacked at a time.
const STEP: usize = 1 << 20;

/// Runs of zeros of this length are left out of the file: most of a large core is pages that were never used.
const HOLE: usize = 64 << 10;

/// Largest core that is unpacked, in bytes: a small file can claim any size, and the disk belongs to others too.
const LARGEST: u64 = 64 << 30;

/// Memory that unpacking may take, in KiB; `xz -9` needs 65 MiB.
const XZ_MEMORY: u32 = 256 << 10;

/// How a file is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// `.gz`
    Gzip,
    /// `.xz`
    Xz,
    /// `.zst`
    Zstandard,
    /// `.lz4`
    Lz4,
}

impl Compression {
    /// What the first bytes of a file say; names of cores lie.
    pub fn of(bytes: &[u8]) -> Option<Compression> {
        // Zstandard's skippable frames have any last digit in their first byte.
        match bytes {
            [0x1f, 0x8b, 8, ..] => Some(Compression::Gzip),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Compression::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                Some(Compression::Zstandard)
            }
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Compression::Lz4),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Xz => "xz",
            Compression::Zstandard => "Zstandard",
            Compression::Lz4 => "LZ4",
        }
    }

    fn reader<'b>(self, bytes: &'b [u8]) -> Box<dyn Read + 'b> {
        match self {
            Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(bytes)),
            Compression::Xz => {
                Box::new(lzma_rust2::XzReader::new_mem_limit(bytes, true, XZ_MEMORY))
            }
            Compression::Zstandard => Box::new(Frames {
                rest: bytes,
                current: None,
            }),
            Compression::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(bytes)),
        }
    }
}

/// Unpacks `bytes`, telling `progress` how many bytes there are so far. What was unpacked before the data broke off
/// is kept, with a finding.
///
/// # Errors
/// A sentence, if nothing could be unpacked or no file could be made.
pub fn decompress(
    bytes: &[u8],
    compression: Compression,
    progress: &mut dyn FnMut(u64),
) -> Result<(Mmap, Option<Finding>), String> {
    let cannot_write = |error: io::Error| {
        let directory = std::env::temp_dir();
        format!(
            "the {} data cannot be unpacked into {} ({error}); TMPDIR may name a directory with more room",
            compression.name(),
            directory.display()
        )
    };
    let file = tempfile::tempfile().map_err(cannot_write)?;
    let (size, trouble) = copy(&mut compression.reader(bytes), &file, progress);
    if size == 0 {
        let reason = trouble.unwrap_or_else(|| "there is nothing in it".to_owned());
        return Err(format!("it is {} data, but {reason}", compression.name()));
    }
    file.set_len(size).map_err(cannot_write)?;
    // SAFETY: nobody else can reach a file without a name.
    let map = unsafe { Mmap::map(&file) }.map_err(cannot_write)?;
    let finding = trouble.map(|reason| {
        Finding::new(format!(
            "of the {} data only the first {size} bytes could be unpacked: {reason}",
            compression.name()
        ))
    });
    Ok((map, finding))
}

/// Copies until the end or the first trouble: how far, and which.
fn copy(from: &mut dyn Read, to: &File, progress: &mut dyn FnMut(u64)) -> (u64, Option<String>) {
    let mut buffer = vec![0; STEP];
    let mut size = 0u64;
    loop {
        if size >= LARGEST {
            return (
                size,
                Some(format!("more than {LARGEST} bytes are not unpacked")),
            );
        }
        let (filled, trouble) = fill(from, &mut buffer);
        let filled = buffer.get(..filled).unwrap_or_default();
        if let Err(error) = write_but_zeros(to, filled, size) {
            return (size, Some(format!("they cannot be written: {error}")));
        }
        size = size.saturating_add(filled.len() as u64);
        progress(size);
        if trouble.is_some() || filled.len() < STEP {
            return (size, trouble);
        }
    }
}

/// Reads until the buffer is full, the data ends or breaks.
fn fill(from: &mut dyn Read, buffer: &mut [u8]) -> (usize, Option<String>) {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(count) => filled = filled.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(format!("then it is damaged ({error})"))),
        }
    }
    (filled, None)
}

fn write_but_zeros(to: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    let mut at = at;
    for piece in bytes.chunks(HOLE) {
        if piece.iter().any(|byte| *byte != 0) {
            to.write_all_at(piece, at)?;
        }
        at = at.saturating_add(piece.len() as u64);
    }
    Ok(())
}

type Frame<'b> = ruzstd::decoding::StreamingDecoder<&'b [u8], ruzstd::decoding::FrameDecoder>;

/// All frames of a Zstandard file; a decoder of ruzstd reads one.
struct Frames<'b> {
    rest: &'b [u8],
    current: Option<Frame<'b>>,
}

impl<'b> Frames<'b> {
    /// The next frame that is not to be skipped.
    fn next(&mut self) -> io::Result<Option<Frame<'b>>> {
        use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
        // Each turn takes at least the eight bytes of a skippable frame's header.
        while !self.rest.is_empty() {
            match Frame::new(self.rest) {
                Ok(frame) => return Ok(Some(frame)),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let skipped = usize::try_from(length)
                        .unwrap_or(usize::MAX)
                        .saturating_add(8);
                    self.rest = self.rest.get(skipped..).unwrap_or_default();
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(None)
    }
}

impl Read for Frames<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(frame) = &mut self.current else {
                match self.next()? {
                    Some(frame) => self.current = Some(frame),
                    None => return Ok(0),
                }
                continue;
            };
            match frame.read(into)? {
                0 => {
                    self.rest = frame.get_ref();
                    self.current = None;
                }
                count => return Ok(count),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn content() -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..300_000u32)
            .map(|i| (i.wrapping_mul(i) >> 7).to_le_bytes()[0])
            .collect();
        bytes.extend(vec![0; 3 * STEP]);
        bytes.extend(b"end");
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstandard(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn lz4(bytes: &[u8]) -> Vec<u8> {
        // A block that is cut off is lost as a whole.
        let small = lz4_flex::frame::BlockSize::Max64KB;
        let info = lz4_flex::frame::FrameInfo::new().block_size(small);
        let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(bytes: &[u8]) -> (Vec<u8>, Option<Finding>) {
        let compression = Compression::of(bytes).unwrap();
        let (map, finding) = decompress(bytes, compression, &mut |_| {}).unwrap();
        (map.to_vec(), finding)
    }

    #[test]
    fn unpacks_each_format() {
        let content = content();
        for packed in [gzip(&content), zstandard(&content), lz4(&content)] {
            assert_eq!(unpack(&packed), (content.clone(), None));
        }
    }

    #[test]
    fn unpacks_xz() {
        // printf hello | xz -0
        let packed = "fd377a585a000004e6d6b446020021010c0000008f98419c01000468656c6c6f00000000b137b9dbe5da1e9b00011d05\
                      b82d80af1fb6f37d010000000004595a";
        let packed: Vec<u8> = packed
            .as_bytes()
            .chunks(2)
            .map(|digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap())
            .collect();
        assert_eq!(unpack(&packed), (b"hello".to_vec(), None));
    }

    #[test]
    fn several_frames_are_one_file() {
        let skipped = [&[0x51, 0x2a, 0x4d, 0x18, 2, 0, 0, 0][..], b"xx"].concat();
        let packed = [
            skipped.clone(),
            zstandard(b"one"),
            skipped,
            zstandard(b"two"),
        ]
        .concat();
        assert_eq!(unpack(&packed).0, b"onetwo");
    }

    #[test]
    fn what_came_before_the_damage_is_kept() {
        let content = content();
        for packed in [gzip(&content), zstandard(&content), lz4(&content)] {
            let (unpacked, finding) = unpack(&packed[..packed.len() / 2]);
            assert!(!unpacked.is_empty() && content.starts_with(&unpacked));
            assert!(finding.unwrap().what.contains("could be unpacked"));
        }
    }

    #[test]
    fn refuses_what_is_damaged_from_the_start() {
        for packed in [&[0x1f, 0x8b, 8][..], &[0x28, 0xb5, 0x2f, 0xfd, 0xff]] {
            let compression = Compression::of(packed).unwrap();
            let refused = decompress(packed, compression, &mut |_| {}).unwrap_err();
            assert!(refused.contains(compression.name()), "{refused}");
        }
        assert_eq!(Compression::of(b"\x7fELF"), None);
    }

    #[test]
    fn zeros_take_no_room() {
        use std::os::unix::fs::MetadataExt;
        let file = tempfile::tempfile().unwrap();
        let mut reads = io::repeat(0).take(64 << 20);
        let (size, trouble) = copy(&mut reads, &file, &mut |_| {});
        assert_eq!((size, trouble), (64 << 20, None));
        assert_eq!(file.metadata().unwrap().blocks(), 0);
    }
}
