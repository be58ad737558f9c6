//! Text with colours, as fast as a million lines a second needs.

use super::TextStyle;
use crate::address::Address;
use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What a piece of text is; each has a colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Headings.
    Heading,
    /// Source text.
    Source,
    /// Bytecode instructions.
    Bytecode,
    /// Uops.
    Uop,
    /// Addresses and offsets.
    Address,
    /// Remarks.
    Note,
    /// Arrows of jumps.
    Arrow,
    /// The mark of the pc.
    Mark,
    /// Warnings.
    Warning,
}

impl Role {
    fn style(self) -> Style {
        let color = |color: AnsiColor| color.on_default();
        match self {
            Role::Heading => Style::new().bold(),
            Role::Source => color(AnsiColor::Green),
            Role::Bytecode => color(AnsiColor::Cyan),
            Role::Uop => color(AnsiColor::Yellow).bold(),
            Role::Address => color(AnsiColor::Blue),
            Role::Note | Role::Arrow => color(AnsiColor::BrightBlack),
            Role::Mark => color(AnsiColor::Red).bold(),
            Role::Warning => color(AnsiColor::Magenta),
        }
    }

    /// What a terminal is told before text in this colour.
    pub fn sequence(self) -> String {
        self.style().render().to_string()
    }
}

/// A page of text.
pub struct Paint {
    out: String,
    style: TextStyle,
    /// Where the line begins, or what stands behind its margin.
    line: usize,
    /// Columns of that margin.
    margin: usize,
}

impl Paint {
    /// An empty page.
    pub fn new(style: TextStyle) -> Paint {
        Paint {
            out: String::new(),
            style,
            line: 0,
            margin: 0,
        }
    }

    /// Puts no character of our own beyond ASCII from here on.
    pub fn use_ascii(&mut self) {
        self.style.ascii = true;
    }

    /// Whether what is our own is to be ASCII.
    pub fn is_ascii(&self) -> bool {
        self.style.ascii
    }

    /// The text cut to so many columns, with a mark where something is missing.
    pub fn clipped(&self, text: &str, columns: usize) -> String {
        match self.style.ascii {
            true => cut(text, columns, "..."),
            false => clipped(text, columns),
        }
    }

    /// The whole text.
    pub fn finish(self) -> String {
        self.out
    }

    /// Columns of the terminal; `None` if lines may have any length.
    pub fn width(&self) -> Option<usize> {
        (self.style.width != 0).then_some(self.style.width)
    }

    /// Columns of the line written so far.
    pub fn column(&self) -> usize {
        self.margin + self.out.get(self.line..).map_or(0, columns)
    }

    /// What was written to this line is a margin of so many columns.
    pub fn end_margin(&mut self, columns: usize) {
        self.line = self.out.len();
        self.margin = columns;
    }

    /// Blanks up to this column, at least one.
    pub fn pad_to(&mut self, column: usize) {
        self.blanks(column.saturating_sub(self.column()).max(1));
    }

    /// Text of our own.
    pub fn text(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// The page itself, for what writes without allocating.
    pub fn raw(&mut self) -> &mut String {
        &mut self.out
    }

    /// Blanks up to this column, at least one.
    pub fn pad_from(&mut self, start: usize, width: usize) {
        let done = self.out.len() - start;
        self.blanks(width.saturating_sub(done).max(1));
    }

    /// `count` blanks.
    pub fn blanks(&mut self, count: usize) {
        match BLANKS.get(..count) {
            Some(blanks) => self.out.push_str(blanks),
            None => self.out.extend(std::iter::repeat_n(' ', count)),
        }
    }

    /// How many bytes were written: a mark for [`Paint::pad_from`].
    pub fn mark(&self) -> usize {
        self.out.len()
    }

    /// What was written since a mark.
    pub fn since(&self, mark: usize) -> &str {
        self.out.get(mark..).unwrap_or_default()
    }

    /// Ends the line.
    pub fn end_line(&mut self) {
        self.out.push('\n');
        self.end_margin(0);
    }

    /// Ends the line; what does not fit the terminal stands below, from column `indent` on. Nothing is broken before
    /// column `from`. `margin` writes what stands to the left of further lines, and tells its columns.
    pub fn end_wrapped(
        &mut self,
        from: usize,
        indent: usize,
        mut margin: impl FnMut(&mut Paint) -> usize,
    ) {
        let length = self.margin + self.out.len() - self.line;
        let Some(width) = self.width().filter(|width| length > *width) else {
            return self.end_line();
        };
        let line = self.out.split_off(self.line);
        let mut rest = line.as_str();
        let mut from = from.saturating_sub(self.margin);
        while let Some(end) = break_at(rest, from, width.saturating_sub(self.margin)) {
            let (fits, more) = rest.split_at(end);
            self.out.push_str(fits.trim_end());
            let color = open_color(&line, line.len() - more.len());
            if color.is_some() {
                self.out.push_str(RESET);
            }
            self.end_line();
            let columns = margin(self);
            self.blanks(indent.saturating_sub(columns));
            self.out.push_str(color.unwrap_or_default());
            self.end_margin(indent.max(columns));
            rest = more.trim_start();
            from = 0;
        }
        self.out.push_str(rest);
        self.end_line();
    }

    /// Writes in the colour of a role.
    pub fn colored(&mut self, role: Role, write: impl FnOnce(&mut Paint)) {
        if !self.style.color {
            return write(self);
        }
        let style = role.style();
        self.out.push_str(&style.render().to_string());
        write(self);
        self.out.push_str(&style.render_reset().to_string());
    }

    /// Text of our own in the colour of a role.
    pub fn role(&mut self, role: Role, text: &str) {
        self.colored(role, |paint| paint.text(text));
    }

    /// An address.
    pub fn address(&mut self, address: Address) {
        self.out.push_str("0x");
        self.hex(address.0);
    }

    /// A number in hexadecimal digits.
    pub fn hex(&mut self, number: u64) {
        let digits = (u64::BITS - number.leading_zeros()).div_ceil(4).max(1) as usize;
        let mut buffer = [0; 16];
        for (place, nibble) in buffer.iter_mut().rev().zip(0u32..) {
            let nibble = ((number >> (nibble * 4)) & 15) as u8;
            *place = nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
        }
        let shown = buffer.get(buffer.len().saturating_sub(digits)..);
        self.out.push_str(
            shown
                .and_then(|shown| str::from_utf8(shown).ok())
                .unwrap_or("?"),
        );
    }

    /// A number in decimal digits.
    pub fn number(&mut self, number: impl Into<i128>) {
        let number = number.into();
        let mut buffer = [0u8; 40];
        let mut rest = number.unsigned_abs();
        let mut at = buffer.len();
        loop {
            at -= 1;
            if let Some(place) = buffer.get_mut(at) {
                *place = b'0' + (rest % 10) as u8;
            }
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if number < 0 {
            self.out.push('-');
        }
        for digit in buffer.get(at..).unwrap_or_default() {
            self.out.push(char::from(*digit));
        }
    }
}

/// Text from the target made harmless: control characters would reach the terminal of the user as commands.
pub fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => safe.push_str("    "),
            _ if character.is_control() || is_invisible(character) => {
                safe.extend(character.escape_default())
            }
            _ => safe.push(character),
        }
    }
    safe
}

/// Characters that change the direction or the look of the text after them.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// As many as a line has in one place, mostly.
const BLANKS: &str =
    "                                                                                ";

/// Whether a text is printable ASCII, as nearly all is. Without an early end: many bytes are looked at in one step.
pub fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes().iter();
    bytes.fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'))
}

/// Columns of a text; escape sequences have none.
pub fn columns(text: &str) -> usize {
    if is_plain(text) {
        return text.len();
    }
    if !text.contains('\x1b') {
        return text.width();
    }
    visible(text)
        .map(|(_, character)| character.width().unwrap_or(0))
        .sum()
}

/// What ends a colour.
const RESET: &str = "\x1b[0m";

/// The colour that `text` has at a place.
fn open_color(text: &str, place: usize) -> Option<&str> {
    let before = text.get(..place)?;
    let color = before.get(before.rfind('\x1b')?..)?;
    let color = color.get(..=color.find('m')?)?;
    (color != RESET).then_some(color)
}

/// The characters of a text that are no part of a colour (`ESC [ … m`), with their places.
fn visible(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut escaped = false;
    text.char_indices().filter(move |(_, character)| {
        let hidden = escaped || *character == '\x1b';
        escaped = hidden && *character != 'm';
        !hidden
    })
}

/// Where a text must be broken to fit into so many columns: at its last blank before, but not before column `from`.
/// `None` if it fits, or cannot be broken.
fn break_at(text: &str, from: usize, width: usize) -> Option<usize> {
    let (mut column, mut last) = (0, None);
    for (place, character) in visible(text) {
        if character == ' ' && column > from {
            match column <= width {
                true => last = Some(place),
                false => last = last.or(Some(place)),
            }
        }
        column += character.width().unwrap_or(0);
        if column > width && last.is_some() && character != ' ' {
            return last;
        }
    }
    None
}

/// The text cut to so many columns, with a mark where something is missing.
pub fn clipped(text: &str, columns: usize) -> String {
    cut(text, columns, "…")
}

fn cut(text: &str, columns: usize, mark: &str) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut used = mark.width();
    let mut kept: String = text
        .chars()
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= columns
        })
        .collect();
    kept.push_str(mark);
    kept
}

/// So many things: `1 exit`, `2 exits`.
pub fn counted(paint: &mut Paint, number: u64, thing: &str) {
    paint.number(i128::from(number));
    paint.text(" ");
    paint.text(thing);
    if number != 1 {
        paint.text("s");
    }
}

/// ` at FILE:LINE`, as far as it is known.
pub fn at_line(paint: &mut Paint, file: Option<&str>, line: Option<i32>) {
    if let Some(file) = file {
        paint.text(" at ");
        paint.text(&harmless(file));
        if let Some(line) = line {
            paint.text(":");
            paint.number(line);
        }
    }
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_the_target_do_not_reach_the_terminal() {
        assert_eq!(harmless("a\x1b[31mb\u{202e}"), "a\\u{1b}[31mb\\u{202e}");
        assert_eq!(harmless("\tx = 'é'"), "    x = 'é'");
    }

    #[test]
    fn clips_by_columns() {
        assert_eq!(clipped("abcdef", 4), "abc…");
        assert_eq!(clipped("日本語", 5), "日本…");
        assert_eq!(clipped("abc", 3), "abc");
    }

    #[test]
    fn writes_numbers() {
        let mut paint = Paint::new(TextStyle::default());
        paint.number(0u32);
        paint.text(" ");
        paint.number(-12i32);
        paint.text(" ");
        paint.address(Address(0x7fff_0000_0a10));
        paint.text(" ");
        paint.address(Address(0));
        assert_eq!(paint.finish(), "0 -12 0x7fff00000a10 0x0");
    }

    #[test]
    fn colours_only_when_asked() {
        let style = TextStyle {
            width: 0,
            color: true,
            ..TextStyle::default()
        };
        let mut paint = Paint::new(style);
        paint.role(Role::Heading, "x");
        assert_eq!(paint.finish(), "\x1b[1mx\x1b[0m");
    }
}
