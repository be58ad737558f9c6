//! The parts of a listing follow each other without gap, and what leads from one to another arrives.

use crate::schema::hex;
use serde_json::Value;

/// What is in a listing that has the right form fits together.
pub fn fit(listing: &Value, warned: bool, wrong: &mut Vec<String>) {
    let before = wrong.len();
    regions_tile(listing, wrong);
    uops_tile(listing, wrong);
    // What cannot be read or explained leaves gaps, but not silently.
    if warned {
        wrong.truncate(before);
    }
    // A damaged trace says so in a finding.
    if !warned {
        targets_in_range(listing, wrong);
        edges_fit(listing, wrong);
    }
    instructions_tile(listing, warned, wrong);
}

fn place(value: &Value) -> (u64, u64) {
    let address = hex(value["address"].as_str().unwrap()).unwrap();
    (address, value["size"].as_u64().unwrap())
}

/// Whether pieces follow each other without gap from `start`; where they end.
fn tile<'v>(start: u64, pieces: impl IntoIterator<Item = &'v Value>) -> Result<u64, String> {
    let mut at = start;
    for piece in pieces {
        let (address, size) = place(piece);
        if address != at {
            return Err(format!("{address:#x} comes where {at:#x} is expected"));
        }
        at += size;
    }
    Ok(at)
}

/// The regions are the allocation, all of it.
fn regions_tile(listing: &Value, wrong: &mut Vec<String>) {
    let code = &listing["executor"]["code"];
    let start = hex(code["address"].as_str().unwrap()).unwrap();
    let mapped = code["mapped"].as_u64().unwrap();
    match tile(start, listing["regions"].as_array().unwrap()) {
        Ok(end) if end == start + mapped => {}
        Ok(end) => wrong.push(format!(
            "the regions end at {end:#x}, not {:#x}",
            start + mapped
        )),
        Err(what) => wrong.push(format!("regions: {what}")),
    }
}

/// If all uops are listed, their ranges are the region of uops, all of it.
fn uops_tile(listing: &Value, wrong: &mut Vec<String>) {
    let uops = listing["uops"].as_array().unwrap();
    if listing["executor"]["uop_count"].as_u64() != Some(uops.len() as u64) {
        return;
    }
    let regions = listing["regions"].as_array().unwrap();
    let Some(region) = regions.iter().find(|region| region["kind"] == "uops") else {
        return;
    };
    let (start, size) = place(region);
    let ranges = uops
        .iter()
        .flat_map(|uop| uop["ranges"].as_array().unwrap());
    match tile(start, ranges) {
        Ok(end) if end == start + size => {}
        Ok(end) => wrong.push(format!("the uops end at {end:#x}, not {:#x}", start + size)),
        Err(what) => wrong.push(format!("uops: {what}")),
    }
}

/// Jumps lead to uops of the same trace, exits to exits of the same executor.
fn targets_in_range(listing: &Value, wrong: &mut Vec<String>) {
    let uops = listing["executor"]["uop_count"].as_u64().unwrap();
    let exits = listing["executor"]["exit_count"].as_u64().unwrap();
    for uop in listing["uops"].as_array().unwrap() {
        let in_range = |value: &Value, limit| value.as_u64().is_none_or(|value| value < limit);
        let all = in_range(&uop["jump_target"], uops)
            && in_range(&uop["error_target"], uops)
            && in_range(&uop["exit"]["uop"], uops)
            && in_range(&uop["exit"]["index"], exits);
        if !all {
            wrong.push(format!("uop {} leads out of the trace", uop["index"]));
        }
    }
}

/// A jump is an instruction of the uop that it is said to be of, and leads into the code of the other.
fn edges_fit(listing: &Value, wrong: &mut Vec<String>) {
    let uops = listing["uops"].as_array().unwrap();
    let row = |index: &Value| uops.iter().find(|uop| uop["index"] == *index);
    let count = listing["executor"]["uop_count"].as_u64().unwrap();
    for edge in listing["edges"].as_array().unwrap() {
        let (from, to) = (&edge["from_uop"], &edge["to_uop"]);
        let is_of = row(from).is_some_and(|uop| match uop["instructions"].as_array() {
            Some(all) => all.iter().any(|one| one["address"] == edge["from"]),
            None => edge["from"].is_null(),
        });
        let leads = to.as_u64().is_some_and(|to| to < count);
        let inside = |uop: &Value| {
            let to = edge["to"].as_str().and_then(hex);
            let mut ranges = uop["ranges"].as_array().unwrap().iter().map(place);
            to.is_none_or(|to| ranges.any(|(start, size)| start <= to && to <= start + size))
        };
        if !is_of || !leads || !row(to).is_none_or(inside) {
            wrong.push(format!("edge {edge}"));
        }
    }
}

/// The instructions of a uop are its ranges, all of them; each has the bytes that it says.
fn instructions_tile(listing: &Value, warned: bool, wrong: &mut Vec<String>) {
    for uop in listing["uops"].as_array().unwrap() {
        let Some(instructions) = uop["instructions"].as_array() else {
            continue;
        };
        let ranges = uop["ranges"].as_array().unwrap();
        let size: u64 = ranges.iter().map(|range| place(range).1).sum();
        let mut left = instructions.iter();
        for range in ranges {
            let (start, size) = place(range);
            let own = left.by_ref().scan(start, |at, instruction| {
                *at += place(instruction).1;
                (*at <= start + size).then_some(instruction)
            });
            if let Err(what) = tile(start, own) {
                wrong.push(format!("uop {}: {what}", uop["index"]));
            }
        }
        let total: u64 = instructions.iter().map(|own| place(own).1).sum();
        if total != size && !(warned && total == 0) {
            wrong.push(format!(
                "uop {} has {size} bytes, {total} in instructions",
                uop["index"]
            ));
        }
        for own in instructions {
            if own["bytes"].as_str().unwrap().len() as u64 != 2 * place(own).1 {
                wrong.push(format!(
                    "the bytes of {} are not as many as it has",
                    own["address"]
                ));
            }
        }
    }
}
