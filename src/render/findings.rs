//! What was missing or odd, behind the content.

use super::paint::{Paint, Role, harmless};
use crate::listing::{Finding, Severity};

/// Writes one or two lines for each finding.
pub fn write(paint: &mut Paint, findings: &[Finding]) {
    for finding in findings {
        let word = match finding.severity {
            Severity::Error => "error: ",
            Severity::Warning => "warning: ",
            Severity::Note => "note: ",
        };
        paint.role(Role::Warning, word);
        lines(paint, &finding.what);
        if let Some(address) = finding.address {
            paint.text(" (at ");
            paint.address(address);
            paint.text(")");
        }
        paint.end_line();
        if let Some(hint) = &finding.hint {
            paint.role(Role::Warning, "  hint: ");
            lines(paint, hint);
            paint.end_line();
        }
    }
}

/// Text of several lines; what is not the first is set in, so that findings stay apart.
fn lines(paint: &mut Paint, text: &str) {
    for (index, line) in text.lines().enumerate() {
        if index != 0 {
            paint.end_line();
            paint.text(if line.is_empty() { "" } else { "    " });
        }
        paint.text(&harmless(line));
    }
}
