//! JSON with line breaks, for eyes: nothing but white space is added, so that no key or order is lost.

/// Longer objects and lists are broken into one line for each member.
const WIDTH: usize = 116;

/// The same document, laid out.
pub fn laid_out(text: &str) -> String {
    let mut out = String::new();
    lay(&mut out, text, 0, 0);
    out
}

/// `used` columns stand before the text in its line, which is indented by `indent`.
fn lay(out: &mut String, text: &str, indent: usize, used: usize) {
    let inner = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']'));
    let Some(inner) = inner.filter(|inner| !inner.is_empty() && used + text.len() > WIDTH) else {
        return out.push_str(text);
    };
    out.push_str(&text[..1]);
    let blanks = " ".repeat(indent + 2);
    for (index, member) in members(inner).into_iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        out.push_str(&blanks);
        let key = key_length(member);
        out.push_str(&member[..key]);
        lay(out, &member[key..], indent + 2, indent + 2 + key);
    }
    out.push('\n');
    out.push_str(&blanks[2..]);
    out.push_str(&text[text.len() - 1..]);
}

/// What stands between the commas that are in no inner object, list or string.
fn members(text: &str) -> Vec<&str> {
    let mut members = Vec::new();
    let (mut depth, mut start) = (0, 0);
    let mut string = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = string,
            b'"' => string = !string,
            _ if string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => {
                members.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    members.push(&text[start..]);
    members
}

/// Bytes of `"key":`, 0 for a member of a list. No key of ours has a quote in it.
fn key_length(member: &str) -> usize {
    let end = member
        .strip_prefix('"')
        .and_then(|rest| Some(rest.find('"')? + 2));
    match end {
        Some(end) if member[end..].starts_with(':') => end + 1,
        _ => 0,
    }
}
