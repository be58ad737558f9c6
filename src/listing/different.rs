//! What `jit-dis --verify` says beyond the marks at instructions.

use super::model::Finding;
use crate::address::Address;
use crate::map::{GOT_SLOT, MappedExecutor, Place, RegionKind};
use crate::restitch::{Rebuilt, unknown};

/// Bytes outside of instructions that are told one by one; a page that was overwritten has thousands.
const MOST_TOLD: usize = 8;

/// What the comparison of the bytes found in an allocation with those that were rebuilt says as a whole, and of bytes
/// that no instruction shows.
pub fn different_bytes(mapped: &MappedExecutor, rebuilt: &Rebuilt, found: &[u8]) -> Vec<Finding> {
    let start = rebuilt.start;
    let mut findings: Vec<Finding> = (rebuilt.gaps.iter())
        .map(|gap| {
            let text = format!("{} could not be rebuilt: {}", gap.part, gap.reason);
            Finding::warning(text).at(mapped.executor.address)
        })
        .collect();
    let unknown = unknown(rebuilt);
    let (mut compared, mut different) = (0u64, 0u64);
    let mut outside = Vec::new();
    for (place, (expected, found)) in rebuilt.bytes.iter().zip(found).enumerate() {
        if unknown.get(place) == Some(&true) {
            continue;
        }
        let address = start.wrapping_add(place as u64);
        compared += 1;
        if expected == found {
            continue;
        }
        different += 1;
        if let Some(text) = outside_of_code(mapped, address) {
            let text = format!("{text}: {found:02x} is there, the emitter writes {expected:02x}");
            outside.push(Finding::warning(text).at(address));
        }
    }
    let untold = outside.len().saturating_sub(MOST_TOLD);
    findings.extend(outside.into_iter().take(MOST_TOLD));
    if untold != 0 {
        let text = format!("{untold} more bytes of data, GOT, trampolines and padding differ");
        findings.push(Finding::warning(text));
    }
    let all = match rebuilt.bytes.len() as u64 == compared {
        true => format!("its {compared} bytes are"),
        false => format!(
            "{compared} of its {} bytes could be compared, and are",
            rebuilt.bytes.len()
        ),
    };
    findings.push(match different {
        0 => Finding::note(format!(
            "{all} those that the emitters write for this trace"
        )),
        _ => Finding::warning(format!(
            "{different} of {compared} bytes differ from what the emitters write for this trace: they were overwritten, or \
             the trace was"
        ))
        .at(mapped.executor.address),
    });
    findings
}

/// What a byte belongs to that is in no instruction.
fn outside_of_code(mapped: &MappedExecutor, address: Address) -> Option<String> {
    match mapped.locate(address) {
        Some(Place::Uop(..) | Place::Region(RegionKind::Shim | RegionKind::Guard, _)) => None,
        Some(Place::Data(uop, offset)) => Some(format!("data of uop {uop}+{offset}")),
        Some(Place::Region(RegionKind::Got, offset)) => {
            Some(format!("got[{}]+{}", offset / GOT_SLOT, offset % GOT_SLOT))
        }
        Some(Place::Region(kind, offset)) => Some(format!("{}+{offset}", kind.word())),
        None => Some("what is behind the code".to_owned()),
    }
}
