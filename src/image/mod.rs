//! ELF files of the target: their symbols, the shapes in their DWARF, and the bytes that they are loaded with.
//!
//! All addresses are those of the file: where a position-independent file was loaded is for the layers above.

mod build_id;
mod cache;
mod content;
mod debug_file;
mod dwarf;
mod elf_file;
#[cfg(test)]
mod elf_maker;
mod finding;
mod imports;
mod link_map;
mod nearest;
mod registered;
mod section_bytes;
mod shape_set;
mod symbols;
#[cfg(test)]
mod tests;
mod vdso;

pub use build_id::BuildId;
pub use cache::{Cache, Scanned};
pub use content::{Content, Piece};
pub use debug_file::DebugSearch;
pub use elf_file::{Machine, Segment};
pub use finding::Finding;
pub use imports::Import;
pub use link_map::LinkMap;
pub use nearest::Nearest;
pub use registered::RegisteredElf;
pub use shape_set::{MissingShape, ShapeSet};
pub use symbols::{Symbol, SymbolSource};
pub use vdso::Vdso;

use crate::address::{Address, Range};
use crate::error::{Error, Fault};
use cache::{Origin, Record};
use elf_file::ElfFile;
use object::read::Object;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// An executable or library of the target, with its separate debug file.
#[derive(Debug)]
pub struct Image {
    file: ElfFile,
    debug: Option<ElfFile>,
    build_id: Option<BuildId>,
    machine: Machine,
    is_position_independent: bool,
    segments: Vec<Segment>,
    cache_file: Option<PathBuf>,
    known: Mutex<Known>,
    /// Names by address, read when the first is asked for.
    names: OnceLock<nearest::Names>,
}

/// What was found out so far.
#[derive(Debug)]
struct Known {
    record: Record,
    findings: Vec<Finding>,
}

impl Image {
    /// Opens an ELF file and finds its debug file: the first with the same build id among those of the debugger, then
    /// `DIRECTORY/.build-id/…` of each debug directory, then what `.gnu_debuglink` names. Without one, the file's own
    /// sections must do.
    ///
    /// # Errors
    /// [`Error::File`] if `path` cannot be read or is no 64-bit little-endian ELF file. An unusable debug file or cache
    /// is no error but a [finding](Image::findings).
    pub fn open(path: &Path, search: &DebugSearch, cache: &Cache) -> Result<Image, Error> {
        let file = ElfFile::open(path)?;
        let (debug, findings) = debug_file::find(&file, search);
        let elf = file.elf()?;
        let build_id = elf_file::build_id(&elf);
        let origin = Origin {
            build_id: build_id
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            image_size: file.size(),
            debug_size: debug.as_ref().map(ElfFile::size),
        };
        let image = Image {
            machine: elf_file::machine(&elf),
            is_position_independent: elf_file::is_position_independent(&elf),
            segments: elf_file::segments(&elf),
            cache_file: build_id.as_ref().and_then(|id| cache.file(id)),
            known: Mutex::new(Known {
                record: Record::new(origin),
                findings,
            }),
            names: OnceLock::new(),
            build_id,
            debug,
            file,
        };
        image.load_cache();
        Ok(image)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The build id, if the linker wrote one.
    pub fn build_id(&self) -> Option<&BuildId> {
        self.build_id.as_ref()
    }

    /// The separate debug file, if one was found.
    pub fn debug_path(&self) -> Option<&Path> {
        self.debug.as_ref().map(ElfFile::path)
    }

    /// The machine that the file is for.
    pub fn machine(&self) -> Machine {
        self.machine
    }

    /// Whether the file can be loaded anywhere (`ET_DYN`): its addresses are then relative to where it was.
    pub fn is_position_independent(&self) -> bool {
        self.is_position_independent
    }

    /// What was looked at and not used so far, and why.
    pub fn findings(&self) -> Vec<Finding> {
        self.known().findings.clone()
    }

    /// The symbol with this name. For several names, [`Image::symbols`] costs no more than this for one.
    pub fn symbol(&self, name: &str) -> Option<Symbol> {
        self.symbols(&[name]).remove(name)
    }

    /// The symbols with these names, as far as there are any: from `.symtab` of the debug file, else of the file, else
    /// from `.dynsym`. Of several with the same name, a global one, else the first.
    pub fn symbols(&self, wanted: &[&str]) -> BTreeMap<String, Symbol> {
        let mut known = self.known();
        let unknown: Vec<&str> = (wanted.iter().copied())
            .filter(|name| !known.record.symbols.contains_key(*name))
            .collect();
        if !unknown.is_empty() {
            let found = self.read_symbols(&unknown);
            for name in unknown {
                let symbol = found.get(name).copied();
                known.record.symbols.insert(name.to_owned(), symbol);
            }
            self.store_cache(&mut known);
        }
        (wanted.iter())
            .filter_map(|name| Some(((*name).to_owned(), (*known.record.symbols.get(*name)?)?)))
            .collect()
    }

    /// Whether other files may use a symbol of this name from this one (`.dynsym`); cheap. CPython defines `_PyRuntime`.
    pub fn defines(&self, name: &str) -> bool {
        self.file
            .elf()
            .is_ok_and(|elf| symbols::defines(&elf, name))
    }

    /// The shapes of the structures with these names, which are tags or typedefs, as far as the DWARF defines them.
    ///
    /// The name that the fewest compilation units mention goes first, since the unit that defines it is asked for the
    /// others too: for CPython that is `StencilGroup`, which only `Python/jit.c` has.
    pub fn shapes(&self, wanted: &[&str]) -> ShapeSet {
        let mut known = self.known();
        let unknown: Vec<&str> = (wanted.iter().copied())
            .filter(|name| !known.record.shapes.answers(name))
            .collect();
        if !unknown.is_empty() {
            let found = self.read_shapes(&unknown, &mut known.findings);
            known.record.shapes.extend(found);
            self.store_cache(&mut known);
        }
        known.record.shapes.only(wanted)
    }

    /// Fills `into` with the bytes that the file is loaded with at `address`. Only of segments that the program cannot
    /// write to: what is at the others by now, relocated pointers for example, is not in the file.
    ///
    /// # Errors
    /// A [`Fault`] if not all the bytes are in one such segment.
    pub fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        let length = u64::try_from(into.len()).unwrap_or(u64::MAX);
        let available = self.loaded_bytes(address);
        match available.get(..into.len()) {
            Some(bytes) => into.copy_from_slice(bytes),
            None => {
                return Err(Fault {
                    address,
                    length,
                    readable: u64::try_from(available.len()).unwrap_or(0),
                });
            }
        }
        Ok(())
    }

    /// All that the file puts into memory, relocated.
    pub fn content(&self) -> Content<'_> {
        Content::new(&self.file, &self.segments)
    }

    /// What `scan` finds in the file, or found the last time: the answer is kept like symbols and shapes. `rules` names
    /// the rules of the scan; the answer of others is not used.
    pub fn scanned(&self, rules: &str, scan: impl FnOnce(&Content<'_>) -> Scanned) -> Scanned {
        let mut known = self.known();
        if let Some((_, scanned)) = (known.record.scanned.as_ref()).filter(|(by, _)| by == rules) {
            return scanned.clone();
        }
        let scanned = scan(&self.content());
        known.record.scanned = Some((rules.to_owned(), scanned.clone()));
        self.store_cache(&mut known);
        scanned
    }

    /// Through which slot the file calls this function of another one.
    pub fn import(&self, name: &str) -> Option<Import> {
        imports::import(&self.file.elf().ok()?, name)
    }

    /// Where the loaded section with this name is, `.PyRuntime` for example.
    pub fn section(&self, name: &str) -> Option<Range> {
        elf_file::section(&self.file.elf().ok()?, name)
    }

    /// The bytes of a loaded section that is not compressed, and where it is.
    pub fn section_bytes(&self, name: &str) -> Option<(Address, &[u8])> {
        elf_file::section_bytes(&self.file, name)
    }

    /// The pieces of the file that are loaded.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The segments that the program cannot write to, so that what the file has of them is what memory has: where they
    /// are, their bytes and whether they contain code.
    pub fn constant_segments(&self) -> impl Iterator<Item = (Address, &[u8], bool)> {
        let constant = self.segments.iter().filter(|segment| !segment.writable);
        constant.filter_map(|segment| {
            let start = usize::try_from(segment.file_offset).ok()?;
            let end = start.checked_add(usize::try_from(segment.file_size).ok()?)?;
            let bytes = self.file.bytes().get(start..end)?;
            Some((segment.memory.start, bytes, segment.executable))
        })
    }

    /// The bytes of the file from `address` to the end of what the file has of its segment.
    fn loaded_bytes(&self, address: Address) -> &[u8] {
        (self.segments.iter())
            .filter(|segment| !segment.writable)
            .find_map(|segment| {
                let within = address.offset_from(segment.memory.start)?;
                let rest = segment
                    .file_size
                    .checked_sub(within)
                    .filter(|rest| *rest > 0)?;
                let start = usize::try_from(segment.file_offset.checked_add(within)?).ok()?;
                let end = start.checked_add(usize::try_from(rest).ok()?)?;
                self.file.bytes().get(start..end)
            })
            .unwrap_or_default()
    }

    fn read_symbols(&self, wanted: &[&str]) -> BTreeMap<String, Symbol> {
        let mut found = BTreeMap::new();
        let sources = [
            (self.debug.as_ref(), SymbolSource::DebugFile),
            (Some(&self.file), SymbolSource::File),
            (Some(&self.file), SymbolSource::Dynamic),
        ];
        for (file, source) in sources {
            let missing: Vec<&str> = (wanted.iter().copied())
                .filter(|name| !found.contains_key(*name))
                .collect();
            if let Some(elf) = file.and_then(|file| file.elf().ok())
                && !missing.is_empty()
            {
                let table = match source {
                    SymbolSource::Dynamic => elf.elf_dynamic_symbol_table(),
                    _ => elf.elf_symbol_table(),
                };
                found.extend(symbols::find(table, source, &missing));
            }
        }
        found
    }

    fn read_shapes(&self, wanted: &[&str], findings: &mut Vec<Finding>) -> ShapeSet {
        let mut reason = match self.debug {
            Some(_) => "neither the file nor its debug file has DWARF".to_owned(),
            None => "the file has no DWARF, and no debug file was found".to_owned(),
        };
        for file in [self.debug.as_ref(), Some(&self.file)]
            .into_iter()
            .flatten()
        {
            let Ok(elf) = file.elf() else { continue };
            if !dwarf::has_dwarf(&elf) {
                continue;
            }
            match dwarf::read_shapes(&elf, wanted) {
                Ok(found) => {
                    findings.extend(supplementary(file.path(), &elf, &found));
                    return found;
                }
                Err(what) => {
                    reason.clone_from(&what);
                    findings.push(Finding::new(file.path(), what));
                }
            }
        }
        ShapeSet::all_missing(wanted, &reason)
    }

    fn load_cache(&self) {
        let Some(path) = &self.cache_file else { return };
        let mut known = self.known();
        match cache::load(path, &known.record.origin) {
            Ok(Some(record)) => known.record = record,
            Ok(None) => {}
            Err(what) => known.findings.push(Finding::new(path, what)),
        }
    }

    fn store_cache(&self, known: &mut Known) {
        let Some(path) = &self.cache_file else { return };
        if let Err(what) = cache::store(path, &known.record) {
            let finding = Finding::new(path, what);
            if !known.findings.contains(&finding) {
                known.findings.push(finding);
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // What a panicking thread left is a record without its last answer: still right.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says why shapes are missing whose names are in another file.
fn supplementary(path: &Path, elf: &elf_file::Elf<'_>, found: &ShapeSet) -> Option<Finding> {
    let link = elf.gnu_debugaltlink().ok()??;
    let what = format!(
        "parts of its DWARF are in {} (dwz), which is not read",
        String::from_utf8_lossy(link.0)
    );
    (!found.missing.is_empty()).then(|| Finding::new(path, what))
}
