//! What tells where the tables and fields of a CPython are, the better source first.

use super::program::Missing;
use crate::address::Address;
use crate::cpython::{CPython, SHAPES, layouts_misfit};
use crate::image::Image;
use crate::layout::{
    DebugOffsets, Layouts, Provenance, Symbols, load_layouts, load_tables, scan_symbols,
};
use crate::listing::{Finding, NOTE_SHAPES};
use crate::platform::Architecture;
use crate::target::Reader;

/// What the file, the built-in tables and a scan tell of a CPython.
pub(super) struct Evidence {
    layouts: Layouts,
    symbols: Symbols,
    /// Why layouts are missing that the DWARF should have; empty if there is no DWARF.
    pub(super) findings: Vec<Finding>,
    has_dwarf: bool,
    /// Why no built-in table could help.
    no_table: Option<String>,
}

impl Evidence {
    pub(super) fn new(image: &Image, symbols: Symbols) -> Evidence {
        // All at once: each look at the DWARF takes its time. Remarks can do without theirs: what is missing of those is
        // not worth a word.
        let wanted: Vec<&str> = SHAPES.iter().chain(NOTE_SHAPES).copied().collect();
        let (layouts, mut missing) = load_layouts(image, &wanted);
        missing.retain(|missing| SHAPES.contains(&missing.name.as_str()));
        let has_dwarf = layouts.iter().next().is_some();
        Evidence {
            has_dwarf,
            layouts,
            symbols,
            findings: (missing.iter())
                .map(|missing| {
                    let (name, reason) = (&missing.name, &missing.reason);
                    Finding::warning(format!("the layout of {name} is not known: {reason}"))
                })
                .collect(),
            no_table: None,
        }
    }

    /// What DWARF does not tell, a built-in table may.
    pub(super) fn add_tables(
        &mut self,
        reader: Reader<'_>,
        offsets: DebugOffsets,
        runtime: Address,
        architecture: Architecture,
    ) {
        let load = |layouts: &mut Layouts, wanted| {
            load_tables(layouts, reader, runtime, offsets, architecture, wanted)
        };
        match load(&mut self.layouts, SHAPES) {
            Ok(()) => {
                self.findings.clear();
                let _ = load(&mut self.layouts, NOTE_SHAPES);
            }
            Err(reason) => {
                self.no_table = Some(reason);
                if !self.has_dwarf {
                    self.findings.clear();
                }
            }
        }
    }

    pub(super) fn python(
        &mut self,
        image: &Image,
        bias: u64,
        offsets: DebugOffsets,
        reader: Reader<'_>,
    ) -> Result<CPython, Missing> {
        let reasons = match (offsets.free_threaded, self.layouts.iter().next()) {
            // It has no executors, which is what will be said of it.
            (true, _) => Vec::new(),
            (false, None) => {
                return Err(without_layouts(image, offsets, self.no_table.as_deref()));
            }
            (false, Some(_)) => {
                scan_symbols(&mut self.symbols, image, bias, &self.layouts, offsets)
            }
        };
        let (layouts, symbols) = (self.layouts.clone(), self.symbols.clone());
        let python = CPython::read(reader, layouts, symbols)
            .map_err(|error| Missing::from(error).because(&reasons))?;
        self.check_executors(image, &python, reader)?;
        Ok(python)
    }

    /// A built-in table must also fit the executors that there are. If it was made from the very version, it is rather
    /// the executors that are damaged.
    fn check_executors(
        &mut self,
        image: &Image,
        python: &CPython,
        reader: Reader<'_>,
    ) -> Result<(), Missing> {
        let made_from = (self.layouts.iter()).find_map(|(_, provenance)| match provenance {
            Provenance::Table { version, .. } => Some(version.clone()),
            _ => None,
        });
        let Some(made_from) = made_from else {
            return Ok(());
        };
        let same = made_from == python.offsets.version();
        match layouts_misfit(python, reader) {
            Some(reason) if same => self.findings.push(Finding::warning(reason)),
            Some(reason) => {
                let reason = format!("the built-in layouts of {made_from} for x86-64 do not fit it: {reason}");
                return Err(without_layouts(image, python.offsets, Some(&reason)));
            }
            None if same => {}
            None => self.findings.push(Finding::note(format!(
                "layouts are those of CPython {made_from}, with which this {} agrees as far as it can be checked",
                python.offsets.version()
            ))),
        }
        Ok(())
    }
}

impl Missing {
    /// With the reasons why a scan found less than it should.
    fn because(self, reasons: &[String]) -> Missing {
        match reasons {
            [] => self,
            reasons => Missing {
                message: format!("{} ({})", self.message, reasons.join("; ")),
                ..self
            },
        }
    }
}

fn without_layouts(image: &Image, offsets: DebugOffsets, no_table: Option<&str>) -> Missing {
    Missing {
        message: format!(
            "CPython {} in {} has no debug information that could be found, and {}",
            offsets.version(),
            image.path().display(),
            no_table.unwrap_or("no built-in layouts")
        ),
        hint: Some(format!(
            "install its -dbg package, let the debugger fetch it (set debuginfod enabled on), or put the file with \
             build id {} under a debug-file directory",
            image
                .build_id()
                .map_or_else(|| "(none)".to_owned(), ToString::to_string)
        )),
    }
}
