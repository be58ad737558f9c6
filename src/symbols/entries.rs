//! The debugging information entries of an executor.

use super::attributes::{address, declare, pointer_to, set, set_range, string};
use super::files::Files;
use super::inlined::{FrameParts, parts, ranges};
use super::lines::{listing_line, uop_line};
use super::model::{ExecutorCode, Function, InlinedFrame, Piece, PieceKind};
use super::{Debugger, SymbolOptions, View};
use crate::address::Range;
use crate::listing::UopRow;
use crate::render::UopSource;
use gimli::constants::*;
use gimli::write::{AttributeValue, FileId, Range as CodeRange, RangeList, Unit, UnitEntryId};
use std::collections::HashMap;

/// Writes the entries of one unit.
pub struct Entries<'w, 'm> {
    /// The executor.
    pub code: &'m ExecutorCode,
    /// How they are to be.
    pub options: &'m SymbolOptions,
    /// Its listing.
    pub source: &'m UopSource,
    /// Where they go.
    pub unit: &'w mut Unit,
    /// The files of the unit.
    pub files: &'w mut Files<'m>,
    functions: HashMap<u64, UnitEntryId>,
    uops: HashMap<&'m str, UnitEntryId>,
}

/// What a frame is called whose function is not known.
const UNKNOWN: &str = "?";

/// The entries of a frame.
#[derive(Clone, Copy)]
struct Nodes {
    /// Where it is known what it executes.
    certain: UnitEntryId,
    /// Where that is still to be tested.
    doubtful: UnitEntryId,
}

/// The types of variables.
#[derive(Clone, Copy)]
pub struct Types {
    /// `PyObject *`.
    pub object: UnitEntryId,
    /// `_PyInterpreterFrame *`.
    pub frame: UnitEntryId,
}

/// What a unit as a whole is.
pub fn describe_unit(unit: &mut Unit, name: &str, folder: &str, range: Range) {
    let root = unit.root();
    set(unit, root, DW_AT_producer, string("cpyjit"));
    // GDB knows nothing of Python; expressions on variables are those of C.
    set(
        unit,
        root,
        DW_AT_language,
        AttributeValue::Language(DW_LANG_C11),
    );
    set(unit, root, DW_AT_name, string(name));
    set(unit, root, DW_AT_comp_dir, string(folder));
    set_range(unit, root, range.start.0, range.size);
}

/// A declaration of `PyObject`'s structure, which debuggers complete from CPython's own debug information.
pub fn declare_object(unit: &mut Unit) -> UnitEntryId {
    let root = unit.root();
    declare(unit, root, "_object")
}

impl<'w, 'm> Entries<'w, 'm> {
    /// Entries of this executor for that unit.
    pub fn new(
        code: &'m ExecutorCode,
        options: &'m SymbolOptions,
        source: &'m UopSource,
        unit: &'w mut Unit,
        files: &'w mut Files<'m>,
    ) -> Entries<'w, 'm> {
        Entries {
            code,
            options,
            source,
            unit,
            files,
            functions: HashMap::new(),
            uops: HashMap::new(),
        }
    }

    /// Writes them all.
    pub fn write(&mut self, name: &str) {
        let types = self.types();
        let code = self.code;
        let start = code.uops_start();
        let size = code.code_end().offset_from(start).unwrap_or_default();
        let executor = self.subprogram(name, Range::new(start, size));
        let nodes = self.frames(executor, types);
        if self.options.view == View::Both {
            self.uops(executor, &nodes);
        }
        self.registers(executor, types);
        let mut pieces = code.pieces.iter();
        if let Some(shim) = pieces.find(|piece| piece.kind == PieceKind::Shim) {
            self.subprogram(&format!("{name} shim"), shim.range);
        }
    }

    fn types(&mut self) -> Types {
        let unit = &mut *self.unit;
        let root = unit.root();
        let object = declare_object(unit);
        let named = unit.add(root, DW_TAG_typedef);
        set(unit, named, DW_AT_name, string("PyObject"));
        set(unit, named, DW_AT_type, AttributeValue::UnitRef(object));
        let frame = declare(unit, root, "_PyInterpreterFrame");
        Types {
            object: pointer_to(unit, root, named),
            frame: pointer_to(unit, root, frame),
        }
    }

    fn subprogram(&mut self, name: &str, range: Range) -> UnitEntryId {
        let root = self.unit.root();
        let entry = self.unit.add(root, DW_TAG_subprogram);
        set(self.unit, entry, DW_AT_name, string(name));
        set(self.unit, entry, DW_AT_external, AttributeValue::Flag(true));
        self.declared(entry, self.files.listing, 1);
        set_range(self.unit, entry, range.start.0, range.size);
        entry
    }

    fn declared(&mut self, entry: UnitEntryId, file: FileId, line: u64) {
        let file = AttributeValue::FileIndex(Some(file));
        set(self.unit, entry, DW_AT_decl_file, file);
        set(
            self.unit,
            entry,
            DW_AT_decl_line,
            AttributeValue::Udata(line),
        );
    }

    /// The frames of Python as inlined calls.
    fn frames(&mut self, executor: UnitEntryId, types: Types) -> Vec<Nodes> {
        let mut nodes: Vec<Nodes> = Vec::new();
        for (frame, parts) in self.code.frames.iter().zip(parts(self.code)) {
            let parent = frame.parent.and_then(|parent| nodes.get(parent));
            let parent = parent.map_or(executor, |nodes| nodes.certain);
            nodes.push(match parts.first_uop {
                Some(first) if !frame.is_hidden => self.frame(parent, frame, &parts, first, types),
                _ => Nodes {
                    certain: parent,
                    doubtful: parent,
                },
            });
        }
        nodes
    }

    fn frame(
        &mut self,
        parent: UnitEntryId,
        frame: &'m InlinedFrame,
        parts: &FrameParts,
        first: usize,
        types: Types,
    ) -> Nodes {
        let site = self.call_site(first, frame.parent.is_some());
        let (mut certain, mut doubtful) = (parent, parent);
        let code = ranges(&parts.code);
        if !code.is_empty() {
            let origin = self.origin(frame.function.as_deref());
            certain = self.inlined(parent, origin, &code, site);
            if let Some(function) = &frame.function {
                self.variables(certain, function, parts, types);
            }
        }
        let doubt = ranges(&parts.doubtful);
        if !doubt.is_empty() {
            let origin = self.origin(None);
            doubtful = self.inlined(parent, origin, &doubt, site);
        }
        Nodes { certain, doubtful }
    }

    fn inlined(
        &mut self,
        parent: UnitEntryId,
        origin: UnitEntryId,
        ranges: &[(u64, u64)],
        site: (FileId, u64),
    ) -> UnitEntryId {
        let start = self.code.allocation.start.0;
        let node = self.call(parent, origin, site);
        if let [(from, to)] = ranges {
            let at = start.wrapping_add(*from);
            set_range(self.unit, node, at, to.saturating_sub(*from));
            return node;
        }
        let pairs = ranges.iter().map(|(begin, end)| CodeRange::OffsetPair {
            begin: *begin,
            end: *end,
        });
        let list = self.unit.ranges.add(RangeList(pairs.collect()));
        let list = AttributeValue::RangeListRef(list);
        set(self.unit, node, DW_AT_ranges, list);
        let first = ranges.first().map_or(0, |(begin, _)| *begin);
        let entry = address(start.wrapping_add(first));
        set(self.unit, node, DW_AT_entry_pc, entry);
        node
    }

    fn call(
        &mut self,
        parent: UnitEntryId,
        origin: UnitEntryId,
        (file, line): (FileId, u64),
    ) -> UnitEntryId {
        let unit = &mut *self.unit;
        let node = unit.add(parent, DW_TAG_inlined_subroutine);
        let origin = AttributeValue::UnitRef(origin);
        set(unit, node, DW_AT_abstract_origin, origin);
        let file = AttributeValue::FileIndex(Some(file));
        set(unit, node, DW_AT_call_file, file);
        set(unit, node, DW_AT_call_line, AttributeValue::Udata(line));
        node
    }

    /// Where a frame that begins with this uop was called: at the line of the uop before, or by the executor.
    fn call_site(&mut self, first: usize, is_pushed: bool) -> (FileId, u64) {
        let rows = &self.code.listing.uops;
        let caller = first.checked_sub(1).and_then(|before| rows.get(before));
        let line = caller.filter(|_| is_pushed).and_then(python_line);
        match line {
            Some((file, line)) => (self.files.python(self.unit, file), line),
            None => {
                let line = uop_line(self.source, first);
                (self.files.listing, u64::from(line))
            }
        }
    }

    /// The function that an inlined call is of; one without a name where it is not known.
    fn origin(&mut self, function: Option<&'m Function>) -> UnitEntryId {
        let key = function.map_or(0, |function| function.code.0);
        if let Some(known) = self.functions.get(&key) {
            return *known;
        }
        let entry = self.abstract_entry(function.map_or(UNKNOWN, |function| &function.name));
        if let Some(function) = function {
            let file = self.files.python(self.unit, &function.filename);
            let line = u64::try_from(function.firstlineno).unwrap_or_default();
            self.declared(entry, file, line);
        }
        self.functions.insert(key, entry);
        entry
    }

    fn abstract_entry(&mut self, name: &str) -> UnitEntryId {
        let root = self.unit.root();
        let entry = self.unit.add(root, DW_TAG_subprogram);
        let inlined = AttributeValue::Inline(DW_INL_inlined);
        set(self.unit, entry, DW_AT_name, string(name));
        set(self.unit, entry, DW_AT_inline, inlined);
        set(self.unit, entry, DW_AT_external, AttributeValue::Flag(true));
        entry
    }

    /// Each uop as an inlined call at its line of Python.
    fn uops(&mut self, executor: UnitEntryId, nodes: &[Nodes]) {
        let code = self.code;
        for piece in &code.pieces {
            let PieceKind::Uop(index) = piece.kind else {
                continue;
            };
            let index = index.0 as usize;
            let Some(row) = code.listing.uops.get(index) else {
                continue;
            };
            let place = code.place(index);
            let nodes = place.frame.and_then(|frame| nodes.get(frame));
            let parent = nodes.map_or(executor, |nodes| match place.is_certain {
                true => nodes.certain,
                false => nodes.doubtful,
            });
            let site = self.uop_site(row, piece);
            let origin = self.abstract_uop(row);
            let call = self.call(parent, origin, site);
            set_range(self.unit, call, piece.range.start.0, piece.range.size);
        }
    }

    fn uop_site(&mut self, row: &'m UopRow, piece: &Piece) -> (FileId, u64) {
        match python_line(row) {
            Some((file, line)) => (self.files.python(self.unit, file), line),
            None => {
                let line = listing_line(self.source, piece);
                (self.files.listing, u64::from(line))
            }
        }
    }

    /// LLDB finds a function by both of its names, GDB by the second only.
    fn abstract_uop(&mut self, row: &'m UopRow) -> UnitEntryId {
        if let Some(known) = self.uops.get(&*row.name) {
            return *known;
        }
        let name = match self.options.debugger {
            Debugger::Gdb => &row.name,
            Debugger::Lldb => &row.base,
        };
        let entry = self.abstract_entry(name);
        if **name != *row.name {
            let name = string(&row.name);
            set(self.unit, entry, DW_AT_linkage_name, name);
        }
        self.uops.insert(&row.name, entry);
        entry
    }
}

/// File and line of Python source of a uop.
fn python_line(row: &UopRow) -> Option<(&str, u64)> {
    let line = u64::try_from(row.line?).ok()?;
    Some((&row.code.as_ref()?.filename, line))
}
