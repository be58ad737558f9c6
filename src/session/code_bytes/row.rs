//! The comparison of all bytes as one of the checks.

use crate::listing::{Against, ByteDifference, CheckRow, CheckStatus, CodeBytes, Failure, Verdict};
use crate::map::{GOT_SLOT, RegionKind};

/// The name of the check.
const NAME: &str = "bytes";

/// The regions' words.
const GOT: &str = RegionKind::Got.word();
const CODE: &str = RegionKind::Uops.word();

/// Its row among the others.
pub(in crate::session) fn row(bytes: &CodeBytes) -> CheckRow {
    CheckRow {
        name: NAME,
        status: match bytes.verdict {
            Verdict::Identical => CheckStatus::Passed,
            Verdict::Differs => CheckStatus::Failed,
            Verdict::NotCheckable => CheckStatus::CouldNotRun,
        },
        compared: bytes.compared,
        failed: bytes.difference.as_ref().map_or(0, |one| one.count),
        reason: reason(bytes),
    }
}

fn reason(bytes: &CodeBytes) -> Option<String> {
    if let Some(reason) = &bytes.reason {
        return Some(reason.clone());
    }
    let gap = bytes.gaps.first()?;
    let name = gap.name.as_deref().unwrap_or("?");
    Some(match gap.uop {
        Some(index) => format!("uop {index} {name}: {}", gap.reason),
        None => format!("the {name}: {}", gap.reason),
    })
}

/// What it found, as the others say it.
pub(in crate::session) fn failure(bytes: &CodeBytes) -> Option<Failure> {
    let found = bytes.difference.as_ref()?;
    Some(Failure {
        check: NAME,
        address: found.address,
        uop: found.uop,
        name: found.name.clone(),
        field: field(found, bytes.against),
        expected: value(&found.expected, found.expected_symbol.as_deref()),
        found: value(&found.found, found.found_symbol.as_deref()),
    })
}

/// `operand0 at +0x2`, `body at +0x5`, `data of the guard at +0x8`, `slot 3 of the GOT`.
fn field(found: &ByteDifference, against: Against) -> String {
    let part = found.name.as_deref().filter(|_| found.uop.is_none());
    let what = match (found.hole.as_slice(), found.region, against, part) {
        ([], GOT, ..) => return format!("slot {} of the GOT", found.offset / GOT_SLOT),
        ([], CODE, Against::Emitters, _) => "body".to_owned(),
        ([], CODE, Against::Copy, _) => "code".to_owned(),
        ([], "data", _, Some(part)) => format!("data of the {part}"),
        ([], region, ..) => region.to_owned(),
        (origins, ..) => format!("hole of {}", origins.join(", ")),
    };
    format!("{what} at +{:#x}", found.offset)
}

fn value(bytes: &str, symbol: Option<&str>) -> String {
    match symbol {
        Some(symbol) => format!("{bytes} ({symbol})"),
        None => bytes.to_owned(),
    }
}
