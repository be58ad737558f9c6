//! What checks found, as rows of a report.

use crate::cpython::CPython;
use crate::listing::{CheckRow, CheckStatus, Failure, VerifiedExecutor, VerifySummary};
use crate::map::MappedExecutor;
use crate::map::check::CheckResult;

/// The outcome of a check.
pub(super) fn row(result: &CheckResult) -> CheckRow {
    CheckRow {
        name: result.check.word(),
        status: match (result.failed, &result.reason) {
            (0, Some(_)) => CheckStatus::CouldNotRun,
            (0, None) => CheckStatus::Passed,
            _ => CheckStatus::Failed,
        },
        compared: result.compared,
        failed: result.failed,
        reason: result.reason.clone(),
    }
}

/// What failed.
pub(super) fn failures(
    python: &CPython,
    mapped: &MappedExecutor,
    result: &CheckResult,
) -> Vec<Failure> {
    let name = |index: crate::address::UopIndex| {
        let uop = mapped.executor.uops.get(index.0 as usize)?;
        Some(python.uops.kind(uop.opcode)?.name.clone())
    };
    let failure = |violation: &crate::map::check::Violation| Failure {
        check: result.check.word(),
        address: violation.address,
        uop: violation.uop,
        name: violation.uop.and_then(name),
        field: violation.field.clone(),
        expected: violation.expected.clone(),
        found: violation.found.clone(),
    };
    result.violations.iter().map(failure).collect()
}

/// All of them in numbers.
pub(super) fn summary(executors: &[VerifiedExecutor]) -> VerifySummary {
    let mut summary = VerifySummary {
        executors: executors.len() as u64,
        ..VerifySummary::default()
    };
    for check in executors.iter().flat_map(|executor| &executor.checks) {
        summary.compared += check.compared;
        match check.status {
            CheckStatus::Passed => summary.passed += 1,
            CheckStatus::Failed => summary.failed += 1,
            CheckStatus::CouldNotRun => summary.could_not_run += 1,
        }
    }
    summary
}
