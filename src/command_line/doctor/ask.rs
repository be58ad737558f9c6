//! Asks other programs: started, watched, and read.

use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a program may take. An LLDB needs some seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked at.
const INTERVAL: Duration = Duration::from_millis(5);

/// What is read of what it prints, in bytes: init files may greet with pictures.
const LONGEST: u64 = 1 << 20;

/// What stands before an answer, among all that the user's own init files print.
const MARK: &str = "cpyjit-doctor ";

/// What a program printed on both streams.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Printed {
    text: String,
}

impl Printed {
    /// The answer of one of the probes; what went wrong, if there is none.
    pub fn answer<A: DeserializeOwned>(&self) -> Result<A, String> {
        let answer = self
            .text
            .lines()
            .find_map(|line| line.trim().strip_prefix(MARK));
        match answer.and_then(|json| serde_json::from_str(json).ok()) {
            Some(answer) => Ok(answer),
            None => Err(self.last_words()),
        }
    }

    /// Why something did not work: what the front-end complained of, or else the last words.
    pub fn reason(&self) -> String {
        self.complaint().unwrap_or_else(|| self.last_words())
    }

    fn complaint(&self) -> Option<String> {
        let lines = self.text.lines();
        let mut complaints = lines.filter_map(|line| line.trim().strip_prefix("cpyjit: "));
        complaints.next().map(ToOwned::to_owned)
    }

    /// The last line, which is mostly why a program ended.
    fn last_words(&self) -> String {
        // LLDB repeats what it was told to do.
        let is_ours = |line: &str| line.starts_with(MARK) || line.starts_with("(lldb) ");
        let mut lines = self.text.lines().rev().map(str::trim);
        let last = lines.find(|line| !line.is_empty() && !is_ours(line));
        last.unwrap_or("it printed nothing").to_owned()
    }
}

/// Runs a program to its end: what it printed, or why it cannot be run.
pub fn ask(command: &mut Command) -> Result<Printed, String> {
    run(command, PATIENCE).map_err(|error| error.to_string())
}

fn run(command: &mut Command, patience: Duration) -> std::io::Result<Printed> {
    // Files, since a pipe stays open for as long as anything lives that the program has started.
    let mut printed = tempfile::tempfile()?;
    let output = || printed.try_clone().map(Stdio::from);
    command
        .stdin(Stdio::null())
        .stdout(output()?)
        .stderr(output()?);
    let mut child = command.spawn()?;
    let end = Instant::now() + patience;
    while child.try_wait()?.is_none() {
        if Instant::now() > end {
            child.kill()?;
            child.wait()?;
            return Err(std::io::Error::other(format!(
                "it does not end within {} s",
                patience.as_secs()
            )));
        }
        sleep(INTERVAL);
    }
    Ok(Printed {
        text: text_of(&mut printed)?,
    })
}

fn text_of(file: &mut File) -> std::io::Result<String> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The directories in which programs are looked for.
pub fn directories_of_programs() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .collect()
}

/// The program of this name, as a shell finds it.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let directories = directories_of_programs().into_iter();
    directories
        .map(|directory| directory.join(name))
        .find(|path| is_program(path))
}

/// Whether this can be run.
pub fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn answers_are_found_among_other_lines() {
        let printed = ask(&mut shell(
            "echo hello; echo 'cpyjit-doctor [3, 15]'; echo 'cpyjit: no' >&2; echo bye",
        ))
        .unwrap();
        assert_eq!(printed.answer::<Vec<u32>>().unwrap(), [3, 15]);
        assert_eq!(printed.complaint().as_deref(), Some("no"));
        assert_eq!(printed.answer::<String>(), Err("bye".to_owned()));
        let silent = ask(&mut shell("echo '(lldb) command'; exit 3")).unwrap();
        assert_eq!(silent.answer::<u32>(), Err("it printed nothing".to_owned()));
    }

    #[test]
    fn who_does_not_end_is_ended() {
        let start = Instant::now();
        let error = run(&mut shell("exec sleep 100"), Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("does not end"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(20));
        assert!(ask(&mut Command::new("/nowhere/at/all")).is_err());
    }
}
