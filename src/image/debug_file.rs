//! Finds the separate debug file of an ELF file, where GDB would look for it.

use super::dwarf::has_dwarf;
use super::elf_file::{ElfFile, build_id};
use super::finding::Finding;
use object::read::Object;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The debug directory of every distribution; looked into after those of the debugger.
const USUAL_DIRECTORY: &str = "/usr/lib/debug";

/// Where to look for debug files.
#[derive(Clone, Debug, Default)]
pub struct DebugSearch {
    /// Files that the debugger found already (it knows debuginfod and its own settings), for whichever image.
    pub debug_files: Vec<PathBuf>,
    /// The debugger's debug directories, like `/usr/lib/debug`, which is looked into in any case.
    pub debug_directories: Vec<PathBuf>,
}

/// A place where the debug file may be.
struct Candidate {
    path: PathBuf,
    /// The checksum that the file must have, if the image names one.
    checksum: Option<u32>,
    /// Whether to say so when the file is not there: somebody said it is.
    expected: bool,
}

/// The first debug file that belongs to `image`, and what is wrong with those before it.
pub(super) fn find(image: &ElfFile, search: &DebugSearch) -> (Option<ElfFile>, Vec<Finding>) {
    let mut findings = Vec::new();
    for candidate in candidates(image, search) {
        if !candidate.expected && !candidate.path.exists() || is_same_file(&candidate.path, image) {
            continue;
        }
        match accept(image, &candidate) {
            Ok(file) => return (Some(file), findings),
            Err(what) => findings.push(Finding::new(&candidate.path, what)),
        }
    }
    (None, findings)
}

fn candidates(image: &ElfFile, search: &DebugSearch) -> Vec<Candidate> {
    let usual = PathBuf::from(USUAL_DIRECTORY);
    let mut directories: Vec<&Path> = search
        .debug_directories
        .iter()
        .map(PathBuf::as_path)
        .collect();
    if !directories.contains(&usual.as_path()) {
        directories.push(&usual);
    }
    let link = debug_link(image);
    let checksum = link.as_ref().map(|(_, checksum)| *checksum);
    let mut paths: Vec<(PathBuf, bool)> = Vec::new();
    paths.extend(search.debug_files.iter().map(|path| (path.clone(), true)));
    if let Some(id) = image.elf().ok().as_ref().and_then(build_id) {
        paths.extend(
            directories
                .iter()
                .map(|directory| (id.debug_file(directory), false)),
        );
    }
    if let Some((name, _)) = link {
        // Debug directories repeat the real path: /usr/bin, not /bin.
        let image = image
            .path()
            .canonicalize()
            .unwrap_or(image.path().to_owned());
        paths.extend(linked(&image, &name, &directories).map(|path| (path, false)));
    }
    (paths.into_iter())
        .map(|(path, expected)| Candidate {
            path,
            checksum,
            expected,
        })
        .collect()
}

/// Where a file named by `.gnu_debuglink` can be.
fn linked<'a>(
    image: &'a Path,
    name: &'a Path,
    directories: &'a [&'a Path],
) -> impl Iterator<Item = PathBuf> + 'a {
    let beside = image.parent().unwrap_or(Path::new("/"));
    let below = beside.strip_prefix("/").unwrap_or(beside);
    [beside.join(name), beside.join(".debug").join(name)]
        .into_iter()
        .chain((directories.iter()).map(move |directory| directory.join(below).join(name)))
}

/// The file name and checksum of `.gnu_debuglink`.
fn debug_link(image: &ElfFile) -> Option<(PathBuf, u32)> {
    let (name, checksum) = image.elf().ok()?.gnu_debuglink().ok()??;
    // It is a file name; a path in it would lead to any file of the machine.
    let name = Path::new(Path::new(OsStr::from_bytes(name)).file_name()?);
    Some((name.to_owned(), checksum))
}

fn is_same_file(path: &Path, image: &ElfFile) -> bool {
    match (path.metadata(), image.path().metadata()) {
        (Ok(a), Ok(b)) => a.dev() == b.dev() && a.ino() == b.ino(),
        _ => false,
    }
}

/// The candidate as a debug file, or why it is none of this image.
fn accept(image: &ElfFile, candidate: &Candidate) -> Result<ElfFile, String> {
    let file = ElfFile::open(&candidate.path).map_err(|error| match error {
        crate::error::Error::File { reason, .. } => reason,
        other => other.to_string(),
    })?;
    check_identity(image, &file, candidate.checksum)?;
    let elf = file.elf().map_err(|error| error.to_string())?;
    if elf.elf_symbol_table().is_empty() && !has_dwarf(&elf) {
        return Err("it has neither symbols nor DWARF".to_owned());
    }
    Ok(file)
}

fn check_identity(image: &ElfFile, file: &ElfFile, checksum: Option<u32>) -> Result<(), String> {
    let id = |file: &ElfFile| file.elf().ok().as_ref().and_then(build_id);
    match (id(image), id(file), checksum) {
        (Some(wanted), Some(found), _) if wanted == found => Ok(()),
        (Some(wanted), Some(found), _) => {
            Err(format!("its build id is {found} instead of {wanted}"))
        }
        (_, _, Some(wanted)) => {
            let mut found = flate2::Crc::new();
            found.update(file.bytes());
            if found.sum() == wanted {
                return Ok(());
            }
            Err(format!(
                "its checksum is {:#010x} instead of {wanted:#010x}",
                found.sum()
            ))
        }
        _ => Err("nothing says that it belongs to this file: no build id, no checksum".to_owned()),
    }
}
