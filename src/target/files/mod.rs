//! The files that are loaded into a target: which they are, where their copies on this machine are, and what those say
//! of memory that a core leaves out.

mod header;
mod search;
#[cfg(test)]
mod tests;

pub use search::FileSearch;

use super::{FileMapping, Finding, LoadedFile, Memory};
use crate::address::Address;
use header::{Header, Load};
use search::{Found, Opened, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How often one file may be mapped from its start; only the loader does so usually.
const MOST_BASES: usize = 16;

/// An ELF file in the memory of a target.
#[derive(Debug)]
struct Image {
    /// Its name when it was loaded.
    name: PathBuf,
    mappings: Vec<FileMapping>,
    /// Address in memory less address in the file.
    bias: Option<u64>,
    build_id: Option<String>,
    is_main: bool,
    outcome: Outcome,
    debug_files: Vec<PathBuf>,
}

/// The files of a target.
#[derive(Debug)]
pub struct Files {
    images: Vec<Image>,
    unused: Vec<Finding>,
    /// Those images whose bytes were asked for.
    asked: Mutex<BTreeSet<usize>>,
}

impl Files {
    /// The ELF files among `mappings`, with their copies on this machine. `entry` is an address in the executable.
    pub fn locate(
        memory: &dyn Memory,
        mappings: &[FileMapping],
        entry: Option<Address>,
        search: &FileSearch,
    ) -> Files {
        let mut opened = Opened::default();
        let mut images: Vec<Image> = by_name(mappings)
            .into_iter()
            .filter_map(|(name, mappings)| {
                image(memory, name, mappings, entry, search, &mut opened)
            })
            .collect();
        images.sort_by_key(|image| !image.is_main);
        Files {
            unused: unused(&images, search, &mut opened),
            images,
            asked: Mutex::default(),
        }
    }

    /// The files of which this machine has the same build, the executable first. `debug_files` may belong to any.
    pub fn found(&self, debug_files: &[PathBuf]) -> Vec<LoadedFile> {
        let found = self.images.iter().filter_map(|image| {
            Some(LoadedFile {
                path: image.found()?.path.clone(),
                debug_files: [debug_files, &image.debug_files].concat(),
                bias: image.bias,
            })
        });
        found.collect()
    }

    /// The bytes that memory has from `address` to the end of the page, if they can be told from a file.
    pub fn page_at(&self, address: Address) -> Option<&[u8]> {
        let (index, image, mapping) =
            self.images.iter().enumerate().find_map(|(index, image)| {
                let mut mappings = image.mappings.iter();
                let mapping = mappings.find(|mapping| mapping.range.contains(address))?;
                Some((index, image, mapping))
            })?;
        // Readers of a poisoned set find it as good as before: it only grows.
        (self.asked.lock().unwrap_or_else(PoisonError::into_inner)).insert(index);
        let file = image.found()?;
        if !file.header.is_constant(address.0.wrapping_sub(image.bias?)) {
            return None;
        }
        let within = address.offset_from(mapping.range.start)?;
        let start = usize::try_from(mapping.offset.checked_add(within)?).ok()?;
        let length = usize::try_from(header::PAGE - address.0 % header::PAGE).ok()?;
        let rest = file.bytes.get(start..)?;
        rest.get(..length.min(rest.len()))
    }

    /// Which files are missing or others: those that contain Python by their name, the executable, and those whose
    /// bytes were asked for.
    pub fn findings(&self) -> Vec<Finding> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let important = |index: &usize, image: &Image| {
            image.is_main || image.seems_python() || asked.contains(index)
        };
        let images = self.images.iter().enumerate();
        let told = images.filter(|(index, image)| important(index, image));
        let own = told.filter_map(|(_, image)| image.finding());
        own.chain(self.unused.iter().cloned()).collect()
    }

    /// Whether the executable, or a file that contains Python by its name, was not found.
    pub fn misses_python(&self) -> bool {
        let mut important = self
            .images
            .iter()
            .filter(|image| image.is_main || image.seems_python());
        important.any(|image| image.found().is_none())
    }
}

impl Image {
    fn found(&self) -> Option<&Found> {
        match &self.outcome {
            Outcome::Found { file, .. } => Some(file),
            _ => None,
        }
    }

    fn seems_python(&self) -> bool {
        let name = self.name.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("python") || name.starts_with("libpython")
    }

    fn finding(&self) -> Option<Finding> {
        let name = self.name.display();
        let kind = match self.is_main {
            true => "the executable",
            false => "the library",
        };
        let build_id = match &self.build_id {
            Some(id) => format!(" (build id {id})"),
            None => String::new(),
        };
        match &self.outcome {
            Outcome::Found { checked: true, .. } => None,
            Outcome::Found { file, .. } => Some(
                Finding::new(format!(
                    "nothing says whether {} is {kind} {name} of this target: its build id is not in memory",
                    file.path.display()
                ))
                .hint("if it is another build, what is shown is wrong"),
            ),
            Outcome::Other(reasons) => Some(
                Finding::new(format!(
                    "{kind} {name}{build_id} is not on this machine, and nothing is taken from another build: {}",
                    reasons.join("; ")
                ))
                .hint(self.advice()),
            ),
            Outcome::Nowhere => Some(
                Finding::new(format!("{kind} {name}{build_id} is not on this machine"))
                    .hint(self.advice()),
            ),
        }
    }

    fn advice(&self) -> String {
        let file = self.name.file_name().unwrap_or_default().to_string_lossy();
        let fetch = match &self.build_id {
            Some(id) => format!("fetch it with `debuginfod-find executable {id}`, "),
            None => String::new(),
        };
        format!(
            "copy {file} from where the program ran, or from the same version of its package, and name it with --exe or \
             put it beside the core; {fetch}or name the root of that file system with --sysroot"
        )
    }
}

fn by_name(mappings: &[FileMapping]) -> BTreeMap<&Path, Vec<FileMapping>> {
    let mut images: BTreeMap<&Path, Vec<FileMapping>> = BTreeMap::new();
    for mapping in mappings {
        let path = mapping.path.as_path();
        images.entry(path).or_default().push(mapping.clone());
    }
    images
}

/// The image that these mappings of one file are; `None` if it is no ELF file.
fn image(
    memory: &dyn Memory,
    name: &Path,
    mappings: Vec<FileMapping>,
    entry: Option<Address>,
    search: &FileSearch,
    opened: &mut Opened,
) -> Option<Image> {
    let (base, loaded) = base(memory, &mappings)?;
    let is_main =
        entry.is_some_and(|entry| mappings.iter().any(|mapping| mapping.range.contains(entry)));
    // Files that are only read, such as locales, have one mapping; what is not ELF is not found below.
    if loaded.is_none() && mappings.len() < 2 {
        return None;
    }
    let bias = loaded.as_ref().and_then(|header| header.bias(base));
    let build_id = (loaded.as_ref().zip(bias))
        .and_then(|(header, bias)| header.build_id_in_memory(memory, bias));
    let outcome = search.find(opened, name, build_id.as_deref(), is_main);
    let in_file = match &outcome {
        Outcome::Found { file, .. } => file.header.bias(base),
        _ => None,
    };
    Some(Image {
        name: name.to_owned(),
        bias: bias.or(in_file),
        mappings,
        debug_files: search.fetched_debug_files(build_id.as_deref()),
        build_id,
        is_main,
        outcome,
    })
}

/// Where the first byte of the file lies, with the header that is there. A program may have read its own library through
/// a mapping of its own: the loader's is the one where all pieces lie as the header says.
fn base(memory: &dyn Memory, mappings: &[FileMapping]) -> Option<(Address, Option<Header>)> {
    let starts = mappings.iter().filter(|mapping| mapping.offset == 0);
    let candidates = starts.take(MOST_BASES).map(|mapping| {
        let base = mapping.range.start;
        let header = Header::in_memory(memory, base);
        let fitting = header
            .as_ref()
            .map_or(0, |header| fitting(header, base, mappings));
        (fitting, base, header)
    });
    // Of equals the first.
    let best = candidates.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    Some((best.1, best.2))
}

/// How many pieces of a file lie where they must if its first byte is at `base`.
fn fitting(header: &Header, base: Address, mappings: &[FileMapping]) -> usize {
    let bias = header.bias(base).unwrap_or(0);
    let lies = |load: &&Load| {
        let start = load.pages(bias).start;
        mappings.iter().any(|mapping| {
            let within = start.offset_from(mapping.range.start);
            let offset = within.and_then(|within| mapping.offset.checked_add(within));
            mapping.range.contains(start) && offset == Some(load.first_page())
        })
    };
    header.loads.iter().filter(lies).count()
}

/// What the user named in vain.
fn unused(images: &[Image], search: &FileSearch, opened: &mut Opened) -> Vec<Finding> {
    let used = |path: &PathBuf| {
        let mut found = images.iter().filter_map(Image::found);
        found.any(|file| file.path == *path)
    };
    let main = images.iter().find(|image| image.is_main);
    let wanted = main.and_then(|image| image.build_id.as_ref());
    let unused = search.named.iter().filter(|path| !used(path));
    unused
        .map(|path| {
            let what = match (
                opened.open(path).and_then(|file| file.build_id.clone()),
                wanted,
            ) {
                (Some(id), Some(wanted)) => {
                    format!("its build id is {id}; that of the executable is {wanted}")
                }
                (Some(id), None) => format!("no file in it has its build id {id}"),
                (None, _) => "it cannot be read, or is no ELF file with a build id".to_owned(),
            };
            Finding::new(format!(
                "{} is not used, since it is no file of this target: {what}",
                path.display()
            ))
        })
        .collect()
}
