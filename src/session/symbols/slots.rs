//! The data of an executor that points at functions and variables.

use super::super::Session;
use crate::address::{Address, Range};
use crate::error::Result;
use crate::map::{MappedExecutor, RegionKind};
use crate::symbols::Slot;

/// Bytes of a pointer; the JIT aligns its data so.
const POINTER: u64 = 8;

/// A trampoline, and where in it the address is that it jumps to (`patch_aarch64_trampoline` in `Python/jit.c`).
const TRAMPOLINE: u64 = 16;
const TRAMPOLINE_TARGET: u64 = 8;

impl Session {
    /// What of an executor's data has a name; `bytes` are those of its allocation.
    pub(super) fn slots(
        &self,
        mapped: &MappedExecutor,
        allocation: Range,
        bytes: &[u8],
    ) -> Result<Vec<Slot>> {
        let names = self.program()?.symbol_names(self.python()?);
        let pointer = |at: Address| {
            let offset = usize::try_from(at.offset_from(allocation.start)?).ok()?;
            let word = bytes.get(offset..)?.first_chunk::<8>()?;
            Some(Address(u64::from_le_bytes(*word)))
        };
        let name_at = |at: Address| {
            let target = pointer(at)?;
            if !self.program().is_ok_and(|program| program.contains(target)) {
                return None;
            }
            let (name, offset) = names.nearest(target)?;
            (offset == 0).then(|| name.to_string())
        };
        let mut slots = Vec::new();
        for region in &mapped.map.regions {
            let (size, target, is_code) = match region.kind {
                RegionKind::Data | RegionKind::Got => (POINTER, 0, false),
                RegionKind::Trampolines => (TRAMPOLINE, TRAMPOLINE_TARGET, true),
                _ => continue,
            };
            for number in 0..region.range.size / size {
                let start = region.range.start.wrapping_add(number * size);
                if let Some(name) = name_at(start.wrapping_add(target)) {
                    slots.push(Slot {
                        range: Range::new(start, size),
                        name,
                        is_code,
                    });
                }
            }
        }
        Ok(slots)
    }
}
