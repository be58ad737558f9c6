//! `cpyjit dis --raw`: a blob that was saved from `executor.get_jit_code()`.

use super::all::put_out;
use super::dis::Dis;
use super::executor::literal;
use super::refuse;
use super::reply::{Failure, Reply};
use crate::address::Address;
use crate::listing::{Architecture, Data, Finding, RawData, Report};
use crate::render::TextStyle;
use clap::{Args, FromArgMatches};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Longest file that is read; CPython's largest trace has code of some megabytes.
const LONGEST: u64 = 64 << 20;

/// Options of `cpyjit dis` for machine code without a target.
#[derive(Args, Clone, Debug)]
pub struct RawOptions {
    /// Disassemble this file, saved from executor.get_jit_code(), instead of a target
    #[arg(long, value_name = "FILE", conflicts_with_all = ["core", "pid", "executor", "all"], help_heading = "Raw machine code")]
    pub raw: Option<PathBuf>,

    /// The address that its first byte had
    #[arg(
        long,
        value_name = "ADDRESS",
        requires = "raw",
        default_value = "0",
        help_heading = "Raw machine code"
    )]
    base: String,

    /// The processor: x86_64 or aarch64; by default that of this machine
    #[arg(long, value_name = "ARCH", requires = "raw", default_value = std::env::consts::ARCH, help_heading = "Raw machine code")]
    arch: String,
}

/// Runs `cpyjit dis --raw`, if these are its arguments.
pub fn run_raw(matches: &clap::ArgMatches, style: TextStyle) -> Option<Reply> {
    let options = RawOptions::from_arg_matches(matches).ok()?;
    let dis = Dis::from_arg_matches(matches).ok()?;
    let path = options.raw.as_deref()?;
    Some(match report(path, &options, &dis) {
        Ok(report) => put_out(&report, &dis.output, style),
        Err(failure) => {
            let json = dis.output.json.then(|| "--json".to_owned());
            refuse(&failure, &Vec::from_iter(json), style)
        }
    })
}

fn report(path: &Path, options: &RawOptions, dis: &Dis) -> Result<Report, Failure> {
    let base = literal(&options.base)
        .ok_or_else(|| Failure::usage(format!("{} is no address (0x7f00)", options.base)))?;
    let architecture: Architecture = options.arch.parse().map_err(Failure::from)?;
    let code =
        read(path).map_err(|reason| Failure::new(format!("{}: {reason}", path.display())))?;
    let data = RawData::new(&code, base, architecture, dis.syntax(), dis.view(None))?;
    Ok(Report {
        target: None,
        data: Data::Raw(Box::new(data)),
        findings: findings(base),
    })
}

fn findings(base: Address) -> Vec<Finding> {
    let mut findings = vec![Finding::note(
        "which uops these are is not told: that takes the trace of the executor (--core, --pid); behind the code lie \
         trampolines and data, which are decoded as if they were code",
    )];
    if base.is_null() {
        findings.push(
            Finding::note("calls and jumps out of the code are relative to where it was")
                .hint("--base ADDRESS makes their destinations right"),
        );
    }
    findings
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut code = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    let read = file.take(LONGEST + 1).read_to_end(&mut code);
    read.map_err(|error| error.to_string())?;
    match code.len() as u64 {
        0 => Err("it is empty".to_owned()),
        size if size > LONGEST => Err(format!("it has more than {LONGEST} bytes")),
        _ => Ok(code),
    }
}
