//! What a listing is of: the arguments that `jit-dis` and `jit-trace` have in common.

use super::executor::{self, find_executor};
use super::reply::Failure;
use super::selection::Options;
use crate::address::Address;
use crate::listing::{Data, Detail, ExecutorListing, Finding, ListingData, Report, View};
use crate::session::Session;
use clap::Args;

/// Which executors, which of their uops, and what stands above the uops.
#[derive(Args, Clone, Debug)]
pub struct Subject {
    /// The executor; without it, the one that is running
    #[arg(value_name = "EXECUTOR", conflicts_with = "all", num_args = 0..)]
    executor: Vec<String>,

    /// All executors, in the order of jit-list
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    uops: Options,

    /// Leave out source lines
    #[arg(long)]
    pub no_source: bool,

    /// Leave out bytecode instructions
    #[arg(long)]
    pub no_bytecode: bool,
}

impl Subject {
    /// The report of the listings.
    pub fn report(&self, session: &Session, detail: Detail, view: View) -> Result<Report, Failure> {
        let executors = match self.all {
            true => all(session)?,
            false => vec![find_executor(session, &self.executor.join(" "))?],
        };
        self.report_of(session, &executors, detail, view)
    }

    /// An error if the options that choose uops are wrong.
    pub fn check(&self, session: &Session) -> Result<(), Failure> {
        self.uops.selection(session).map(|_| ())
    }

    /// The report of the listings of these executors, whatever the arguments name.
    pub fn report_of(
        &self,
        session: &Session,
        executors: &[Address],
        detail: Detail,
        view: View,
    ) -> Result<Report, Failure> {
        let selection = self.uops.selection(session)?;
        let executors = session.listings(executors, &selection, detail)?;
        Ok(Report {
            target: session.facts(),
            findings: self.findings(session, &executors),
            data: Data::Listing(ListingData {
                executors,
                view,
                page: None,
            }),
        })
    }

    fn findings(&self, session: &Session, executors: &[ExecutorListing]) -> Vec<Finding> {
        let own = executors
            .iter()
            .flat_map(|listing| listing.findings.iter().cloned());
        let mut findings: Vec<Finding> = own.chain(session.findings()).collect();
        if self.all {
            findings.extend(session.unreadable());
            findings.extend(session.search_findings());
        }
        if executors.is_empty() {
            findings.push(Finding::note(executor::nothing_compiled(session)));
        }
        findings
    }
}

/// All executors that can be read.
pub(super) fn all(session: &Session) -> Result<Vec<Address>, Failure> {
    let readable = session.all_executors()?.iter();
    let readable = readable.filter(|known| known.executor.is_ok());
    Ok(readable.map(|known| known.address).collect())
}
