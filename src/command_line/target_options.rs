//! The options that say which target.

use clap::Args;
use std::path::PathBuf;

/// A core or a process, and where its files are.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Target")]
pub struct TargetOptions {
    /// Read this core dump (also compressed with gzip, xz, Zstandard or LZ4)
    #[arg(long, value_name = "CORE", conflicts_with = "pid")]
    pub core: Option<PathBuf>,

    /// Read this process while it runs
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(u32).range(1..))]
    pub pid: Option<u32>,

    /// Hold all threads of the process while it is read
    #[arg(long, requires = "pid")]
    pub stop: bool,

    /// The thread whose registers are meant; by default the one that crashed
    #[arg(long, value_name = "TID")]
    pub thread: Option<u64>,

    /// The executable, or the library that contains CPython, if it is not where it was (may be repeated)
    #[arg(long, value_name = "FILE")]
    pub exe: Vec<PathBuf>,

    /// Look for the target's files below this directory instead of / (may be repeated)
    #[arg(long, value_name = "DIR")]
    pub sysroot: Vec<PathBuf>,

    /// A separate debug file (may be repeated)
    #[arg(long, value_name = "FILE")]
    pub debug_file: Vec<PathBuf>,

    /// A directory like /usr/lib/debug, with debug files by build id or path (may be repeated)
    #[arg(long, value_name = "DIR")]
    pub debug_dir: Vec<PathBuf>,
}
