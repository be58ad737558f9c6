//! `jit-dis`.

use super::all::Run;
use super::executor;
use super::output::Output;
use super::page::Page;
use super::reply::Failure;
use super::subject::Subject;
use crate::address::Address;
use crate::listing::{Data, Detail, Report, Syntax, View};
use crate::session::Session;
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  jit-dis                         the executor that is running
  jit-dis $executor
  jit-dis f --no-stubs
  jit-dis loop.py:8 --uops _GUARD_*
  jit-dis --around $pc --window 2
  jit-dis #3 --bytes --att -o listing.txt
  jit-dis f --verify              marks what was overwritten
  jit-dis f --quiet --ascii       uops and machine code, for a log
  jit-dis --all --html -o page.html
  jit-dis --all --json -o all.json";

/// Disassemble an executor: source line, bytecode, uop, machine instruction
///
/// Prints the trace of an executor uop by uop, each under the source line and the bytecode instruction that it comes
/// from, with its arguments and its machine code. => marks the pc of the selected frame. Arrows show where jumps go
/// inside the main part; the outermost is the loop. Behind the main part stand the stubs through which the code is
/// left, and the exits with what they lead to (more in jit-exits). Lines of inlined calls begin with one > for each
/// frame below them. Operands of uops that do not use them are uninitialised memory; they are shown where they are not
/// zero.
///
/// Remarks behind ; name what an instruction touches: fields, local variables, items of the evaluation stack counted from
/// its top when the uop began (stack[-1]), constants, called functions. Each instruction has its best one, unless it is
/// obvious; --all-notes shows them all, as JSON does.
#[derive(Parser, Debug)]
#[command(
    name = "jit-dis",
    override_usage = "jit-dis [OPTIONS] [EXECUTOR]",
    after_help = EXAMPLES,
    after_long_help = format!("{}\n\n{EXAMPLES}", executor::HELP)
)]
pub struct Dis {
    #[command(flatten)]
    subject: Subject,

    /// Show the bytes of the machine code
    #[arg(long)]
    bytes: bool,

    /// Show offsets into the uop instead of addresses
    #[arg(long)]
    offsets: bool,

    /// AT&T syntax instead of Intel's
    #[arg(long)]
    att: bool,

    /// Mark machine code that differs from what the JIT's emitters write for this trace
    #[arg(long)]
    verify: bool,

    #[command(flatten)]
    page: Page,

    /// A page for a browser, with all side by side; so is any FILE that ends in .html
    #[arg(long, requires = "output", conflicts_with_all = ["json", "no_source", "no_bytecode", "bytes", "offsets"])]
    html: bool,

    #[command(flatten)]
    pub(super) output: Output,
}

impl Dis {
    pub(super) fn syntax(&self) -> Syntax {
        match self.att {
            true => Syntax::Att,
            false => Syntax::Intel,
        }
    }

    pub(super) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What is read: for JSON and pages all there is, for text what it shows.
    pub(super) fn detail(&self, whole: bool) -> Detail {
        Detail {
            instructions: true,
            notes: self.page.has_notes(whole),
            source: !self.subject.no_source && !self.page.quiet,
            parents: whole,
            exits: whole || !self.page.quiet,
            verify: self.verify,
            syntax: self.syntax(),
        }
    }

    fn is_page(&self) -> bool {
        let file = self.output.output.as_deref().unwrap_or_default();
        self.html || (!self.output.json && file.to_ascii_lowercase().ends_with(".html"))
    }

    pub(super) fn view(&self, pc: Option<Address>) -> View {
        View {
            pc,
            source: !self.subject.no_source && !self.page.quiet,
            bytecode: !self.subject.no_bytecode && !self.page.quiet,
            bytes: self.bytes,
            offsets: self.offsets,
            machine_code: true,
            level: self.page.level(),
            arrows: self.page.has_arrows(),
            ascii: self.page.ascii,
        }
    }
}

impl Run for Dis {
    fn run(&self, session: &Session) -> Result<Report, Failure> {
        let detail = self.detail(self.output.json || self.is_page());
        let detail = Detail {
            source: detail.source && !self.output.json,
            ..detail
        };
        let report = self
            .subject
            .report(session, detail, self.view(session.stop().pc))?;
        match self.is_page() {
            true => as_page(session, report),
            false => Ok(report),
        }
    }

    fn output(&self) -> &Output {
        &self.output
    }
}

/// The same report with what else a page shows.
fn as_page(session: &Session, mut report: Report) -> Result<Report, Failure> {
    if let Data::Listing(listing) = &mut report.data {
        let (page, findings) = session.page(&mut listing.executors)?;
        listing.page = Some(Box::new(page));
        report.findings.extend(findings);
    }
    Ok(report)
}
