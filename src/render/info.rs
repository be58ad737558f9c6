//! `jit-info`: what was found and how.

use super::paint::{Paint, Role, harmless};
use crate::listing::{InfoData, Layout, TargetFacts};

/// Columns of the names of facts.
const NAME: usize = 16;

/// Writes one fact a line, then the layouts and symbols with where they come from.
pub fn write(paint: &mut Paint, target: Option<&TargetFacts>, data: &InfoData) {
    if let Some(target) = target {
        fact(paint, "CPython", &cpython(target));
        fact(paint, "target", &process(target));
    }
    fact(paint, "file", data.file.as_deref().unwrap_or("unknown"));
    fact(
        paint,
        "build id",
        data.build_id.as_deref().unwrap_or("none"),
    );
    fact(
        paint,
        "debug file",
        data.debug_file
            .as_deref()
            .unwrap_or("none, the file itself"),
    );
    fact(paint, "JIT", &jit(data));
    if data.jit_compiled_in {
        fact(paint, "interpreters", &data.interpreters.to_string());
        fact(paint, "threads", &data.threads.to_string());
        let executors = format!("{} ({} bytes mapped)", data.executors, data.code_mapped);
        fact(paint, "executors", &executors);
        fact(paint, "kinds of uops", &data.uop_kinds.to_string());
    }
    fact(paint, "memory requests", &data.memory_requests.to_string());
    provenance(paint, data);
}

fn fact(paint: &mut Paint, name: &str, value: &str) {
    let start = paint.mark();
    paint.text(name);
    paint.pad_from(start, NAME);
    paint.text(&harmless(value));
    paint.end_line();
}

fn cpython(target: &TargetFacts) -> String {
    let version = target.cpython.as_deref().unwrap_or("of unknown version");
    match target.debug_build {
        Some(true) => format!("{version}, debug build, {}", target.arch),
        _ => format!("{version}, {}", target.arch),
    }
}

fn process(target: &TargetFacts) -> String {
    match (target.kind, target.pid) {
        ("core", Some(pid)) => format!("core of process {pid}"),
        ("core", None) => "core".to_owned(),
        (_, Some(pid)) => format!("process {pid}"),
        (kind, None) => kind.to_owned(),
    }
}

fn jit(data: &InfoData) -> String {
    if !data.jit_compiled_in {
        return "not found".to_owned();
    }
    let off = "off (start it with PYTHON_JIT=1)";
    let on = data.jit_enabled.iter().filter(|jit| **jit == Some(true));
    match (on.count(), data.jit_enabled.as_slice()) {
        (_, []) => "compiled in; no interpreter has started".to_owned(),
        (_, all) if all.contains(&None) => "compiled in, unknown whether it is on".to_owned(),
        (0, _) => format!("compiled in, {off}"),
        (on, all) if on == all.len() => "compiled in, on".to_owned(),
        // CPython switches it on in the main interpreter only.
        (on, all) => format!("compiled in, on in {on} of {} interpreters", all.len()),
    }
}

fn provenance(paint: &mut Paint, data: &InfoData) {
    if data.layouts.is_empty() && data.symbols.is_empty() {
        return;
    }
    paint.end_line();
    paint.role(Role::Heading, "layouts");
    paint.end_line();
    for layout in &data.layouts {
        structure(paint, layout, data);
    }
    paint.role(Role::Heading, "symbols");
    paint.end_line();
    for symbol in &data.symbols {
        let start = paint.mark();
        paint.text("  ");
        paint.text(&symbol.name);
        paint.pad_from(start, 26);
        let start = paint.mark();
        paint.address(symbol.address);
        paint.text(", ");
        paint.number(i128::from(symbol.size));
        paint.text(" bytes");
        paint.pad_from(start, 32);
        paint.text(&harmless(short(&symbol.provenance, data)));
        paint.end_line();
    }
}

/// Without the name of the debug file, which stands above, where that is the source.
fn short<'p>(provenance: &'p str, data: &InfoData) -> &'p str {
    let file = data.debug_file.as_ref().or(data.file.as_ref());
    file.and_then(|file| provenance.strip_suffix(file.as_str()))
        .and_then(|rest| rest.strip_suffix(" of "))
        .unwrap_or(provenance)
}

fn structure(paint: &mut Paint, layout: &Layout, data: &InfoData) {
    let start = paint.mark();
    paint.text("  ");
    paint.text(&layout.shape);
    paint.pad_from(start, 26);
    let start = paint.mark();
    paint.number(i128::from(layout.size));
    paint.text(" bytes, ");
    paint.number(layout.fields.len() as i128);
    paint.text(" fields");
    paint.pad_from(start, 32);
    paint.text(&harmless(short(&layout.provenance, data)));
    paint.end_line();
    if !data.show_fields {
        return;
    }
    for field in &layout.fields {
        let start = paint.mark();
        paint.text("      +");
        paint.number(i128::from(field.offset));
        paint.pad_from(start, 16);
        paint.text(&field.name);
        paint.text(", ");
        match field.bits {
            Some(bits) => {
                paint.text("bits ");
                paint.number(bits.shift);
                paint.text("..");
                paint.number(bits.shift.saturating_add(bits.width));
            }
            None => {
                paint.number(i128::from(field.size));
                paint.text(" bytes");
            }
        }
        paint.end_line();
    }
}
