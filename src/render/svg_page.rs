//! What every picture has: a frame with styles, lines of text, a legend. Text of the target is escaped here.

use super::graph::{GONE, NOT_WARM, WARM, color};
use super::paint::harmless;
use crate::listing::ExitRecordKind;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// The height of a line of text, and what a character of it takes; monospace fonts are 0.6 of their size wide.
pub const LINE: u32 = 16;
pub const FONT: u32 = 12;
const CHARACTER: f64 = 7.25;

/// Around the picture.
pub const MARGIN: u32 = 20;

const KINDS: [(ExitRecordKind, &str); 4] = [
    (ExitRecordKind::Side, "exit of a guard"),
    (ExitRecordKind::ControlFlow, "branch or end of an iterator"),
    (ExitRecordKind::Dynamic, "another frame than expected"),
    (ExitRecordKind::End, "end of the trace"),
];

/// The class of arrows and text of a kind.
pub fn kind_class(kind: ExitRecordKind) -> &'static str {
    kind.word()
}

/// How wide so many characters are, rounded up.
pub fn pixels(columns: usize) -> u32 {
    let columns = u32::try_from(columns).unwrap_or(0);
    // A little more than CHARACTER, in whole numbers.
    columns * 73 / 10
}

/// The beginning of a picture.
pub fn open(out: &mut String, title: &str, width: u32, height: u32) {
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n<title>{}</title>\n<style>\n\
         text {{ font: {FONT}px \"DejaVu Sans Mono\", Menlo, Consolas, monospace; fill: #18181b; white-space: pre; }}\n\
         .name {{ font-weight: bold; }}\n.box {{ stroke: #71717a; }}\n\
         .running {{ stroke: #dc2626; stroke-width: 3; }}\n\
         .gone {{ stroke: #a1a1aa; stroke-dasharray: 5 3; }}\n.rule {{ stroke: #a1a1aa; stroke-width: 0.5; }}\n\
         path {{ fill: none; stroke-width: 1.4; }}",
        escaped(title)
    );
    for (kind, _) in KINDS {
        let (class, color) = (kind_class(kind), color(kind));
        let dashes = match kind {
            ExitRecordKind::Dynamic => " stroke-dasharray: 5 3;",
            _ => "",
        };
        let _ = writeln!(
            out,
            "path.{class} {{ stroke: {color};{dashes} }}\ntext.{class} {{ fill: {color}; }}"
        );
    }
    out.push_str("</style>\n<defs>\n");
    for (kind, _) in KINDS {
        let _ = writeln!(
            out,
            "<marker id=\"{}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" \
             orient=\"auto\"><path d=\"M0 0L10 5L0 10z\" style=\"fill: {}; stroke: none\"/></marker>",
            kind_class(kind),
            color(kind)
        );
    }
    out.push_str("</defs>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
    text(out, "name", MARGIN, 24, title);
}

/// What colours and arrows mean.
pub fn legend(out: &mut String, y: u32) {
    let mut x = MARGIN;
    for (class, fill, words) in [
        ("box", WARM, "warm"),
        ("box", NOT_WARM, "not warm"),
        ("running", WARM, "running"),
        ("gone", GONE, "invalid or to be freed"),
    ] {
        let _ = writeln!(
            out,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"14\" height=\"12\" rx=\"3\" fill=\"{fill}\"/>"
        );
        text(out, "", x + 20, y + 10, words);
        x += 20 + pixels(words.width()) + 16;
    }
    text(out, "", x, y + 10, "↻ loops");
    x = MARGIN;
    let y = y + LINE + 4;
    for (kind, words) in KINDS {
        let _ = writeln!(
            out,
            "<path class=\"{0}\" d=\"M{x} {1}h24\" marker-end=\"url(#{0})\"/>",
            kind_class(kind),
            y + 6
        );
        text(out, "", x + 30, y + 10, words);
        x += 30 + pixels(words.width()) + 16;
    }
}

/// A line of text, in the colour of a class.
pub fn text(out: &mut String, class: &str, x: u32, y: u32, content: &str) {
    // Told how wide it is, text stays in its box whatever font there is.
    #[allow(clippy::cast_precision_loss)]
    let length = content.width() as f64 * CHARACTER;
    let class = match class {
        "" => String::new(),
        class => format!(" class=\"{class}\""),
    };
    let _ = writeln!(
        out,
        "<text{class} x=\"{x}\" y=\"{y}\" textLength=\"{length:.0}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>",
        escaped(content)
    );
}

/// Text of the target between tags or quotes. XML has no way to write control characters and non-characters at all.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in harmless(text).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => safe.push(char::REPLACEMENT_CHARACTER),
            _ => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_the_target_says_stays_text() {
        assert_eq!(
            escaped("<lambda>\"&\u{ffff}\u{1b}[1m"),
            "&lt;lambda&gt;&quot;&amp;\u{fffd}\\u{1b}[1m"
        );
    }
}
