//! What the program is to do.

use std::path::PathBuf;

pub struct Options {
    pub role: Role,
    /// How many cases.
    pub cases: u64,
    /// What all choices follow from.
    pub seed: u64,
    /// How many processes.
    pub workers: u64,
    /// Where the CPythons are.
    pub testbed: PathBuf,
    /// Where the undamaged cores and what is known of failures are kept.
    pub kept: PathBuf,
    /// Where each worker has its copies, in a directory with its process id.
    pub scratch: PathBuf,
}

pub enum Role {
    Supervisor,
    /// Tries `first`, `first + step`, ….
    Worker {
        first: u64,
        step: u64,
    },
    /// Tries one case and tells what it does.
    Replay(u64),
}

impl Options {
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options {
            role: Role::Supervisor,
            cases: 10_000,
            seed: 1,
            workers: std::thread::available_parallelism().map_or(1, |n| n.get() as u64),
            testbed: PathBuf::new(),
            kept: PathBuf::new(),
            scratch: PathBuf::new(),
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let next = arguments.next();
                next.ok_or_else(|| format!("{argument} needs a value"))
            };
            match argument.as_str() {
                "--seed" => options.seed = number(&value()?)?,
                "--workers" => options.workers = number(&value()?)?.max(1),
                "--testbed" => options.testbed = value()?.into(),
                "--kept" => options.kept = value()?.into(),
                "--scratch" => options.scratch = value()?.into(),
                "--case" => options.role = Role::Replay(number(&value()?)?),
                "--worker" => {
                    let first = number(&value()?)?;
                    let step = number(&value()?)?;
                    options.role = Role::Worker { first, step };
                }
                count if count.starts_with(|c: char| c.is_ascii_digit()) => {
                    options.cases = number(count)?;
                }
                other => return Err(format!("unknown option {other}; see scripts/mutate --help")),
            }
        }
        Ok(options)
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is no number"))
}
