//! When a process of this machine started (proc_pid_stat(5), proc_stat(5)).

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// `USER_HZ`, in which the kernel tells times: 100 on every processor that CPython has a JIT for.
const TICKS: u64 = 100;

/// What stands behind the name in `/proc/PID/stat` before field 22, `starttime`.
const FIELDS_BEFORE: usize = 19;

/// When the process started; `None` if it does not run `executable`: then the id is one of another machine.
pub fn started(id: u64, executable: &Path) -> Option<SystemTime> {
    let runs = fs::canonicalize(format!("/proc/{id}/exe")).ok()?;
    if runs != fs::canonicalize(executable).ok()? {
        return None;
    }
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let system = fs::read_to_string("/proc/stat").ok()?;
    SystemTime::UNIX_EPOCH.checked_add(since_epoch(&stat, &system)?)
}

fn since_epoch(stat: &str, system: &str) -> Option<Duration> {
    // The name may contain anything, blanks and parentheses too.
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks: u64 = fields.split(' ').nth(FIELDS_BEFORE)?.trim().parse().ok()?;
    let boot = system
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?;
    let boot: u64 = boot.trim().parse().ok()?;
    Some(Duration::from_secs(boot.checked_add(ticks / TICKS)?))
}

#[cfg(test)]
mod tests {
    use super::{since_epoch, started};
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    #[test]
    fn reads_what_the_kernel_tells() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 12345 99 1";
        let system = "cpu 1 2\nbtime 1000000\nprocesses 5\n";
        assert_eq!(
            since_epoch(stat, system),
            Some(Duration::from_secs(1_000_123))
        );
        assert_eq!(since_epoch("7 (a) S 1", system), None);
        assert_eq!(since_epoch(stat, "cpu 1"), None);
    }

    #[test]
    fn knows_its_own_start_and_no_other_program_s() {
        let own = std::env::current_exe().unwrap();
        let start = started(std::process::id().into(), &own).unwrap();
        let age = SystemTime::now().duration_since(start).unwrap_or_default();
        assert!(age < Duration::from_secs(3600), "{age:?}");
        assert_eq!(started(std::process::id().into(), Path::new("/")), None);
    }
}
