//! `cpyjit install`: lets a debugger load cpyjit whenever it starts.

mod block;
mod init_file;

use super::installation::{Debugger, Installation};
use crate::command::{Failure, Reply};
use init_file::InitFiles;
use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  cpyjit install gdb                every GDB that you start from now on has the commands jit-*
  cpyjit install lldb --dry-run     show what would be written, and change nothing
  cpyjit install gdb --uninstall    take it out again: the file is as it was

One marked block goes into the init file that the debugger reads: $XDG_CONFIG_HOME/gdb/gdbinit or \
~/.gdbinit, whichever GDB itself would choose, or ~/.lldbinit. All else in the file stays as it is. A second \
call changes nothing; one of another installation of cpyjit replaces the block.";

/// Let a debugger load cpyjit whenever it starts
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Install {
    /// For which debugger
    #[arg(value_parser = ["gdb", "lldb"])]
    debugger: String,

    /// Take the block out of the init file
    #[arg(long)]
    uninstall: bool,

    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// What the block of an init file loads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Loads {
    /// There is no block.
    Nothing,
    /// This installation.
    Ours,
    /// Something else: the lines of the block.
    Other(String),
}

impl Install {
    /// Does it, and tells what was done.
    pub fn run(&self, own_file: Option<&Path>) -> Result<Reply, Failure> {
        let debugger = match self.debugger.as_str() {
            "lldb" => Debugger::Lldb,
            _ => Debugger::Gdb,
        };
        let files = InitFiles::of(debugger)?;
        let text = match self.uninstall {
            true => self.take_out(debugger, &files)?,
            false => self.put_in(debugger, &files, &Installation::of(own_file)?)?,
        };
        Ok(Reply {
            text,
            ..Reply::default()
        })
    }

    fn put_in(
        &self,
        debugger: Debugger,
        files: &InitFiles,
        installation: &Installation,
    ) -> Result<String, Failure> {
        let path = files.chosen();
        let block = own_block(debugger, installation)?;
        let old = init_file::read(path)?;
        let new = block::with(old.as_deref(), &block)
            .map_err(|reason| init_file::broken(path, &reason))?;
        if old.as_ref() == Some(&new) {
            return Ok(format!("{} loads this cpyjit already\n", path.display()));
        }
        let before = old.as_deref().map(lines_of_blocks).unwrap_or_default();
        self.write(path, Some(&new))?;
        let done = match (before.is_empty(), self.dry_run) {
            (true, false) => "added to",
            (true, true) => "would be added to",
            (false, false) => "changed in",
            (false, true) => "would be changed in",
        };
        let mut text = format!("{done} {}:\n\n", path.display());
        set_in(&mut text, '-', &before);
        set_in(&mut text, '+', &String::from_utf8_lossy(&block));
        if !self.dry_run {
            text.push_str(&outlook(debugger));
        }
        Ok(text)
    }

    fn take_out(&self, debugger: Debugger, files: &InitFiles) -> Result<String, Failure> {
        let mut text = String::new();
        for path in files.all() {
            let Some(old) = init_file::read(path)? else {
                continue;
            };
            let block = lines_of_blocks(&old);
            let new = block::without(&old).map_err(|reason| init_file::broken(path, &reason))?;
            if new.as_ref() == Some(&old) {
                continue;
            }
            self.write(path, new.as_deref())?;
            let done = if self.dry_run {
                "would be taken out of"
            } else {
                "taken out of"
            };
            let _ = write!(text, "{done} {}:\n\n", path.display());
            set_in(&mut text, '-', &block);
            if new.is_none() {
                text.push_str("\nNothing else was in the file: it goes as well.\n");
            }
        }
        if text.is_empty() {
            let names: Vec<String> = files
                .all()
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            let _ = writeln!(
                text,
                "{} loads no cpyjit: there is no block of it in {}",
                debugger.name(),
                names.join(" or ")
            );
        }
        Ok(text)
    }

    fn write(&self, path: &Path, content: Option<&[u8]>) -> Result<(), Failure> {
        match self.dry_run {
            true => Ok(()),
            false => init_file::write(path, content),
        }
    }
}

/// What the user has of it.
fn outlook(debugger: Debugger) -> String {
    format!(
        "\n{} has the commands jit-* from its next start on. `cpyjit doctor` checks that,\n`cpyjit install {} --uninstall` takes \
         it out.\n",
        debugger.name(),
        debugger.program()
    )
}

/// What the init file loads that the debugger reads, and which file that is.
pub fn loads(debugger: Debugger, installation: &Installation) -> Result<(PathBuf, Loads), Failure> {
    let files = InitFiles::of(debugger)?;
    let path = files.chosen().to_owned();
    let content = init_file::read(&path)?.unwrap_or_default();
    let blocks = block::find(&content).map_err(|reason| init_file::broken(&path, &reason))?;
    let ours = own_block(debugger, installation)?;
    let loads = match blocks.as_slice() {
        [] => Loads::Nothing,
        [range] if content.get(range.clone()) == Some(&ours) => Loads::Ours,
        _ => Loads::Other(commands_of(&lines_of_blocks(&content))),
    };
    Ok((path, loads))
}

/// The block that loads this installation.
fn own_block(debugger: Debugger, installation: &Installation) -> Result<Vec<u8>, Failure> {
    let script = installation.script(debugger).into_os_string();
    if !Path::new(&script).is_file() {
        return Err(
            Failure::new(format!("{} is missing", script.display())).hint("install cpyjit again")
        );
    }
    Ok(block::block(
        &load_command(debugger, script)?,
        debugger.program(),
    ))
}

/// The line that loads a script. GDB takes the rest of a line for the name of the file.
fn load_command(debugger: Debugger, script: OsString) -> Result<Vec<u8>, Failure> {
    let path = script.as_bytes();
    // Debuggers read these as the ends of words or lines, or as something to be computed.
    if path
        .iter()
        .any(|byte| byte.is_ascii_control() || b"'\"`\\".contains(byte))
    {
        return Err(Failure::new(format!(
            "an init file cannot name {script:?}: quotes, backslashes and line breaks mean something else there"
        ))
        .hint("install cpyjit into a directory with another name"));
    }
    Ok(match debugger {
        Debugger::Gdb => [b"source ", path].concat(),
        Debugger::Lldb => [b"command script import \"", path, b"\""].concat(),
    })
}

/// The text of the blocks that are in a file.
fn lines_of_blocks(content: &[u8]) -> String {
    let blocks = block::find(content).unwrap_or_default().into_iter();
    let bytes = blocks.filter_map(|range| content.get(range));
    bytes.map(String::from_utf8_lossy).collect()
}

/// What stands in them.
fn commands_of(blocks: &str) -> String {
    let lines = blocks.lines().map(str::trim);
    lines
        .filter(|line| !line.starts_with('#'))
        .collect::<Vec<_>>()
        .join("; ")
}

fn set_in(text: &mut String, sign: char, lines: &str) {
    for line in lines.lines() {
        let _ = writeln!(text, "  {sign} {line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_files_as_each_debugger_reads_them() {
        let gdb = load_command(Debugger::Gdb, "/a b/x.py".into()).unwrap();
        assert_eq!(gdb, b"source /a b/x.py");
        let lldb = load_command(Debugger::Lldb, "/a b/x.py".into()).unwrap();
        assert_eq!(lldb, b"command script import \"/a b/x.py\"");
        for odd in ["/a\nb", "/a'b", "/a`b", "/a\"b", "/a\\b"] {
            assert!(load_command(Debugger::Gdb, odd.into()).is_err());
        }
    }

    #[test]
    fn what_a_block_holds_is_told_in_a_line() {
        let block = block::block(b"source /a.py", "gdb");
        let content = [b"x\n\n", block.as_slice()].concat();
        assert_eq!(commands_of(&lines_of_blocks(&content)), "source /a.py");
    }
}
