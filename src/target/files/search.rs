//! Finds a file of a target on this machine.

use super::header::{Header, Load};
use crate::address::Address;
use crate::target::FileMapping;
use crate::target::core::map;
use memmap2::Mmap;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where files of a target are looked for.
#[derive(Clone, Debug, Default)]
pub struct FileSearch {
    /// Files that the user named: the executable, or the library that contains CPython.
    pub named: Vec<PathBuf>,
    /// Directories that stand for `/` of the machine of the target. Without one, this machine's own files are meant.
    pub roots: Vec<PathBuf>,
    /// Directories with files by their build id.
    pub debug_directories: Vec<PathBuf>,
    /// Directories in which debuginfod keeps what it fetched: `BUILD-ID/executable`, `BUILD-ID/debuginfo`.
    pub fetched: Vec<PathBuf>,
    /// A directory that may hold copies without their path, such as that of the core.
    pub beside: Option<PathBuf>,
    /// Roots in which everything is that is nowhere else.
    pub last_roots: Vec<PathBuf>,
    /// A copy of the executable.
    pub main_copy: Option<PathBuf>,
}

/// A file that was found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub path: PathBuf,
    pub bytes: Arc<Mmap>,
    pub header: Header,
    pub build_id: Option<String>,
}

/// What came of looking for a file.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is the same build, or nothing says that it is not.
    Found { file: Found, checked: bool },
    /// There are files where it should be, but they are others: why, for each.
    Other(Vec<String>),
    /// It is nowhere.
    Nowhere,
}

/// The files of this machine that were looked at, each opened once.
#[derive(Debug, Default)]
pub(super) struct Opened(HashMap<PathBuf, Option<Found>>);

impl Opened {
    pub(super) fn open(&mut self, path: &Path) -> Option<&Found> {
        let entry = self.0.entry(path.to_owned());
        entry.or_insert_with(|| open(path)).as_ref()
    }
}

fn open(path: &Path) -> Option<Found> {
    let bytes = map(path).ok()?;
    let header = Header::parse(&bytes)?;
    Some(Found {
        path: path.to_owned(),
        build_id: header.build_id_in_file(&bytes),
        bytes: Arc::new(bytes),
        header,
    })
}

impl FileSearch {
    /// Where the debuginfod of debuggers keeps files (debuginfod_find_debuginfo(3)).
    pub fn debuginfod_caches() -> Vec<PathBuf> {
        let variable = |name| std::env::var_os(name).map(PathBuf::from);
        let own = variable("DEBUGINFOD_CACHE_PATH");
        let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
        let usual = cache.map(|cache| cache.join("debuginfod_client"));
        own.into_iter().chain(usual).collect()
    }

    /// Where the named executables must lie in the memory of a target that does not tell (QEMU's cores do not), if it
    /// begins to run at `entry`.
    pub(in crate::target) fn mappings_of_named(&self, entry: Option<Address>) -> Vec<FileMapping> {
        let files = self.named.iter().filter_map(|path| open(path));
        files
            .flat_map(|file| {
                let bias = match (file.header.fixed, entry) {
                    (true, _) => Some(0),
                    (false, entry) => entry.map(|entry| entry.0.wrapping_sub(file.header.entry)),
                };
                let mapping = |bias: u64, load: &Load| FileMapping {
                    range: load.pages(bias),
                    offset: load.first_page(),
                    path: file.path.clone(),
                };
                let loads = file.header.loads.iter();
                let mappings = bias.map(|bias| loads.map(|load| mapping(bias, load)).collect());
                mappings.unwrap_or_else(Vec::new)
            })
            .collect()
    }

    /// Looks for the file that the target called `name`, whose build id is known or not. `is_main` says that it is the
    /// executable.
    pub(super) fn find(
        &self,
        opened: &mut Opened,
        name: &Path,
        build_id: Option<&str>,
        is_main: bool,
    ) -> Outcome {
        let mut reasons = Vec::new();
        for path in self.candidates(opened, name, build_id, is_main) {
            let Some(file) = opened.open(&path) else {
                continue;
            };
            match (build_id, file.build_id.as_deref()) {
                (Some(wanted), Some(found)) if wanted == found => {
                    return Outcome::Found {
                        file: file.clone(),
                        checked: true,
                    };
                }
                (Some(_), Some(found)) => {
                    reasons.push(format!("{} has build id {found}", path.display()));
                }
                (Some(_), None) => reasons.push(format!("{} has no build id", path.display())),
                // Only a file that stands where it should, or is named, is taken at its word.
                (None, _) => {
                    return Outcome::Found {
                        file: file.clone(),
                        checked: false,
                    };
                }
            }
        }
        reasons.dedup();
        match reasons.is_empty() {
            true => Outcome::Nowhere,
            false => Outcome::Other(reasons),
        }
    }

    fn candidates(
        &self,
        opened: &mut Opened,
        name: &Path,
        build_id: Option<&str>,
        is_main: bool,
    ) -> Vec<PathBuf> {
        // The kernel appends this to the name of a file that was replaced, by an update for example.
        let text = name.to_string_lossy();
        let name = text.strip_suffix(" (deleted)").map_or(name, Path::new);
        let below_root = name.strip_prefix("/").unwrap_or(name);
        // A named file may be any image: its build id tells which, without one its name.
        let mut paths = self.named.clone();
        paths.retain(|path| {
            let mut same_build = || {
                build_id.is_some()
                    && opened
                        .open(path)
                        .is_some_and(|file| file.build_id.as_deref() == build_id)
            };
            is_main || path.file_name() == name.file_name() || same_build()
        });
        paths.extend(self.roots.iter().map(|root| root.join(below_root)));
        // Without a build id, a file of this machine is no file of the other machine whose root was named.
        if self.roots.is_empty() || build_id.is_some() {
            paths.push(name.to_owned());
        }
        if let (Some(directory), Some(file)) = (&self.beside, name.file_name()) {
            paths.push(directory.join(file));
        }
        paths.extend(build_id.into_iter().flat_map(|id| self.by_build_id(id)));
        paths.extend(self.last_roots.iter().map(|root| root.join(below_root)));
        paths.extend(self.main_copy.iter().filter(|_| is_main).cloned());
        paths
    }
    /// Where executables and libraries lie by their build id.
    fn by_build_id(&self, id: &str) -> Vec<PathBuf> {
        let usual = [PathBuf::from("/usr/lib/debug"), PathBuf::from("/usr/lib")];
        let directories = self.debug_directories.iter().chain(&usual);
        let (first, rest) = id.split_at_checked(2).unwrap_or((id, ""));
        let stored =
            directories.map(|directory| directory.join(".build-id").join(first).join(rest));
        let fetched = self
            .fetched
            .iter()
            .map(|cache| cache.join(id).join("executable"));
        stored.chain(fetched).collect()
    }

    /// The debug files of this build that debuginfod has fetched.
    pub(super) fn fetched_debug_files(&self, build_id: Option<&str>) -> Vec<PathBuf> {
        let caches = build_id.into_iter().flat_map(|id| {
            self.fetched
                .iter()
                .map(move |cache| cache.join(id).join("debuginfo"))
        });
        caches.filter(|path| path.is_file()).collect()
    }
}
