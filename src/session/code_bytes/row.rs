//! The comparison of all bytes as one of the checks.

use crate::listing::{Against, ByteDifference, CheckRow, CheckStatus, CodeBytes, Failure, Verdict};

/// The name of the check.
const NAME: &str = "bytes";

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

fn field(found: &ByteDifference, against: Against) -> String {
    let what = match (found.hole.is_empty(), found.region, against) {
        (false, ..) => format!("hole of {}", found.hole.join(", ")),
        (true, "uops", Against::Emitters) => "body".to_owned(),
        (true, region, _) => region.to_owned(),
    };
    format!("{what} at +{:#x}", found.offset)
}

fn value(bytes: &str, symbol: Option<&str>) -> String {
    match symbol {
        Some(symbol) => format!("{bytes} ({symbol})"),
        None => bytes.to_owned(),
    }
}
