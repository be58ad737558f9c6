//! `cpyjit doctor`: what was looked at, a line for each check, and what to do.

use super::paint::{Paint, Role, counted, harmless};
use crate::listing::{DoctorCheck, DoctorData, DoctorSubject, Health, SubjectKind};

/// Columns before the state, the name and the text of a check.
const STATE: usize = 2;
const NAME: usize = STATE + 9;
const TEXT: usize = NAME + 12;

/// Writes a paragraph for each subject, and one line that sums up.
pub fn write(paint: &mut Paint, data: &DoctorData) {
    for subject in &data.subjects {
        write_subject(paint, data, subject);
    }
    paint.end_line();
    match data.problems() {
        0 => paint.text("no problems"),
        problems => counted(paint, problems, "problem"),
    }
    paint.end_line();
}

fn write_subject(paint: &mut Paint, data: &DoctorData, subject: &DoctorSubject) {
    paint.colored(Role::Heading, |paint| {
        match subject.kind {
            SubjectKind::Installation => paint.text(&format!("cpyjit {}", data.version)),
            SubjectKind::Gdb => paint.text("GDB"),
            SubjectKind::Lldb => paint.text("LLDB"),
            SubjectKind::Cpython => paint.text("CPython"),
        }
        if let Some(path) = &subject.path {
            paint.text("  ");
            paint.text(&harmless(path));
        }
    });
    paint.end_line();
    for check in &subject.checks {
        write_check(paint, check);
    }
}

fn write_check(paint: &mut Paint, check: &DoctorCheck) {
    paint.blanks(STATE);
    let word = match check.state {
        Health::Ok => "ok",
        Health::Note => "note",
        Health::Problem => "problem",
    };
    match check.state {
        Health::Problem => paint.role(Role::Warning, word),
        _ => paint.text(word),
    }
    // A colour takes bytes, but no columns.
    paint.blanks(NAME - STATE - word.len());
    let start = paint.mark();
    paint.text(check.name);
    paint.pad_from(start, TEXT - NAME);
    paint.text(&harmless(&check.what));
    paint.end_wrapped(TEXT, TEXT, |_| 0);
    if let Some(advice) = &check.advice {
        paint.blanks(NAME);
        paint.text("what to do: ");
        paint.text(&harmless(advice));
        paint.end_wrapped(TEXT, TEXT, |_| 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::TextStyle;

    #[test]
    fn problems_say_what_to_do_and_are_counted() {
        let check = DoctorCheck::problem("start-up", "~/.gdbinit\x1b is\nnot there");
        let data = DoctorData {
            version: "1.2.3",
            subjects: vec![DoctorSubject {
                kind: SubjectKind::Gdb,
                path: Some("/usr/bin/gdb".to_owned()),
                checks: vec![DoctorCheck::ok("version", "18.1"), check.advice("make it")],
            }],
        };
        let mut paint = Paint::new(TextStyle::default());
        write(&mut paint, &data);
        let expected = "GDB  /usr/bin/gdb\n  ok       version     18.1\n  problem  start-up    ~/.gdbinit\\u{1b} is\\nnot there\n           \
                        what to do: make it\n\n1 problem\n";
        assert_eq!(paint.finish(), expected);
    }
}
