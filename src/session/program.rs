//! Finds CPython among the files of a target.

use super::evidence::Evidence;
use crate::address::{Address, Range};
use crate::cpython::{CPython, SYMBOLS};
use crate::error::{Error, Result};
use crate::image::{Cache, DebugSearch, Image, LinkMap};
use crate::layout::{DebugOffsets, contains_cpython, load_symbols};
use crate::listing::{Finding, SymbolNames};
use crate::platform::{Architecture, all_names};
use crate::target::{Description, Evaluate, LoadedFile, Reader};
use std::path::PathBuf;

/// The CPython of a target, for as long as the same files are loaded.
pub struct Program {
    /// The processor.
    pub architecture: Architecture,
    /// What CPython says of itself.
    pub offsets: DebugOffsets,
    /// The file that contains it.
    pub file: Option<PathBuf>,
    /// The build id of that file.
    pub build_id: Option<String>,
    /// The separate debug file that is used.
    pub debug_file: Option<PathBuf>,
    /// What was missing or odd.
    pub findings: Vec<Finding>,
    /// Where that file is loaded.
    loaded: Vec<Range>,
    /// That file, and how far from its own addresses it lies.
    image: Option<(Image, u64)>,
    /// Its tables, or why there are none.
    python: Result<CPython, Missing>,
}

/// Why a CPython's JIT cannot be read: kept as text, to be said again at each command.
#[derive(Clone, Debug)]
pub(super) struct Missing {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Program {
    /// A program whose CPython is known already.
    pub fn known(architecture: Architecture, python: CPython) -> Program {
        Program {
            architecture,
            offsets: python.offsets,
            file: None,
            build_id: None,
            debug_file: None,
            findings: Vec::new(),
            loaded: Vec::new(),
            image: None,
            python: Ok(python),
        }
    }

    /// Looks through the loaded files for the one that defines `_PyRuntime`, and reads what does not change.
    pub fn find(
        description: &Description,
        evaluate: &dyn Evaluate,
        reader: Reader<'_>,
        cache: &Cache,
    ) -> Result<Program> {
        let (loaded, image) = find_image(description, cache)?;
        let architecture = architecture(&image)?;
        let bias = bias(&image, loaded, description, evaluate, reader)?;
        let symbols = load_symbols(&image, bias, SYMBOLS);
        let runtime = symbols.symbol("_PyRuntime")?.address;
        let offsets = DebugOffsets::read(reader, runtime)?;
        let mut found = Evidence::new(&image, symbols);
        found.add_tables(reader, offsets, runtime, architecture);
        let python = found.python(&image, bias, offsets, reader);
        let mut findings: Vec<Finding> = image
            .findings()
            .iter()
            .map(|finding| Finding::note(finding.to_string()))
            .collect();
        findings.extend(found.findings);
        Ok(Program {
            architecture,
            offsets,
            file: Some(image.path().to_owned()),
            build_id: image.build_id().map(ToString::to_string),
            debug_file: image.debug_path().map(ToOwned::to_owned),
            findings,
            loaded: image
                .segments()
                .iter()
                .map(|segment| {
                    Range::new(segment.memory.start.wrapping_add(bias), segment.memory.size)
                })
                .collect(),
            python,
            image: Some((image, bias)),
        })
    }

    /// Names of functions and variables of this CPython.
    pub fn symbol_names<'p>(&'p self, python: &'p CPython) -> SymbolNames<'p> {
        SymbolNames {
            image: self.image.as_ref().map(|(image, bias)| (image, *bias)),
            known: &python.symbols,
        }
    }

    /// The file that contains this CPython, and how far from its own addresses it lies.
    pub(super) fn image(&self) -> Option<(&Image, u64)> {
        self.image.as_ref().map(|(image, bias)| (image, *bias))
    }

    /// Whether `address` is in the file that contains CPython, and so in no executor's code.
    pub fn contains(&self, address: Address) -> bool {
        self.loaded.iter().any(|range| range.contains(address))
    }

    /// The CPython, if it has a JIT that can be read.
    pub fn python(&self) -> Result<&CPython> {
        self.python.as_ref().map_err(|missing| Error::NotFound {
            message: missing.message.clone(),
            hint: missing.hint.clone(),
        })
    }
}

impl From<Error> for Missing {
    fn from(error: Error) -> Missing {
        let hint = match &error {
            Error::NotFound { hint, .. } => hint.clone(),
            _ => None,
        };
        Missing {
            message: error.to_string(),
            hint,
        }
    }
}

/// The first loaded file that defines `_PyRuntime`.
fn find_image<'d>(description: &'d Description, cache: &Cache) -> Result<(&'d LoadedFile, Image)> {
    let mut reasons = Vec::new();
    for file in &description.files {
        let search = DebugSearch {
            debug_files: file.debug_files.clone(),
            debug_directories: description.debug_directories.clone(),
        };
        match Image::open(&file.path, &search, cache) {
            Ok(image) if contains_cpython(&image) => return Ok((file, image)),
            Ok(_) => {}
            Err(error) => reasons.push(error.to_string()),
        }
    }
    Err(no_cpython(description, &reasons))
}

fn no_cpython(description: &Description, reasons: &[String]) -> Error {
    let hint = match (description.files.as_slice(), reasons) {
        ([], _) => {
            "the debugger has no file loaded: name the executable (file PATH), run it or attach"
                .to_owned()
        }
        (files, []) => format!(
            "none of the {} loaded files defines _PyRuntime; an interpreter in a library is found once it is loaded",
            files.len()
        ),
        (_, reasons) => reasons.join("; "),
    };
    Error::NotFound {
        message: "there is no CPython in this target".to_owned(),
        hint: Some(hint),
    }
}

fn architecture(image: &Image) -> Result<Architecture> {
    let machine = image.machine();
    machine.architecture().ok_or_else(|| Error::NotFound {
        message: format!(
            "{} is for {machine}, for which CPython has no JIT that is understood here",
            image.path().display()
        ),
        hint: Some(format!("{} are", all_names())),
    })
}

/// The dynamic linker's list of what it has loaded; empty if it cannot be found.
pub(super) fn link_map(description: &Description, reader: Reader<'_>) -> LinkMap {
    let executable = description.files.first().and_then(|file| {
        let image = Image::open(&file.path, &DebugSearch::default(), &Cache::off()).ok()?;
        let bias = match image.is_position_independent() {
            true => file.bias?,
            false => 0,
        };
        Some((image, bias))
    });
    executable.map_or_else(LinkMap::default, |(image, bias)| {
        LinkMap::read(reader, &image, bias)
    })
}

/// How far from its own addresses the file lies. The debugger may say so; otherwise it knows where `_PyRuntime` is.
fn bias(
    image: &Image,
    loaded: &LoadedFile,
    description: &Description,
    evaluate: &dyn Evaluate,
    reader: Reader<'_>,
) -> Result<u64> {
    if !image.is_position_independent() {
        return Ok(0);
    }
    if let Some(bias) = loaded.bias {
        return Ok(bias);
    }
    if let Some(bias) = link_map(description, reader).bias(&loaded.path) {
        return Ok(bias);
    }
    let runtime = image.symbol("_PyRuntime").ok_or_else(|| Error::NoSymbol {
        name: "_PyRuntime".to_owned(),
    })?;
    let Address(here) = evaluate
        .evaluate("&_PyRuntime")
        .map_err(|reason| Error::NotFound {
            message: format!(
                "the debugger does not know where {} is loaded",
                image.path().display()
            ),
            hint: Some(reason),
        })?;
    Ok(here.wrapping_sub(runtime.address.0))
}
