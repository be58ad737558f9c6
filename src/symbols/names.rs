//! What executors and their files are called.

use crate::listing::ExecutorListing;
use crate::render::executor_title;

/// Characters of a function's name that file names keep, so that these stay below the 255 of file systems.
const LONGEST_NAME: usize = 100;

/// `f@18`: the function in which the trace begins, and the line there. Both debuggers take that for one word; with a dot
/// GDB would cut it off as the number of a clone, with a colon it would be a file.
pub fn executor(listing: &ExecutorListing) -> String {
    let header = &listing.executor;
    let first = listing.uops.first();
    let function = match (&header.qualname, first) {
        (Some(qualname), _) => word(&qualname.replace("<locals>.", "")),
        // Cold exits belong to no function.
        (None, Some(uop)) => word(uop.base.trim_start_matches('_')).to_lowercase(),
        (None, None) => "executor".to_owned(),
    };
    let entered = header.entry.and_then(|entry| entry.line);
    let begins = listing.uops.iter().find_map(|row| row.line);
    match entered.or(begins).or(header.firstlineno) {
        Some(line) => format!("{function}@{line}"),
        None => function,
    }
}

/// The first line of the listing, which is the same whenever it is written.
pub fn title(listing: &ExecutorListing, name: &str) -> String {
    format!("{name}: {}", executor_title(&listing.executor))
}

/// The name of the listing.
pub fn listing(name: &str, number: u64) -> String {
    format!("{}-{number}.uops", name.replace('@', "."))
}

/// Letters, digits, dots and underscores of a name; what else the target has put there is no part of one word.
fn word(name: &str) -> String {
    let plain = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let word: String = name.chars().filter(plain).take(LONGEST_NAME).collect();
    match word.is_empty() {
        true => "executor".to_owned(),
        false => word,
    }
}
