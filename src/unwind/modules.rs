//! The files of a target by address, opened when an address in them is met.

use super::cfi::Tables;
use crate::address::Address;
use crate::image::{Cache, DebugSearch, Image, LinkMap, Vdso};
use crate::target::{Description, LoadedFile};
use std::sync::OnceLock;

/// The loaded files whose places are known.
#[derive(Default)]
pub struct Modules {
    /// The last in memory first.
    modules: Vec<Module>,
    /// Names of the files whose place nothing tells.
    lost: Vec<String>,
    vdso: Option<Vdso>,
}

struct Module {
    file: LoadedFile,
    bias: u64,
    search: DebugSearch,
    image: OnceLock<Option<Image>>,
}

impl Modules {
    /// The files of a target. Where a debugger does not tell where one lies, the dynamic linker does.
    pub fn new(description: &Description, linked: &LinkMap, vdso: Option<Vdso>) -> Modules {
        let mut modules = Modules {
            vdso,
            ..Modules::default()
        };
        for (index, file) in description.files.iter().enumerate() {
            // Only executables may be loaded at their own addresses.
            let fixed = (index == 0).then_some(0);
            match file.bias.or_else(|| linked.bias(&file.path)).or(fixed) {
                Some(bias) => modules.modules.push(Module {
                    file: file.clone(),
                    bias,
                    search: DebugSearch {
                        debug_files: file.debug_files.clone(),
                        debug_directories: description.debug_directories.clone(),
                    },
                    image: OnceLock::new(),
                }),
                None => modules.lost.push(file.path.display().to_string()),
            }
        }
        let by_place = |module: &Module| std::cmp::Reverse(module.bias);
        modules.modules.sort_by_key(by_place);
        modules
    }

    /// The file that is loaded at `address`, and how far from its own addresses it lies.
    pub fn at(&self, address: Address, cache: &Cache) -> Option<(&Image, u64)> {
        let below = self
            .modules
            .iter()
            .filter(|module| module.bias <= address.0);
        for module in below {
            let open = || Image::open(&module.file.path, &module.search, cache).ok();
            if let Some(image) = module.image.get_or_init(open)
                && contains(image, Address(address.0.wrapping_sub(module.bias)))
            {
                return Some((image, module.bias));
            }
        }
        None
    }

    /// The kernel's library, if it has code at `address`.
    pub fn vdso_at(&self, address: Address) -> Option<&Vdso> {
        let vdso = self.vdso.as_ref()?;
        let own = Address(address.0.wrapping_sub(vdso.bias()));
        vdso.has_code(own).then_some(vdso)
    }

    /// Names of the files whose place nothing tells.
    pub fn lost(&self) -> &[String] {
        &self.lost
    }
}

/// Whether a file has code at one of its own addresses.
pub fn contains(image: &Image, address: Address) -> bool {
    let mut code = image.segments().iter().filter(|segment| segment.executable);
    code.any(|segment| segment.memory.contains(address))
}

/// The unwind tables of a file, if it has some.
pub fn tables(image: &Image) -> Option<Tables<'_>> {
    let frames = image.section_bytes(".eh_frame")?;
    let text = image.section(".text").map(|text| text.start);
    Some(Tables::new(
        frames,
        image.section_bytes(".eh_frame_hdr"),
        text,
    ))
}

/// The unwind tables of the kernel's library.
pub fn vdso_tables(vdso: &Vdso) -> Option<Tables<'_>> {
    let text = vdso.section(".text").map(|(start, _)| start);
    let index = vdso.section(".eh_frame_hdr");
    Some(Tables::new(vdso.section(".eh_frame")?, index, text))
}
