//! Listings for an interpreter that looks at itself: kept as data, so that one look serves every form.

use super::dis::Dis;
use super::executor::{choice, nothing_compiled};
use super::reply::Failure;
use super::spelling::Spelling;
use crate::address::Address;
use crate::listing::{Data, Detail, Finding, ListingData, PageFunction, Report, Severity, View};
use crate::render::{self, TextStyle, harmless};
use crate::session::Session;
use clap::Parser;

/// What makes executors invalid where everything else is right: a prompt keeps each result in `builtins._`, and CPython
/// stops to rely on `builtins` only when it has changed three times (`_Py_MAX_ALLOWED_BUILTINS_MODIFICATIONS`).
const AGAIN: &str = "run it again; in a prompt, the first results that are printed and assignments to global variables make \
                     code invalid that relies on them";

/// Executors that a sentence names.
const MOST_NAMED: usize = 8;

/// Listings of executors as they were at one moment.
pub struct Snapshot {
    report: Report,
}

impl Snapshot {
    /// The listings of these executors, with the options of `jit-dis` that choose uops and the syntax; without machine
    /// code they are those of `jit-trace`. Where there are none, the listing says why `codes` have none.
    ///
    /// # Errors
    /// If an option is wrong, or an executor cannot be read.
    pub fn take(
        session: &Session,
        executors: &[Address],
        codes: &[Address],
        options: &[String],
        machine_code: bool,
    ) -> Result<Snapshot, Failure> {
        let dis = parse(options)?;
        // Without a CPython every other reason would mislead.
        session.uop_count()?;
        dis.subject().check(session)?;
        let mut report = match executors {
            [] => Report {
                target: session.facts(),
                data: Data::Listing(ListingData {
                    executors: Vec::new(),
                    view: dis.view(None),
                    page: None,
                }),
                findings: vec![why_none(session, codes)?],
            },
            some => listings(session, &dis, some, machine_code)?,
        };
        Spelling::Python.respell(&mut report.findings);
        Ok(Snapshot { report })
    }

    /// As one JSON document.
    pub fn json(&self) -> String {
        render::json(&self.report)
    }

    /// As text, with the options of `jit-dis` that change how it looks.
    ///
    /// # Errors
    /// If an option is wrong.
    pub fn text(&mut self, options: &[String], style: TextStyle) -> Result<String, Failure> {
        let view = parse(options)?.view(None);
        if let Data::Listing(listing) = &mut self.report.data {
            listing.view = View {
                machine_code: listing.view.machine_code,
                ..view
            };
        }
        Ok(render::text(&self.report, style))
    }

    /// As a page for a browser, with the source and bytecode of the functions as they are now; of functions that are no
    /// more it has none.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn html(&self, session: &Session) -> Result<String, Failure> {
        let mut report = self.report.clone();
        let mut odd = Vec::new();
        if let Data::Listing(listing) = &mut report.data {
            let (mut page, findings) = session.page(&mut listing.executors)?;
            page.functions
                .iter_mut()
                .for_each(|one| leave_out_if_gone(session, one));
            listing.page = Some(Box::new(page));
            odd = findings;
        }
        Spelling::Python.respell(&mut odd);
        report.findings.extend(odd);
        Ok(render::text(&report, TextStyle::default()))
    }
}

/// The report with all that any form shows.
fn listings(
    session: &Session,
    dis: &Dis,
    executors: &[Address],
    machine_code: bool,
) -> Result<Report, Failure> {
    let whole = dis.detail(true);
    let detail = Detail {
        instructions: machine_code,
        notes: machine_code && whole.notes,
        exits: machine_code,
        ..whole
    };
    let view = View {
        machine_code,
        ..dis.view(None)
    };
    let mut report = (dis.subject()).report_of(session, executors, detail, view)?;
    if let Data::Listing(listing) = &report.data
        && (listing.executors.iter()).all(|one| !one.executor.state.valid)
    {
        let what = "what is shown is not run any more: it has become invalid";
        report.findings.push(Finding::note(what).hint(AGAIN));
    }
    Ok(report)
}

/// Where a code object was, another may be by now.
fn leave_out_if_gone(session: &Session, function: &mut PageFunction) {
    let code = &function.code;
    let here = session.function_at(code.object).ok().flatten();
    let is_same = here.is_some_and(|here| {
        here.qualname() == &*code.qualname && here.filename() == &*code.filename
    });
    if !is_same {
        let reason = "the function is no longer there".to_owned();
        function.source.clear();
        function.source_doubt = Some(reason.clone());
        function.bytecode = Err(reason);
    }
}

fn parse(options: &[String]) -> Result<Dis, Failure> {
    let name = "jit-dis".to_owned();
    Dis::try_parse_from(std::iter::once(&name).chain(options)).map_err(|error| {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        Failure::usage(first.trim_start_matches("error: "))
    })
}

/// Why no executor begins in these code objects.
fn why_none(session: &Session, codes: &[Address]) -> Result<Finding, Failure> {
    let count = session.executors()?.len();
    if count == 0 {
        return Ok(Finding::note(nothing_compiled(session)));
    }
    let mut others = Vec::new();
    for address in session.executors_with(codes)? {
        others.push(choice(&session.header(address)?));
    }
    Ok(match others.is_empty() {
        true => not_compiled(count),
        false => only_elsewhere(others),
    })
}

fn not_compiled(executors: usize) -> Finding {
    let what = "it has not been compiled, or what was compiled is invalid and gone: a loop is compiled after some thousand \
                rounds";
    Finding::note(what).hint(format!(
        "{AGAIN}; jit-list shows the {executors} executors that there are"
    ))
}

fn only_elsewhere(mut executors: Vec<String>) -> Finding {
    let more = executors.len().saturating_sub(MOST_NAMED);
    executors.truncate(MOST_NAMED);
    if more > 0 {
        executors.push(format!("and {more} more"));
    }
    let what = "it has no executor of its own, and is a part of executors of other functions";
    Finding::note(what).hint(format!("they are {}", executors.join("; ")))
}

/// A failure as the text of an exception: the reason, what to do, and behind it the choices that there are.
pub fn in_python(failure: &Failure) -> String {
    let mut failure = failure.clone();
    Spelling::Python.respell(&mut failure.findings);
    let others = failure.findings.iter();
    let others = others.filter(|finding| finding.severity != Severity::Error);
    let lines = others.map(|finding| format!("\n  {}", harmless(&finding.what)));
    failure.sentence() + &lines.collect::<String>()
}
