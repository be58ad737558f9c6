//! Where the dynamic linker has loaded which file: its own list (`struct link_map` in glibc's and musl's `link.h`).

use super::Image;
use crate::target::Reader;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// More than any program loads; the list of a damaged target may never end.
const MOST_FILES: usize = 1 << 12;

/// Entries of `.dynamic`: some forty.
const MOST_DYNAMIC: u64 = 1 << 10;

/// `PATH_MAX`.
const LONGEST_NAME: usize = 4096;

/// `DT_DEBUG`: the linker writes there where its list is.
const DEBUG: u64 = 21;

/// Fields, in bytes from the start: `r_debug.r_map`; `l_addr`, `l_name`, `l_next` of `link_map`, which has five words
/// that debuggers may read.
const R_MAP: u64 = 8;
const LINK_MAP: u64 = 40;
const NAME: usize = 1;
const NEXT: usize = 3;

/// The loaded files.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LinkMap {
    files: Vec<(PathBuf, u64)>,
}

impl LinkMap {
    /// The list of a program whose executable lies `bias` from its own addresses; empty if it has none, or not yet. What
    /// cannot be read ends it.
    pub fn read(reader: Reader<'_>, executable: &Image, bias: u64) -> LinkMap {
        let mut map = LinkMap::default();
        let _ = map.follow(reader, executable, bias);
        map
    }

    fn follow(&mut self, reader: Reader<'_>, executable: &Image, bias: u64) -> Option<()> {
        let dynamic = executable.section(".dynamic")?;
        let count = (dynamic.size / 16).min(MOST_DYNAMIC);
        let start = dynamic.start.wrapping_add(bias);
        let entries = reader.pointers(start, count * 2, ".dynamic").ok()?;
        let (entries, _) = entries.as_chunks::<2>();
        let [_, debug] = entries.iter().find(|[tag, _]| tag.0 == DEBUG)?;
        let mut next = reader.pointer(debug.wrapping_add(R_MAP), "r_debug").ok()?;
        let mut seen = HashSet::new();
        while !next.is_null() && seen.insert(next) && seen.len() <= MOST_FILES {
            let entry = reader.pointers(next, LINK_MAP / 8, "link_map").ok()?;
            let [base, name] = [entry.first()?, entry.get(NAME)?];
            let name = reader.c_string(*name, LONGEST_NAME, "name of a file");
            self.files
                .push((PathBuf::from(name.unwrap_or_default()), base.0));
            next = *entry.get(NEXT)?;
        }
        Some(())
    }

    /// How far from its own addresses a file lies: one that was loaded under this name, or else the only one whose name
    /// ends with the same file name (debuggers have copies of the files of other machines).
    pub fn bias(&self, path: &Path) -> Option<u64> {
        let exact = self.files.iter().find(|(name, _)| name == path);
        if let Some((_, bias)) = exact {
            return Some(*bias);
        }
        let mut alike = (self.files.iter())
            .filter(|(name, _)| name.file_name().is_some() && name.file_name() == path.file_name());
        let (_, bias) = alike.next()?;
        alike.next().is_none().then_some(*bias)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::super::{Cache, DebugSearch, Vdso};
    use super::*;
    use crate::address::Address;
    use crate::target::{FileSearch, Process};

    /// This very process: its executable, libc and the kernel's library.
    #[test]
    fn finds_what_is_loaded_into_a_process() {
        let process = Process::open(std::process::id(), false, &FileSearch::default()).unwrap();
        let files = process.files().found(&[]);
        let reader = Reader::new(&process);
        let open = |path| Image::open(path, &DebugSearch::default(), &Cache::off()).unwrap();
        let executable = open(&files[0].path);
        let map = LinkMap::read(reader, &executable, files[0].bias.unwrap());
        let libc = files.iter().find(|file| {
            let name = file.path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("libc.so") || name.starts_with("libgcc_s.so")
        });
        let libc = libc.unwrap();
        // The place of the file is known from the mappings of the process too.
        assert_eq!(map.bias(&libc.path), libc.bias);
        let copy = Path::new("/elsewhere").join(libc.path.file_name().unwrap());
        assert_eq!(map.bias(&copy), libc.bias);
        assert_eq!(map.bias("/no/such/file".as_ref()), None);

        let vdso = Vdso::read(reader, &map).unwrap();
        let (text, code) = vdso.section(".text").unwrap();
        assert!(vdso.has_code(text) && !vdso.has_code(text.wrapping_add(code.len() as u64)));
        assert!(vdso.section(".eh_frame").is_some());
        let named = (0..code.len() as u64).find_map(|at| vdso.nearest(text.wrapping_add(at)));
        assert!(named.unwrap().0.contains("gettime"));
        assert_eq!(vdso.nearest(Address(u64::MAX)), None);
    }

    #[test]
    fn a_program_without_a_list_has_none() {
        let process = Process::open(std::process::id(), false, &FileSearch::default()).unwrap();
        let files = process.files().found(&[]);
        let image = Image::open(&files[0].path, &DebugSearch::default(), &Cache::off()).unwrap();
        // Where nothing is mapped.
        let map = LinkMap::read(Reader::new(&process), &image, 0x10);
        assert_eq!(map, LinkMap::default());
    }
}
