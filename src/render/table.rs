//! Tables: columns as wide as their longest cell. What does not fit the terminal stands below, cell by cell.

use super::paint::{Paint, Role};
use unicode_width::UnicodeWidthStr;

/// What a cell begins with that did not fit the line and stands below.
const BELOW: usize = 6;

/// How the columns of a table look.
pub struct Columns<const N: usize> {
    /// What stands above them.
    pub headings: [&'static str; N],
    /// Whether their cells stand to the right.
    pub right: [bool; N],
    /// The column that gives way when the terminal is narrow.
    pub elastic: usize,
    /// How narrow that may be and still tell something.
    pub narrowest: usize,
}

impl<const N: usize> Columns<N> {
    /// Writes the headings and the rows.
    pub fn write(&self, paint: &mut Paint, mut rows: Vec<[String; N]>) {
        let mut widths = self.headings.map(str::len);
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        self.fit(paint, &mut widths, &mut rows);
        paint.colored(Role::Heading, |paint| {
            self.line(paint, &widths, &self.headings.map(str::to_owned))
        });
        paint.end_line();
        for row in &rows {
            self.line(paint, &widths, row);
            paint.end_line();
        }
    }

    /// Narrows the elastic column until the table fits, if that is enough.
    fn fit(&self, paint: &Paint, widths: &mut [usize; N], rows: &mut [[String; N]]) {
        let total: usize = widths.iter().sum::<usize>() + 2 * N.saturating_sub(1);
        let excess = paint.width().map_or(0, |width| total.saturating_sub(width));
        let heading = self.headings.get(self.elastic).map_or(0, |text| text.len());
        let Some(column) = widths.get_mut(self.elastic) else {
            return;
        };
        let narrowest = self.narrowest.max(heading);
        *column = (*column).min((*column).saturating_sub(excess).max(narrowest));
        for row in rows {
            if let Some(cell) = row.get_mut(self.elastic) {
                *cell = paint.clipped(cell, *column);
            }
        }
    }

    fn line(&self, paint: &mut Paint, widths: &[usize; N], cells: &[String; N]) {
        let filled = cells.iter().rposition(|cell| !cell.is_empty());
        let cells = cells.iter().zip(widths).zip(self.right).enumerate();
        let mut gap = 0;
        for (column, ((cell, width), right)) in cells {
            if filled.is_none_or(|filled| column > filled) {
                break;
            }
            let missing = width.saturating_sub(cell.width());
            if column != 0 {
                let end = paint.column() + gap + cell.width();
                if paint.width().is_some_and(|most| end > most) {
                    paint.end_line();
                    gap = BELOW;
                }
                paint.blanks(gap);
            }
            if right {
                paint.blanks(missing);
            }
            paint.text(cell);
            gap = if right { 2 } else { missing + 2 };
        }
    }
}
