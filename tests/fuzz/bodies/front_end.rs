//! A debugger that does what `cpyjit::control` asks of it, and holds it against what the head of that module promises.

use cpyjit::address::Address;
use cpyjit::command::{Action as Told, Reply};
use cpyjit::control::{Action, Hook, RegionPlaces, Run, SymbolFile, UserBreakpoint};
use gimli::{DebugFrame, Dwarf, EndianSlice, LittleEndian, SectionId, Unit, UnwindSection};
use object::{Object, ObjectSection, ObjectSymbol};
use std::collections::{BTreeMap, BTreeSet, HashMap};

type Slice<'d> = EndianSlice<'d, LittleEndian>;

/// Characters of the listing of an executor. One with a thousand uops has 150,000.
const LONGEST_LISTING: usize = 16 << 20;

/// What the debugger has.
#[derive(Default)]
pub struct FrontEnd {
    /// The numbers of the files that are loaded.
    files: BTreeSet<u64>,
    /// All listings that there have ever been.
    texts: HashMap<String, String>,
    /// Labels of the breakpoints that were made.
    labels: HashMap<u32, String>,
    /// How many places there are in each region.
    regions: BTreeMap<Address, usize>,
    hooks: Vec<Hook>,
    /// What is to be run.
    run: Option<Run>,
}

impl FrontEnd {
    /// Does what a reply asks for.
    pub fn carry_out(&mut self, reply: &Reply) {
        self.run = None;
        for action in &reply.actions {
            match action {
                Told::Control(action) => self.act(action),
                Told::WriteFile { path, .. } => assert!(!path.is_empty()),
            }
        }
    }

    /// Another program has taken the place of the process: nothing is left that could come alive in it.
    pub fn ended(&self) {
        assert!(self.files.is_empty(), "files are left: {:?}", self.files);
        let left = self.regions.values().filter(|count| **count > 0).count();
        assert_eq!(left, 0, "regions have places: {:?}", self.regions);
        assert!(self.hooks.is_empty(), "{:?}", self.hooks);
    }

    /// Where a run is to stop.
    pub fn wanted(&self) -> Option<Address> {
        Some(self.run.as_ref()?.places.first()?.address)
    }

    /// The hooks that can be hit.
    pub fn hooks(&self) -> &[Hook] {
        &self.hooks
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::SetBreakpoint(one) => self.set_breakpoint(one),
            Action::UpdateRegion(region) => self.update_region(region),
            Action::Hooks(hooks) => self.hooks.clone_from(hooks),
            Action::Run(run) => {
                assert!(!run.places.is_empty(), "it would run without an end");
                self.run = Some(run.clone());
            }
            Action::SingleStep { .. } | Action::Choose { .. } => {}
            Action::AddSymbols(file) => self.add(file),
            Action::RemoveSymbols(number) => {
                assert!(self.files.remove(number), "no file {number}");
            }
        }
    }

    fn set_breakpoint(&mut self, one: &UserBreakpoint) {
        assert!(!one.label.contains([' ', ':']), "{:?}", one.label);
        assert!(
            !self.labels.values().any(|label| *label == one.label),
            "{:?} twice",
            one.label
        );
        assert!(self.labels.insert(one.id, one.label.clone()).is_none());
        check_elf(&one.probes);
    }

    fn update_region(&mut self, region: &RegionPlaces) {
        for place in &region.places {
            assert!(region.range.contains(place.address), "{region:?}");
        }
        assert_eq!(region.places.is_empty(), region.probes.is_empty());
        check_elf(&region.probes);
        self.regions.insert(region.range.start, region.places.len());
    }

    fn add(&mut self, file: &SymbolFile) {
        let listings = &file.symbols.listings;
        for listing in listings {
            assert!(!listing.name.contains(['/', '\0']), "{:?}", listing.name);
            assert!(listing.text.len() < LONGEST_LISTING, "{}", listing.name);
            let control = |c: char| c.is_control() && c != '\n';
            assert!(!listing.text.contains(control), "{:?}", listing.text);
            let count = listing.text.lines().count();
            assert!(
                listing
                    .lines
                    .iter()
                    .all(|(_, line)| *line as usize <= count)
            );
            let before = self
                .texts
                .insert(listing.name.clone(), listing.text.clone());
            assert!(
                before.is_none_or(|before| before == listing.text),
                "{} is another text now",
                listing.name
            );
        }
        check_elf(&file.symbols.elf);
        let units = check_dwarf(&file.symbols.elf);
        assert!(units >= listings.len(), "{units} units");
        assert!(self.files.insert(file.number), "{} twice", file.number);
    }
}

/// Debuggers print names as they are.
fn check_text(text: &str) {
    assert!(!text.contains(char::is_control), "{text:?}");
}

fn check_elf(bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let file = object::File::parse(bytes).unwrap();
    for symbol in file.symbols() {
        check_text(symbol.name().unwrap());
    }
    for section in file.sections() {
        section.data().unwrap();
        section.name().unwrap();
    }
}

/// Reads everything that a debugger would. How many units there are.
fn check_dwarf(bytes: &[u8]) -> usize {
    let file = object::File::parse(bytes).unwrap();
    let section = |id: SectionId| {
        let data = file
            .section_by_name(id.name())
            .map(|section| section.data().unwrap());
        EndianSlice::new(data.unwrap_or_default(), LittleEndian)
    };
    let dwarf = Dwarf::load(|id| Ok::<_, gimli::Error>(section(id))).unwrap();
    let (mut units, mut count) = (dwarf.units(), 0);
    while let Some(header) = units.next().unwrap() {
        count += 1;
        let unit = dwarf.unit(header).unwrap();
        check_entries(&dwarf, &unit);
        check_lines(&dwarf, &unit);
    }
    check_rules(DebugFrame::from(section(SectionId::DebugFrame)));
    count
}

fn check_entries(dwarf: &Dwarf<Slice<'_>>, unit: &Unit<Slice<'_>>) {
    let mut entries = unit.entries();
    while let Some(entry) = entries.next_dfs().unwrap() {
        for attribute in entry.attrs() {
            if let Ok(text) = dwarf.attr_string(unit, attribute.value()) {
                check_text(text.to_string().unwrap());
            }
        }
        let mut ranges = dwarf.die_ranges(unit, entry).unwrap();
        while let Some(range) = ranges.next().unwrap() {
            assert!(range.begin <= range.end, "{range:?}");
        }
    }
}

fn check_lines(dwarf: &Dwarf<Slice<'_>>, unit: &Unit<Slice<'_>>) {
    let Some(program) = unit.line_program.clone() else {
        return;
    };
    let header = program.header();
    let files = header.file_names().iter().map(|file| file.path_name());
    for name in files.chain(header.include_directories().iter().cloned()) {
        check_text(dwarf.attr_string(unit, name).unwrap().to_string().unwrap());
    }
    let mut rows = program.rows();
    while rows.next_row().unwrap().is_some() {}
}

fn check_rules(mut rules: DebugFrame<Slice<'_>>) {
    rules.set_address_size(8);
    let bases = gimli::BaseAddresses::default();
    let mut entries = rules.entries(&bases);
    while let Some(entry) = entries.next().unwrap() {
        if let gimli::CieOrFde::Fde(partial) = entry {
            let entry = partial.parse(DebugFrame::cie_from_offset).unwrap();
            let mut context = gimli::UnwindContext::new();
            let mut table = entry.rows(&rules, &bases, &mut context).unwrap();
            while table.next_row().unwrap().is_some() {}
        }
    }
}
