//! `--filter` and `--sort` of `jit-list`.

use super::reply::Failure;
use crate::listing::ExecutorHeader;
use crate::session::pattern;
use clap::ValueEnum;
use std::cmp::Ordering;

/// What the help says of `--filter`.
pub(super) const HELP: &str = "\
FILTER is one of
  TEXT or PATTERN   the function or file contains it (with * and ? it has to match)
  function=PATTERN  file=PATTERN
  state=WORD        valid, invalid, pending, warm, running, entered, exits-only
  uops>N  exits>N  bytes>N  depth>N   (also < and =)
Several --filter options must all hold.";

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(Condition);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Text(String),
    Function(String),
    File(String),
    State(State),
    Number(Quantity, Ordering, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    Valid,
    Invalid,
    Pending,
    Warm,
    Running,
    Entered,
    ExitsOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Quantity {
    Uops,
    Exits,
    Bytes,
    Depth,
}

impl Filter {
    /// Understands one `--filter`.
    pub fn parse(text: &str) -> Result<Filter, Failure> {
        let Some(at) = text.find(['=', '<', '>']) else {
            return Ok(Filter(Condition::Text(text.to_owned())));
        };
        let (key, rest) = text.split_at(at);
        let order = match rest.chars().next() {
            Some('<') => Ordering::Less,
            Some('>') => Ordering::Greater,
            _ => Ordering::Equal,
        };
        let value = rest.get(1..).unwrap_or_default();
        let wrong = || Failure::usage(format!("{text} is no filter")).hint(HELP);
        let condition = match (key, order) {
            ("function", Ordering::Equal) => Condition::Function(value.to_owned()),
            ("file", Ordering::Equal) => Condition::File(value.to_owned()),
            ("state", Ordering::Equal) => {
                Condition::State(State::from_str(value, true).map_err(|_| wrong())?)
            }
            _ => {
                let quantity = Quantity::from_str(key, true).map_err(|_| wrong())?;
                Condition::Number(quantity, order, value.parse().map_err(|_| wrong())?)
            }
        };
        Ok(Filter(condition))
    }

    /// Whether the condition holds.
    pub fn holds(&self, executor: &ExecutorHeader) -> bool {
        let names = [&executor.qualname, &executor.filename];
        match &self.0 {
            Condition::Text(pattern) => names
                .into_iter()
                .flatten()
                .any(|name| contains(pattern, name)),
            Condition::Function(pattern) => executor
                .qualname
                .as_deref()
                .is_some_and(|name| contains(pattern, name)),
            Condition::File(pattern) => executor
                .filename
                .as_deref()
                .is_some_and(|name| contains(pattern, name)),
            Condition::State(state) => state.holds(executor),
            Condition::Number(quantity, order, limit) => quantity.of(executor).cmp(limit) == *order,
        }
    }
}

fn contains(wanted: &str, name: &str) -> bool {
    match wanted.contains(['*', '?']) {
        true => pattern::matches(wanted, name),
        false => name.contains(wanted),
    }
}

impl State {
    fn holds(self, executor: &ExecutorHeader) -> bool {
        let state = &executor.state;
        match self {
            State::Valid => state.valid,
            State::Invalid => !state.valid,
            State::Pending => state.pending_deletion,
            State::Warm => state.warm == Some(true),
            State::Running => !state.running_in.is_empty(),
            State::Entered => executor.entry.is_some(),
            State::ExitsOnly => executor.entry.is_none(),
        }
    }
}

impl Quantity {
    fn of(self, executor: &ExecutorHeader) -> u64 {
        match self {
            Quantity::Uops => executor.uop_count,
            Quantity::Exits => executor.exit_count,
            Quantity::Bytes => executor.code.size,
            Quantity::Depth => u64::from(executor.chain_depth.unwrap_or(0)),
        }
    }
}

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// The interpreter's own order
    Index,
    /// The name of the function
    Function,
    /// File and line
    Line,
    /// The number of uops, the most first
    Uops,
    /// The number of exits, the most first
    Exits,
    /// The size of the machine code, the largest first
    Bytes,
    /// The address of the machine code
    Address,
}

impl Sort {
    /// The order of two executors.
    pub fn compare(self, one: &ExecutorHeader, other: &ExecutorHeader) -> Ordering {
        let line = |executor: &ExecutorHeader| executor.entry.and_then(|entry| entry.line);
        match self {
            Sort::Index => one.index.cmp(&other.index),
            Sort::Function => one.qualname.cmp(&other.qualname),
            Sort::Line => (&one.filename, line(one)).cmp(&(&other.filename, line(other))),
            Sort::Uops => other.uop_count.cmp(&one.uop_count),
            Sort::Exits => other.exit_count.cmp(&one.exit_count),
            Sort::Bytes => other.code.size.cmp(&one.code.size),
            Sort::Address => one.code.address.cmp(&other.code.address),
        }
    }
}
