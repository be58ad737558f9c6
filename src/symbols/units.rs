//! The units of an executor: the one that all refers to, and one that only knows lines of Python.

use super::entries::{Entries, declare_object, describe_unit};
use super::files::unit;
use super::lines;
use super::{Debugger, Part, View};
use crate::address::{Address, Range};
use gimli::write::Dwarf;

impl Part<'_> {
    /// All debug information but the unwind rules.
    pub(super) fn add_units(&self, dwarf: &mut Dwarf) {
        self.add_main(dwarf);
        if self.options.view != View::Python {
            self.add_python_lines(dwarf);
        }
    }

    fn add_main(&self, dwarf: &mut Dwarf) {
        let (code, options) = (self.code, self.options);
        let (mut unit, mut files) = unit(&options.folder, &self.listing_name);
        match options.view {
            View::Python => {
                // LLDB takes lines with the number 0 at the start of a function for its prologue, and moves breakpoints
                // on names of uops by as much, wherever in the function they are.
                let before = match options.debugger {
                    Debugger::Gdb => 0,
                    Debugger::Lldb => lines::uop_line(&self.source, 0).into(),
                };
                lines::of_python(&mut unit, &mut files, code, Some(before));
            }
            View::Frames | View::Both => {
                lines::of_listing(&mut unit, &files, code, &self.source);
            }
        }
        let start = code.allocation.start;
        let range = Range::new(start, code.offset(code.code_end()));
        describe_unit(&mut unit, &self.listing_name, &options.folder, range);
        Entries::new(code, options, &self.source, &mut unit, &mut files).write(&self.name);
        dwarf.units.add(unit);
    }

    /// Breakpoints at lines of Python, where the lines of the code are those of the listing. Debuggers look for lines in
    /// units that have a range, and GDB in those that have an entry; which line an address has, the first unit says. So
    /// this one has a byte of padding.
    fn add_python_lines(&self, dwarf: &mut Dwarf) {
        let (code, options) = (self.code, self.options);
        let byte = Address(self.section.end().0.wrapping_sub(1));
        let filename = code.listing.executor.filename.as_deref();
        let has_lines = code.listing.uops.iter().any(|row| row.line.is_some());
        let (Some(filename), true, true) = (filename, has_lines, code.code_end() <= byte) else {
            return;
        };
        let (mut unit, mut files) = unit(&options.folder, &self.listing_name);
        lines::of_python(&mut unit, &mut files, code, None);
        describe_unit(&mut unit, filename, &options.folder, Range::new(byte, 1));
        declare_object(&mut unit);
        dwarf.units.add(unit);
    }
}
