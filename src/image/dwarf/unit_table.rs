//! Where the units of `.debug_info` begin, as far as the section is uncompressed.

use crate::image::section_bytes::SectionBytes;

/// The initial length that says that the real one follows, in 8 bytes (the 64-bit format of DWARF).
const LONG_FORMAT: u32 = 0xffff_ffff;

/// The units, in the order of the section.
#[derive(Default)]
pub(super) struct UnitTable {
    starts: Vec<usize>,
    /// One past the last unit known.
    end: usize,
}

impl UnitTable {
    /// Where the units that are known begin, ascending.
    pub(super) fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// One past the last byte of the units that are known.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// The unit that has the byte at `position`, as start and end; its bytes are ready afterwards. `None` if the chain
    /// of units breaks off before.
    pub(super) fn unit_of(
        &mut self,
        info: &mut SectionBytes<'_>,
        position: usize,
    ) -> Option<(usize, usize)> {
        while self.end <= position {
            self.learn_next(info)?;
        }
        let following = self.starts.partition_point(|start| *start <= position);
        let start = *self.starts.get(following.checked_sub(1)?)?;
        let end = self.starts.get(following).copied().unwrap_or(self.end);
        // A stream that breaks off has made the section shorter.
        let complete = info.grow(end).is_ok() && end <= info.size();
        complete.then_some((start, end))
    }

    /// Finds all units.
    pub(super) fn learn_all(&mut self, info: &mut SectionBytes<'_>) {
        while self.learn_next(info).is_some() {}
    }

    fn learn_next(&mut self, info: &mut SectionBytes<'_>) -> Option<()> {
        let start = self.end;
        let header_end = start.checked_add(12)?;
        // A broken stream is noticed by whoever reads the unit; what is ready may suffice here.
        let _ = info.grow(header_end);
        let (length, rest) = info.ready().get(start..)?.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length);
        let end = match length {
            LONG_FORMAT => {
                let length = u64::from_le_bytes(*rest.first_chunk::<8>()?);
                header_end.checked_add(usize::try_from(length).ok()?)?
            }
            _ => start
                .checked_add(4)?
                .checked_add(usize::try_from(length).ok()?)?,
        };
        if end > info.size() {
            return None;
        }
        self.starts.push(start);
        self.end = end;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(content: usize) -> Vec<u8> {
        let length = u32::try_from(content).unwrap().to_le_bytes();
        [&length[..], &vec![0xaa; content]].concat()
    }

    #[test]
    fn finds_the_unit_of_a_position() {
        let bytes = [unit(20), unit(30), unit(40)].concat();
        let mut info = SectionBytes::plain(&bytes);
        let mut table = UnitTable::default();
        assert_eq!(table.unit_of(&mut info, 30), Some((24, 58)));
        assert_eq!(table.unit_of(&mut info, 23), Some((0, 24)));
        assert_eq!(table.starts(), [0, 24]);
        assert_eq!(table.unit_of(&mut info, 101), Some((58, 102)));
        assert_eq!(table.unit_of(&mut info, 102), None);
    }

    #[test]
    fn understands_the_64_bit_format() {
        let mut bytes = vec![0xff; 4];
        bytes.extend(20u64.to_le_bytes());
        bytes.extend([0; 20]);
        let mut info = SectionBytes::plain(&bytes);
        assert_eq!(UnitTable::default().unit_of(&mut info, 31), Some((0, 32)));
    }

    #[test]
    fn stops_at_a_length_that_leaves_the_section() {
        for length in [100u32, u32::MAX - 1, u32::MAX] {
            let bytes = [&length.to_le_bytes()[..], &[0xff; 20]].concat();
            let mut info = SectionBytes::plain(&bytes);
            assert_eq!(UnitTable::default().unit_of(&mut info, 8), None);
        }
    }

    #[test]
    fn a_unit_without_content_does_not_stop_the_walk() {
        let bytes = [unit(0), unit(0), unit(20)].concat();
        let mut info = SectionBytes::plain(&bytes);
        assert_eq!(UnitTable::default().unit_of(&mut info, 10), Some((8, 32)));
    }
}
