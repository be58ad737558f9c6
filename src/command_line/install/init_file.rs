//! The files that debuggers read when they start: which one, and how it is changed.

use super::block::Broken;
use crate::command::Failure;
use crate::command_line::installation::Debugger;
use std::ffi::OsString;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// Largest file that is changed, in bytes. People write some hundred lines.
const LARGEST: u64 = 16 << 20;

/// All files that the debugger might read, the first that exists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InitFiles {
    places: Vec<PathBuf>,
}

impl InitFiles {
    /// Those of the user whose environment this is.
    pub fn of(debugger: Debugger) -> Result<InitFiles, Failure> {
        InitFiles::from_variables(debugger, |name| {
            std::env::var_os(name).filter(|value| !value.is_empty())
        })
    }

    fn from_variables(
        debugger: Debugger,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<InitFiles, Failure> {
        let home = variable("HOME")
            .map(PathBuf::from)
            .filter(|home| home.is_absolute());
        let home = home.ok_or_else(|| {
            Failure::new(format!(
                "HOME is not set, so {} reads no init file",
                debugger.name()
            ))
        })?;
        let places = match debugger {
            // GDB's find_gdb_home_config_file.
            Debugger::Gdb => {
                let config = variable("XDG_CONFIG_HOME").map(PathBuf::from);
                let config = config.unwrap_or_else(|| home.join(".config"));
                vec![config.join("gdb/gdbinit"), home.join(".gdbinit")]
            }
            Debugger::Lldb => vec![home.join(".lldbinit")],
        };
        Ok(InitFiles { places })
    }

    /// All of them.
    pub fn all(&self) -> &[PathBuf] {
        &self.places
    }

    /// The one that is read, or would be if it were made.
    pub fn chosen(&self) -> &Path {
        let exists = self.places.iter().find(|place| place.exists());
        let in_folder = || {
            self.places
                .iter()
                .find(|place| place.parent().is_some_and(Path::is_dir))
        };
        let chosen = exists.or_else(in_folder).or(self.places.last());
        chosen.map_or(Path::new("."), PathBuf::as_path)
    }
}

/// The content of an init file; `None` if there is none.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let Some(metadata) = metadata(path)? else {
        return Ok(None);
    };
    if metadata.len() > LARGEST {
        return Err(Failure::new(format!(
            "{} is too large to be an init file",
            path.display()
        )));
    }
    fs::read(path)
        .map(Some)
        .map_err(|error| cannot("read", path, &error))
}

fn metadata(path: &Path) -> Result<Option<Metadata>, Failure> {
    let what = |what: &str| Err(Failure::new(format!("{} {what}", path.display())));
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(metadata)),
        Ok(_) => what("is no regular file"),
        Err(error) if error.kind() == ErrorKind::NotFound && path.is_symlink() => {
            what("is a link to a file that does not exist")
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot("read", path, &error)),
    }
}

/// Puts this content into the file, or takes the file away. Whoever reads it sees the old content or the new one.
pub fn write(path: &Path, content: Option<&[u8]>) -> Result<(), Failure> {
    let old = metadata(path)?;
    // It is the file behind a link that changes, so that dotfiles may be kept elsewhere.
    let file = match old {
        Some(_) => path
            .canonicalize()
            .map_err(|error| cannot("find", path, &error))?,
        None => path.to_owned(),
    };
    // A directory may be written to by those who may not write to the file.
    if old.as_ref().is_some_and(|old| old.permissions().readonly()) {
        let failure = Failure::new(format!("{} is read-only", path.display()));
        return Err(failure.hint(format!("chmod u+w {}", file.display())));
    }
    let done = match content {
        None if !path.is_symlink() => fs::remove_file(&file),
        _ => replace(&file, content.unwrap_or_default(), old.as_ref()),
    };
    done.map_err(|error| cannot("write", path, &error))
}

fn replace(file: &Path, content: &[u8], old: Option<&Metadata>) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let mut new = tempfile::Builder::new()
        .prefix(".cpyjit-")
        // As of any file; the user's mask applies.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    new.write_all(content)?;
    if let Some(old) = old {
        keep_owner(new.as_file(), old)?;
        new.as_file().set_permissions(old.permissions())?;
    }
    new.as_file().sync_all()?;
    new.persist(file)?;
    Ok(())
}

/// Where root works for somebody else, the file stays theirs.
fn keep_owner(new: &File, old: &Metadata) -> io::Result<()> {
    let made = new.metadata()?;
    if (made.uid(), made.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    fchown(new, Some(old.uid()), Some(old.gid()))
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot {what} {}: {error}", path.display()))
}

/// Says what is wrong with the blocks of a file.
pub fn broken(path: &Path, broken: &Broken) -> Failure {
    let path = path.display();
    let what = match broken {
        Broken::NoEnd(line) => {
            format!("the block of cpyjit that begins in line {line} of {path} has no end")
        }
        Broken::NoBegin(line) => {
            format!("the block of cpyjit that ends in line {line} of {path} has no beginning")
        }
        Broken::Several(count) => {
            return Failure::new(format!("{path} has {count} blocks of cpyjit"))
                .hint("--uninstall takes out all of them");
        }
    };
    Failure::new(what).hint("take its lines out by hand, then try again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    fn gdb(home: &TempDir, config: Option<&Path>) -> InitFiles {
        InitFiles::from_variables(Debugger::Gdb, |name| match name {
            "HOME" => Some(home.path().into()),
            _ => config.map(Into::into),
        })
        .unwrap()
    }

    #[test]
    fn gdb_reads_the_first_that_exists() {
        let home = TempDir::new().unwrap();
        let (old, new) = (
            home.path().join(".gdbinit"),
            home.path().join(".config/gdb/gdbinit"),
        );
        assert_eq!(gdb(&home, None).chosen(), old);
        fs::create_dir_all(new.parent().unwrap()).unwrap();
        assert_eq!(gdb(&home, None).chosen(), new);
        fs::write(&old, "").unwrap();
        assert_eq!(gdb(&home, None).chosen(), old);
        fs::write(&new, "").unwrap();
        assert_eq!(gdb(&home, None).chosen(), new);
        assert_eq!(gdb(&home, Some(Path::new("/nowhere"))).chosen(), old);
        let nobody = InitFiles::from_variables(Debugger::Lldb, |_| None).unwrap_err();
        assert!(nobody.sentence().starts_with("HOME is not set"));
    }

    #[test]
    fn files_keep_mode_and_links_and_odd_ones_are_refused() {
        let home = TempDir::new().unwrap();
        let (file, link) = (home.path().join("kept"), home.path().join("link"));
        symlink(&file, &link).unwrap();
        let sentence = |result: Result<(), Failure>| result.unwrap_err().sentence();
        assert!(sentence(write(&link, Some(b"x"))).contains("does not exist"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        write(&link, Some(b"new")).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
        write(&link, None).unwrap();
        assert_eq!(read(&link).unwrap().unwrap(), b"");
        fs::set_permissions(&file, Permissions::from_mode(0o400)).unwrap();
        assert!(sentence(write(&link, Some(b"x"))).contains("is read-only"));
        assert!(sentence(write(home.path(), Some(b"x"))).contains("no regular file"));
        assert!(sentence(write(&home.path().join("a/b"), Some(b"x"))).contains("cannot write"));
        let only_these = fs::read_dir(home.path()).unwrap().count();
        assert_eq!(only_these, 2, "no unfinished files are left");
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        write(&file, None).unwrap();
        assert_eq!(read(&file).unwrap(), None);
    }
}
