//! Text cut into the lines of a window, with the one that the pc is in.

use super::TextStyle;
use super::paint::Role;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The content of a window. Nothing in it is wider than the window.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Window {
    /// For the frame of the window.
    pub title: String,
    /// All lines, also those for which there is no room.
    pub lines: Vec<String>,
    /// Which of them the pc is in.
    pub mark: Option<usize>,
    /// What is on Python's stack, for the lower end of the window.
    pub stack: Vec<String>,
}

/// The lines of two texts for a window; the first was rendered in colours.
pub fn window(title: String, text: &str, stack: &str, style: TextStyle) -> Window {
    let fit = |text: &str| text.lines().map(|line| cut(line, style)).collect();
    Window {
        title,
        mark: text.lines().position(is_marked),
        lines: fit(text),
        stack: fit(stack),
    }
}

/// Whether the line begins with the mark of the pc, behind arrows of jumps. Other things have its colour too.
fn is_marked(line: &str) -> bool {
    let mark = Role::Mark.sequence();
    let mut parts = line.split(&mark).skip(1);
    parts.any(|part| part.trim_start().starts_with("=> "))
}

/// Ends all colours.
const RESET: &str = "\x1b[0m";

/// A line cut to so many columns, with a mark where something is missing.
fn cut(line: &str, style: TextStyle) -> String {
    let TextStyle {
        width,
        color,
        ascii,
    } = style;
    let fits = pieces(line)
        .filter(|(escape, _)| !escape)
        .map(|(_, piece)| piece.width())
        .sum::<usize>()
        <= width;
    let room = if fits { width } else { width.saturating_sub(1) };
    let (mut out, mut used) = (String::with_capacity(line.len()), 0);
    for (is_escape, piece) in pieces(line) {
        if is_escape {
            if color && !piece.is_empty() {
                out.push('\x1b');
                out.push_str(piece);
            }
            continue;
        }
        for character in piece.chars() {
            used += character.width().unwrap_or(0);
            if used > room {
                break;
            }
            out.push(character);
        }
    }
    if !fits {
        out.push(if ascii { '>' } else { '…' });
        out.push_str(if color { RESET } else { "" });
    }
    out
}

/// The line in pieces: whether it is an escape of colours (without its first character), and the piece.
fn pieces(line: &str) -> impl Iterator<Item = (bool, &str)> {
    line.split('\x1b').enumerate().flat_map(|(index, part)| {
        let escape = (index > 0).then(|| part.find('m')).flatten();
        let (head, tail) = part.split_at(escape.map_or(0, |end| end + 1));
        [(true, head), (false, tail)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "one\n\x1b[31m=> \x1b[0mtwo 日本語\n";

    fn shown(text: &str, width: usize, color: bool) -> Window {
        let style = TextStyle {
            width,
            color,
            ..TextStyle::default()
        };
        window(String::new(), text, "", style)
    }

    #[test]
    fn nothing_is_wider_than_the_window() {
        assert_eq!(shown(TEXT, 8, false).lines, ["one", "=> two …"]);
        assert_eq!(shown(TEXT, 9, false).lines, ["one", "=> two …"]);
        assert_eq!(shown(TEXT, 13, false).lines, ["one", "=> two 日本語"]);
    }

    #[test]
    fn colours_are_kept_and_ended() {
        let mark = Role::Mark.sequence();
        let text = format!("one\n{mark}=> \x1b[0mtwo 日本語\n");
        let cut = shown(&text, 8, true);
        assert_eq!(cut.mark, Some(1));
        assert_eq!(
            cut.lines,
            ["one".to_owned(), format!("{mark}=> \x1b[0mtwo …\x1b[0m")]
        );
    }
}
