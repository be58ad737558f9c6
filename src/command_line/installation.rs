//! What belongs to this cpyjit: the extension and the scripts that debuggers load.

use crate::command::Failure;
use std::path::{Path, PathBuf};

/// The extension, which stands beside the program in the source tree and is the program in a package.
const EXTENSION: &str = "cpyjit.abi3.so";

/// The debuggers that cpyjit has a front-end for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Debugger {
    /// GDB.
    Gdb,
    /// LLDB.
    Lldb,
}

impl Debugger {
    /// `gdb`, as it is called.
    pub fn program(self) -> &'static str {
        match self {
            Debugger::Gdb => "gdb",
            Debugger::Lldb => "lldb",
        }
    }

    /// `GDB`, as people write it.
    pub fn name(self) -> &'static str {
        match self {
            Debugger::Gdb => "GDB",
            Debugger::Lldb => "LLDB",
        }
    }

    /// The script that asks it for `cpyjit doctor`.
    fn probe(self) -> &'static str {
        match self {
            Debugger::Gdb => "gdb/cpyjit_gdb_doctor.py",
            Debugger::Lldb => "lldb/cpyjit_lldb_doctor.py",
        }
    }

    /// The script that it loads, below the directory of the front-ends.
    fn script(self) -> &'static str {
        match self {
            Debugger::Gdb => "gdb/cpyjit_gdb.py",
            Debugger::Lldb => "lldb/cpyjit_lldb.py",
        }
    }
}

/// Where the files of this cpyjit are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Installation {
    /// The one above `gdb` and `lldb`.
    directory: PathBuf,
    extension: PathBuf,
}

impl Installation {
    /// The one that `own_file`, the program or extension that runs now, belongs to.
    pub fn of(own_file: Option<&Path>) -> Result<Installation, Failure> {
        let beside = own_file
            .and_then(|file| std::path::absolute(file).ok())
            .and_then(|file| Some(file.parent()?.to_owned()))
            .ok_or_else(|| {
                Failure::new("the operating system does not tell where this cpyjit is")
            })?;
        // A package has the scripts beside the extension; the source tree has the program in target/cpyjit.
        let above = beside.parent().and_then(Path::parent);
        let places = [Some(beside.as_path()), above];
        let found = (places.into_iter().flatten())
            .find(|place| place.join(Debugger::Gdb.script()).is_file())
            .map(Path::to_owned);
        match found {
            Some(directory) => Ok(Installation {
                directory,
                extension: beside.join(EXTENSION),
            }),
            None => Err(Failure::new(format!(
                "this cpyjit is not installed: there are no scripts for debuggers beside it in {}",
                beside.display()
            ))
            .hint("use the one of the wheel (scripts/wheel builds it), or target/cpyjit/cpyjit (scripts/build)")),
        }
    }

    /// The directory of the package, or the source tree.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The extension, which need not be there in the source tree.
    pub fn extension(&self) -> &Path {
        &self.extension
    }

    /// What makes a debugger tell of itself, in one line.
    pub fn probe(&self, debugger: Debugger) -> PathBuf {
        self.directory.join(debugger.probe())
    }

    /// What a debugger is told to load.
    pub fn script(&self, debugger: Debugger) -> PathBuf {
        self.directory.join(debugger.script())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn scripts_are_beside_the_extension_or_above_the_program() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("gdb")).unwrap();
        fs::write(folder.path().join("gdb/cpyjit_gdb.py"), "").unwrap();
        for own in ["cpyjit.abi3.so", "target/cpyjit/cpyjit"] {
            let found = Installation::of(Some(&folder.path().join(own))).unwrap();
            assert_eq!(
                found.script(Debugger::Lldb),
                folder.path().join("lldb/cpyjit_lldb.py")
            );
        }
        let elsewhere = Installation::of(Some(&folder.path().join("a/b/c/cpyjit"))).unwrap_err();
        assert!(
            elsewhere.sentence().contains("not installed"),
            "{}",
            elsewhere.sentence()
        );
        assert!(Installation::of(None).is_err());
    }
}
