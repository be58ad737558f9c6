//! The arrows to the left of the code, line by line.

use super::lanes::{Arrow, Lanes, MOST_LANES};
use super::paint::{Paint, Role};
use std::ops::Range;

/// Columns of the heads of arrows and of the mark of the pc, `=> `.
const MARK: usize = 3;

/// What arrows are made of; `crossed` by the end of an arrow further out.
struct Glyphs {
    vertical: char,
    horizontal: char,
    top: char,
    bottom: char,
    middle: char,
    top_crossed: char,
    bottom_crossed: char,
    crossed: char,
}

const LINES: Glyphs = Glyphs {
    vertical: '│',
    horizontal: '─',
    top: '╭',
    bottom: '╰',
    middle: '├',
    top_crossed: '┬',
    bottom_crossed: '┴',
    crossed: '┼',
};

const ASCII: Glyphs = Glyphs {
    vertical: '|',
    horizontal: '-',
    top: '.',
    bottom: '\'',
    middle: '+',
    top_crossed: '.',
    bottom_crossed: '\'',
    crossed: '+',
};

/// Where a line of the page stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    /// Above the instruction with this number.
    Above(usize),
    /// It is that instruction.
    At(usize),
    /// It goes on with that instruction.
    Below(usize),
    /// Arrows do not reach it.
    Outside,
}

/// What stands between the lanes and the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tail {
    /// Nothing.
    Blank,
    /// The end of an arrow.
    Shaft,
    /// Its head.
    Head,
}

/// The lanes and how far the page has come.
#[derive(Default)]
pub struct Gutter {
    lanes: Lanes,
    /// For each lane, the arrow that is next or being drawn.
    next: Vec<usize>,
    still: Still,
}

/// Instructions at which no arrow begins or ends: most of them. Their lines have the same margin, drawn once.
#[derive(Default)]
struct Still {
    instructions: Range<usize>,
    margin: String,
}

impl Still {
    fn holds(&self, line: Line) -> bool {
        matches!(line, Line::At(now) if self.instructions.contains(&now))
    }
}

impl Gutter {
    /// A gutter for these arrows.
    pub fn new(lanes: Lanes) -> Gutter {
        Gutter {
            next: vec![0; lanes.lanes.len()],
            lanes,
            still: Still::default(),
        }
    }

    /// How many columns it takes.
    pub fn width(&self) -> usize {
        match self.lanes.lanes.len() {
            0 => 0,
            lanes => lanes + 1,
        }
    }

    /// How many instructions further down a jump goes that is not drawn; negative if it goes up.
    pub fn untold(&self, instruction: usize) -> Option<i64> {
        let to = self.lanes.untold.get(&instruction)?;
        Some(i64::try_from(*to).ok()? - i64::try_from(instruction).ok()?)
    }

    /// Draws the part of the arrows on this line, which is the line's margin. Lines are drawn from top to bottom.
    pub fn draw(&mut self, paint: &mut Paint, line: Line) -> usize {
        if self.still.holds(line) {
            paint.text(&self.still.margin);
        } else {
            self.advance(line);
            let start = paint.mark();
            self.margin(paint, line);
            self.look_ahead(line, paint.since(start));
        }
        let width = self.width();
        paint.end_margin(width);
        width
    }

    /// Remembers the margin of this line if nothing happens at it, for the lines below up to where something does.
    fn look_ahead(&mut self, line: Line, margin: &str) {
        let Line::At(now) = line else {
            return;
        };
        let lanes = self.lanes.lanes.iter().zip(&self.next);
        let event = lanes
            .filter_map(|(lane, next)| lane.get(*next)?.event(now))
            .min();
        self.still.instructions = now..event.unwrap_or(usize::MAX);
        self.still.margin.clear();
        self.still.margin.push_str(margin);
    }

    fn margin(&self, paint: &mut Paint, line: Line) {
        let here = self.here(line);
        let Some(first) = here.iter().position(Option::is_some) else {
            return paint.blanks(self.width());
        };
        let glyphs = glyphs(paint);
        let ends = ends(&here, line);
        let begins = ends.outermost.unwrap_or(usize::MAX);
        paint.colored(Role::Arrow, |paint| {
            paint.blanks(first);
            let count = self.lanes.lanes.len();
            for (index, arrow) in here.iter().enumerate().take(count).skip(first) {
                let glyph = glyphs.of(*arrow, line, index > begins);
                paint.raw().push(glyph);
            }
            paint.raw().push(match ends.outermost {
                Some(_) => glyphs.horizontal,
                None => ' ',
            });
        });
    }

    /// Between the lanes and the code: the ends of the arrows that touch this instruction, and the mark of the pc.
    pub fn tail(&self, paint: &mut Paint, instruction: Option<usize>, is_pc: bool) {
        let line = instruction.map_or(Line::Outside, Line::At);
        self.ends(paint, line, super::CODE_INDENT, is_pc);
    }

    /// The same before a uop of a listing without machine code.
    pub fn short_tail(&self, paint: &mut Paint, uop: usize, is_pc: bool) {
        self.ends(paint, Line::At(uop), MARK, is_pc);
    }

    fn ends(&self, paint: &mut Paint, line: Line, width: usize, is_pc: bool) {
        let tail = match self.still.holds(line) {
            true => Tail::Blank,
            false => ends(&self.here(line), line).tail,
        };
        let horizontal = glyphs(paint).horizontal;
        let shaft =
            |paint: &mut Paint, count| (0..count).for_each(|_| paint.raw().push(horizontal));
        let before = width.saturating_sub(MARK);
        paint.colored(Role::Arrow, |paint| match tail {
            Tail::Blank => paint.blanks(before),
            Tail::Shaft | Tail::Head if is_pc => {
                shaft(paint, before.saturating_sub(1));
                paint.blanks(before.min(1));
            }
            Tail::Shaft | Tail::Head => shaft(paint, before),
        });
        match tail {
            _ if is_pc => paint.role(Role::Mark, "=> "),
            Tail::Blank => paint.blanks(MARK),
            Tail::Shaft => paint.colored(Role::Arrow, |paint| {
                shaft(paint, 2);
                paint.text(" ");
            }),
            Tail::Head => paint.colored(Role::Arrow, |paint| {
                shaft(paint, 1);
                paint.text("> ");
            }),
        }
    }

    /// Passes the arrows that ended above the line.
    fn advance(&mut self, line: Line) {
        let (Line::Above(now) | Line::At(now) | Line::Below(now)) = line else {
            return;
        };
        for (lane, next) in self.lanes.lanes.iter().zip(&mut self.next) {
            while lane.get(*next).is_some_and(|arrow| arrow.bottom < now) {
                *next += 1;
            }
        }
    }

    /// The arrow of each lane that crosses or touches the line.
    fn here(&self, line: Line) -> [Option<&Arrow>; MOST_LANES] {
        let mut here = [None; MOST_LANES];
        let lanes = self.lanes.lanes.iter().zip(&self.next);
        for ((lane, next), slot) in lanes.zip(&mut here) {
            *slot = lane.get(*next).filter(|arrow| reaches(arrow, line));
        }
        here
    }
}

fn reaches(arrow: &Arrow, line: Line) -> bool {
    match line {
        Line::Above(now) => arrow.top < now && now <= arrow.bottom,
        Line::At(now) => arrow.top <= now && now <= arrow.bottom,
        Line::Below(now) => arrow.top <= now && now < arrow.bottom,
        Line::Outside => false,
    }
}

/// Which arrows end on a line.
struct Ends {
    /// The outermost lane in which one does.
    outermost: Option<usize>,
    tail: Tail,
}

fn ends(here: &[Option<&Arrow>], line: Line) -> Ends {
    let mut ends = Ends {
        outermost: None,
        tail: Tail::Blank,
    };
    let Line::At(now) = line else {
        return ends;
    };
    for (index, arrow) in here.iter().enumerate() {
        let Some(arrow) = arrow else {
            continue;
        };
        let is_head = arrow.to == now;
        if !is_head && arrow.from.binary_search(&now).is_err() {
            continue;
        }
        ends.outermost.get_or_insert(index);
        if ends.tail != Tail::Head {
            ends.tail = if is_head { Tail::Head } else { Tail::Shaft };
        }
    }
    ends
}

fn glyphs(paint: &Paint) -> &'static Glyphs {
    match paint.is_ascii() {
        true => &ASCII,
        false => &LINES,
    }
}

impl Glyphs {
    /// The character of a lane; `crossed` if the end of an arrow further out passes.
    fn of(&self, arrow: Option<&Arrow>, line: Line, crossed: bool) -> char {
        let Some(arrow) = arrow else {
            return if crossed { self.horizontal } else { ' ' };
        };
        let Line::At(now) = line else {
            return self.vertical;
        };
        let ends = arrow.to == now || arrow.from.binary_search(&now).is_ok();
        match (ends, crossed) {
            (false, false) => self.vertical,
            (false, true) => self.crossed,
            (true, false) if now == arrow.top => self.top,
            (true, false) if now == arrow.bottom => self.bottom,
            (true, false) => self.middle,
            (true, true) if now == arrow.top => self.top_crossed,
            (true, true) if now == arrow.bottom => self.bottom_crossed,
            (true, true) => self.crossed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::TextStyle;
    use super::super::lanes::Jump;
    use super::*;

    /// The gutter of so many instructions, without blanks at the ends of lines.
    fn drawn(count: usize, jumps: &[(usize, usize)], ascii: bool) -> String {
        let jumps = jumps.iter().map(|&(from, to)| Jump {
            from,
            to,
            is_loop: from > to,
        });
        let mut gutter = Gutter::new(Lanes::new(jumps));
        let mut paint = Paint::new(TextStyle {
            ascii,
            ..TextStyle::default()
        });
        for instruction in 0..count {
            gutter.draw(&mut paint, Line::At(instruction));
            gutter.tail(&mut paint, Some(instruction), instruction == 3);
            paint.text(&instruction.to_string());
            paint.end_line();
        }
        paint.finish()
    }

    #[test]
    fn draws_loops_around_short_jumps() {
        let expected = [
            "╭────────> 0",
            "│╭──────── 1",
            "││         2",
            "│╰───── => 3",
            "╰───────── 4",
            "           5",
        ];
        let text = drawn(6, &[(1, 3), (4, 0)], false);
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn draws_arrows_that_cross() {
        let expected = [
            " .-------- 0",
            ".+-------- 1",
            "|'-------> 2",
            "'------ => 3",
        ];
        let text = drawn(4, &[(0, 2), (1, 3)], true);
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }
}
