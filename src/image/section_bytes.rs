//! The bytes of a section, uncompressed as far as somebody wanted them.

use flate2::bufread::DeflateDecoder;
use object::read::{CompressedData, CompressionFormat};
use std::io::Read;

/// Largest uncompressed section that is read, in bytes. The `.debug_info` of a CPython is 20 to 30 MB; a program that
/// contains one may have more.
const LARGEST: u64 = 1 << 30;

/// How many bytes are uncompressed at a time: few enough to stop soon behind what is looked for, and to stay in a cache.
const STEP: usize = 1 << 20;

/// A section. It is uncompressed from its start, only as far as needed: half of the time of a first look goes into it.
pub(super) struct SectionBytes<'data> {
    source: Source<'data>,
    size: usize,
}

enum Source<'data> {
    Plain(&'data [u8]),
    Compressed {
        stream: Box<dyn Read + 'data>,
        ready: Vec<u8>,
    },
}

impl<'data> SectionBytes<'data> {
    /// The section as the file stores it, or why it cannot be read.
    pub(super) fn new(stored: CompressedData<'data>) -> Result<SectionBytes<'data>, String> {
        let stream: Box<dyn Read + 'data> = match stored.format {
            CompressionFormat::None => return Ok(SectionBytes::plain(stored.data)),
            CompressionFormat::Zlib => {
                Box::new(DeflateDecoder::new(without_zlib_header(stored.data)?))
            }
            CompressionFormat::Zstandard => Box::new(
                ruzstd::decoding::StreamingDecoder::new(stored.data)
                    .map_err(|error| format!("its compression is broken: {error}"))?,
            ),
            _ => return Err("it is compressed in an unknown way".to_owned()),
        };
        let size = usize::try_from(stored.uncompressed_size.min(LARGEST))
            .map_err(|_| "it is too large".to_owned())?;
        if stored.uncompressed_size > LARGEST {
            return Err(format!(
                "it claims {} bytes uncompressed",
                stored.uncompressed_size
            ));
        }
        Ok(SectionBytes {
            source: Source::Compressed {
                stream,
                ready: Vec::new(),
            },
            size,
        })
    }

    /// A section that is stored as it is.
    pub(super) fn plain(bytes: &'data [u8]) -> SectionBytes<'data> {
        SectionBytes {
            source: Source::Plain(bytes),
            size: bytes.len(),
        }
    }

    /// How many bytes the whole section has.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// The bytes from the start that are there already.
    pub(super) fn ready(&self) -> &[u8] {
        match &self.source {
            Source::Plain(bytes) => bytes,
            Source::Compressed { ready, .. } => ready,
        }
    }

    /// Makes at least the first `end` bytes ready, or all if there are fewer. A stream that breaks off ends the section.
    pub(super) fn grow(&mut self, end: usize) -> Result<(), String> {
        let Source::Compressed { stream, ready } = &mut self.source else {
            return Ok(());
        };
        let end = end.min(self.size);
        while ready.len() < end {
            let step = STEP.min(self.size.saturating_sub(ready.len()));
            if let Err(reason) = extend(stream, ready, step) {
                self.size = ready.len();
                return Err(reason);
            }
        }
        Ok(())
    }

    /// Makes all bytes ready.
    pub(super) fn grow_all(&mut self) -> Result<(), String> {
        self.grow(self.size)
    }
}

/// The deflate stream in a zlib stream. The checksum behind it is left alone: it is known only at the end, which is
/// seldom read, and computing it takes a tenth of the time.
fn without_zlib_header(stream: &[u8]) -> Result<&[u8], String> {
    // RFC 1950: compression method 8, and no preset dictionary.
    match stream {
        [method, flags, deflate @ ..] if method & 0x0f == 8 && flags & 0x20 == 0 => Ok(deflate),
        _ => Err("its compression is broken: it is no zlib stream".to_owned()),
    }
}

/// Appends `step` bytes of the stream, or as many as there are and then says why no more.
fn extend(stream: &mut dyn Read, ready: &mut Vec<u8>, step: usize) -> Result<(), String> {
    let start = ready.len();
    ready.resize(start.saturating_add(step), 0);
    let mut filled = start;
    let outcome = loop {
        match stream.read(ready.get_mut(filled..).unwrap_or_default()) {
            Ok(0) if filled == ready.len() => break Ok(()),
            Ok(0) => break Err("its compressed data ends too soon".to_owned()),
            Ok(count) => filled = filled.saturating_add(count).min(ready.len()),
            Err(error) => break Err(format!("its compressed data is broken: {error}")),
        }
        if filled == ready.len() {
            break Ok(());
        }
    };
    ready.truncate(filled);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn section(
        format: CompressionFormat,
        data: &[u8],
        uncompressed_size: u64,
    ) -> Result<SectionBytes<'_>, String> {
        SectionBytes::new(CompressedData {
            format,
            data,
            uncompressed_size,
        })
    }

    #[test]
    fn uncompresses_only_as_far_as_needed() {
        let bytes: Vec<u8> = (0..3 * STEP).map(|i| (i / 7).to_le_bytes()[0]).collect();
        let data = zlib(&bytes);
        let mut section = section(CompressionFormat::Zlib, &data, bytes.len() as u64).unwrap();
        assert!(section.ready().is_empty());
        section.grow(5).unwrap();
        assert_eq!(section.ready(), &bytes[..STEP]);
        section.grow_all().unwrap();
        assert_eq!(section.ready(), bytes);
    }

    #[test]
    fn uncompresses_zstd() {
        let bytes = vec![7; 100_000];
        let data = ruzstd::encoding::compress_to_vec(
            bytes.as_slice(),
            ruzstd::encoding::CompressionLevel::Fastest,
        );
        let mut section = section(CompressionFormat::Zstandard, &data, 100_000).unwrap();
        section.grow_all().unwrap();
        assert_eq!(section.ready(), bytes);
    }

    #[test]
    fn a_stream_that_breaks_off_ends_the_section() {
        let bytes: Vec<u8> = (0..100_000u32)
            .map(|i| (((i % 997) * i) >> 3).to_le_bytes()[0])
            .collect();
        let data = zlib(&bytes);
        let mut section =
            section(CompressionFormat::Zlib, &data[..data.len() / 2], 100_000).unwrap();
        assert!(section.grow_all().is_err());
        assert_eq!(section.size(), section.ready().len());
        assert!(bytes.starts_with(section.ready()));
        section.grow_all().unwrap();
    }

    #[test]
    fn refuses_garbage_and_giants() {
        let data = [&[0x78, 0x9c][..], &[0xff; 64]].concat();
        let mut garbage = section(CompressionFormat::Zlib, &data, 1000).unwrap();
        assert!(garbage.grow(1).is_err());
        assert!(section(CompressionFormat::Zlib, &[0xff; 64], 1000).is_err());
        assert!(section(CompressionFormat::Zstandard, &[0xff; 64], 1000).is_err());
        assert!(section(CompressionFormat::Zlib, &[], LARGEST + 1).is_err());
        assert!(section(CompressionFormat::Unknown, &[], 1).is_err());
    }

    #[test]
    fn a_plain_section_is_ready_at_once() {
        let mut section = section(CompressionFormat::None, b"abc", 3).unwrap();
        section.grow(u32::MAX as usize).unwrap();
        assert_eq!(section.ready(), b"abc");
    }
}
