//! Text of the target as text of the page.

use crate::render::svg_page::escaped;
use std::fmt::Write;

/// Appends text so that it stays text, between tags and between double quotes.
pub fn push(out: &mut String, text: &str) {
    // Nearly all text is plain; looking costs less than copying it twice.
    match text.bytes().all(is_plain) {
        true => out.push_str(text),
        false => out.push_str(&escaped(text)),
    }
}

/// Text that is a link to an element of the page, if it is there.
pub fn link(out: &mut String, target: Option<&str>, attributes: &str, text: &str) {
    let _ = match target {
        Some(target) => write!(out, "<a href=\"#{target}\"{attributes}>"),
        None => write!(out, "<span{attributes}>"),
    };
    push(out, text);
    out.push_str(if target.is_some() { "</a>" } else { "</span>" });
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'&' | b'<' | b'>' | b'"')
}

#[cfg(test)]
mod tests {
    use super::push;

    #[test]
    fn what_the_target_says_stays_text() {
        let mut out = String::new();
        push(&mut out, "</script><img onerror=\"x\"> & \u{202e}\u{7f}é");
        assert_eq!(
            out,
            "&lt;/script&gt;&lt;img onerror=&quot;x&quot;&gt; &amp; \\u{202e}\\u{7f}é"
        );
        out.clear();
        push(&mut out, "plain 'text'");
        assert_eq!(out, "plain 'text'");
    }
}
