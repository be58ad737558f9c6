//! The report as JSON (`json-contract.md`).

use crate::listing::{Data, Finding, Report, TargetFacts};
use serde::Serialize;

/// The version of the contract. It grows only when a meaning changes.
const SCHEMA: &str = "cpyjit/1";

#[derive(Serialize)]
struct Envelope<'r> {
    schema: &'static str,
    report: &'static str,
    target: Option<&'r TargetFacts>,
    data: &'r Data,
    findings: &'r [Finding],
}

/// A report as one JSON document with a line break at its end.
pub fn json(report: &Report) -> String {
    let envelope = Envelope {
        schema: SCHEMA,
        report: report.data.word(),
        target: report.target.as_ref(),
        data: &report.data,
        findings: &report.findings,
    };
    let mut text = serde_json::to_string(&envelope).unwrap_or_else(|error| {
        // Only a map with keys that are no strings can fail, and the model has none.
        format!("{{\"schema\":\"{SCHEMA}\",\"report\":\"error\",\"data\":{{}},\"findings\":[],\"why\":{:?}}}", error.to_string())
    });
    text = without_controls(text);
    text.push('\n');
    text
}

/// The same JSON with DEL and the C1 controls (U+0080 to U+009F) escaped too: JSON allows them as they are, but a
/// terminal that the output goes to obeys them.
fn without_controls(text: String) -> String {
    // Two looks at bytes, as fast as memory is, are enough for most reports; the third looks at characters.
    let may_have = text.as_bytes().contains(&0x7f) || !text.is_ascii();
    if !may_have || !text.contains(char::is_control) {
        return text;
    }
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character.is_control() {
            true => safe.push_str(&format!("\\u{:04x}", u32::from(character))),
            false => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::without_controls;

    #[test]
    fn no_control_character_is_left() {
        let name = "a\u{7f}\u{9b}31m\u{1b}é";
        let json = serde_json::to_string(name).unwrap();
        let safe = without_controls(json);
        assert_eq!(safe, r#""a\u007f\u009b31m\u001bé""#);
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), name);
    }
}
