//! `jit-dis --html`: one page that needs nothing but a browser, no network and no other file.
//!
//! The page is written once, whole: `style.css` draws it, `script.js` links its rows by the names they have
//! ([`names`]), shows one executor at a time and searches. Text of the target passes through [`text::push`], all of it.

mod code;
mod executor;
mod exits;
mod functions;
mod menu;
mod names;
mod policy;
mod text;
mod uop;

use crate::listing::{
    ExecutorListing, Finding, ListingData, PageData, Severity, TargetFacts, View,
};
use names::Names;
use policy::content_security_policy;
use std::fmt::Write;
use text::push;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
const HELP: &str = include_str!("help.html");

/// Without a script nothing is linked, but everything can be read.
const WITHOUT_SCRIPT: &str =
    "[hidden]{content-visibility:visible!important;display:block!important}";

/// What all parts of a page know.
pub(super) struct Page<'m> {
    data: &'m PageData,
    names: Names,
    view: View,
}

/// The page of these listings.
pub fn page(
    target: Option<&TargetFacts>,
    listing: &ListingData,
    data: &PageData,
    findings: &[Finding],
) -> String {
    let executors = &listing.executors;
    let page = Page {
        data,
        names: Names::new(executors, data),
        view: listing.view,
    };
    let first = first_shown(executors, listing.view);
    let mut out = String::new();
    head(&mut out, &title(target, executors));
    bar(&mut out, target, executors);
    self::findings(&mut out, findings);
    out.push_str("<main>\n");
    functions::panes(&mut out, &page, first);
    out.push_str(
        "<section class=pane id=trace tabindex=0 aria-labelledby=trace-h>\
         <h2 id=trace-h><span>Uops</span><span>Machine code</span><span>Remarks</span></h2>\n",
    );
    if executors.is_empty() {
        out.push_str("<p class=warn>No executors to show.</p>");
    }
    for one in executors {
        let shown = first.is_some_and(|first| std::ptr::eq(first, one));
        executor::article(&mut out, &page, one, shown);
    }
    out.push_str("</section>\n</main>\n");
    out.push_str(HELP);
    let _ = write!(out, "<script>{SCRIPT}</script>\n</body>\n</html>\n");
    out
}

/// The executor that is looked at when the page opens: the one at the pc, or else one that runs, or else the first.
fn first_shown(executors: &[ExecutorListing], view: View) -> Option<&ExecutorListing> {
    let at_pc = |listing: &&ExecutorListing| {
        let code = listing.executor.code;
        view.pc
            .and_then(|pc| pc.offset_from(code.address))
            .is_some_and(|offset| offset < code.mapped)
    };
    let runs = |listing: &&ExecutorListing| !listing.executor.state.running_in.is_empty();
    let of_python = |listing: &&ExecutorListing| listing.executor.qualname.is_some();
    (executors.iter().find(at_pc))
        .or_else(|| executors.iter().find(runs))
        .or_else(|| executors.iter().find(of_python))
        .or(executors.first())
}

fn title(target: Option<&TargetFacts>, executors: &[ExecutorListing]) -> String {
    let what = match executors {
        [one] => executor::label(&one.executor),
        _ => format!("{} executors", executors.len()),
    };
    match target.and_then(|target| target.cpython.as_ref()) {
        Some(version) => format!("{what}: JIT code of CPython {version}"),
        None => format!("{what}: JIT code of CPython"),
    }
}

fn head(out: &mut String, title: &str) {
    let policy = content_security_policy(&[STYLE, WITHOUT_SCRIPT], SCRIPT);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n\
         <meta http-equiv=Content-Security-Policy content=\"{policy}\">\n\
         <meta name=viewport content=\"width=device-width, initial-scale=1\">\n\
         <meta name=referrer content=no-referrer>\n\
         <meta name=color-scheme content=\"light dark\">\n<title>"
    );
    push(out, title);
    let _ = write!(
        out,
        "</title>\n<style>{STYLE}</style>\n<noscript><style>{WITHOUT_SCRIPT}</style></noscript>\n</head>\n<body>\n"
    );
}

/// What stands above all: which executor is shown, the search, the switches.
fn bar(out: &mut String, target: Option<&TargetFacts>, executors: &[ExecutorListing]) {
    out.push_str("<header class=bar>\n<h1>cpyjit");
    if let Some(target) = target {
        out.push_str(" <small>CPython ");
        push(out, target.cpython.as_deref().unwrap_or("?"));
        if target.debug_build == Some(true) {
            out.push_str(", debug build");
        }
        let _ = write!(out, " · {} · {}", target.arch, target.kind);
        if let Some(pid) = target.pid {
            let _ = write!(out, " {pid}");
        }
        out.push_str("</small>");
    }
    out.push_str("</h1>\n");
    menu::menu(out, executors);
    out.push_str(
        "<form role=search><input id=find type=search aria-label=\"Search names, lines, uops, addresses\" \
         placeholder=\"Search  /\" autocomplete=off spellcheck=false>\
         <output id=found aria-live=polite></output>\
         <button type=button id=previous-hit title=\"Previous match (N)\" aria-label=\"Previous match\">‹</button>\
         <button type=button id=next-hit title=\"Next match (n)\" aria-label=\"Next match\">›</button></form>\n\
         <button type=button id=theme title=\"Light or dark\">Theme: auto</button>\n\
         <button type=button id=ask title=\"How to read this page (?)\">Help</button>\n\
         <p id=said class=silent aria-live=polite></p>\n</header>\n",
    );
}

fn findings(out: &mut String, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    let warnings = (findings.iter()).any(|finding| finding.severity != Severity::Note);
    let _ = writeln!(
        out,
        "<details class=\"findings{}\"><summary>What was missing or odd ({})</summary><ul>",
        if warnings { " warn" } else { "" },
        findings.len()
    );
    for finding in findings {
        out.push_str(match finding.severity {
            Severity::Error => "<li>error: ",
            Severity::Warning => "<li>warning: ",
            Severity::Note => "<li>note: ",
        });
        push(out, &finding.what);
        if let Some(address) = finding.address {
            let _ = write!(out, " (at {address})");
        }
        if let Some(hint) = &finding.hint {
            out.push_str("; ");
            push(out, hint);
        }
        out.push('\n');
    }
    out.push_str("</ul></details>\n");
}
