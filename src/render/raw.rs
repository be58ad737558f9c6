//! `cpyjit dis --raw`: machine code, and nothing about it.

use super::columns::Columns;
use super::gutter::Gutter;
use super::instruction::InstructionLine;
use super::paint::{Paint, Role};
use crate::listing::RawData;

/// Writes the instructions.
pub fn write(paint: &mut Paint, data: &RawData) {
    paint.colored(Role::Heading, |paint| {
        paint.number(i128::from(data.size));
        paint.text(" bytes of machine code at ");
        paint.address(data.base);
    });
    paint.end_line();
    let mut gutter = Gutter::default();
    let last = data.instructions.last();
    let last = last.map_or(data.base, |row| row.instruction.address());
    let columns = Columns::new(paint.width(), 0, data.view, last);
    for row in &data.instructions {
        let line = InstructionLine {
            view: data.view,
            columns,
            base: data.base,
            number: None,
            notes: row.notes(),
        };
        line.write(paint, &mut gutter, row);
    }
    if data.zeros != 0 {
        paint.number(i128::from(data.zeros));
        paint.text(" zero bytes behind");
        paint.end_line();
    }
}
