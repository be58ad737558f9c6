//! What was found and how: the content of `jit-info`.

use super::{Program, Session};
use crate::cpython::CPython;
use crate::error::{Error, Result};
use crate::listing::{Finding, InfoData, Layout, LayoutField, SymbolRow};
use crate::shape::Shape;
use std::path::Path;

impl Session {
    /// All that is known of the CPython in the target; what is missing is among the findings.
    pub fn info(&self) -> Result<(InfoData, Vec<Finding>)> {
        let mut findings = Vec::new();
        let mut info = files(self.program()?);
        match self.python() {
            Ok(python) => {
                tables(&mut info, python);
                if let Err(error) = counts(&mut info, self) {
                    findings.push(Finding::warning(error.to_string()));
                }
                findings.extend(python.opcodes.finding.iter().map(Finding::warning));
            }
            Err(error) => findings.push(missing(&error)),
        }
        info.memory_requests = self.memory_requests();
        findings.extend(self.findings());
        findings.extend(self.unreadable());
        Ok((info, findings))
    }
}

fn missing(error: &Error) -> Finding {
    let finding = Finding::warning(error.to_string());
    match error {
        Error::NotFound {
            hint: Some(hint), ..
        } => finding.hint(hint.as_str()),
        _ => finding,
    }
}

fn files(program: &Program) -> InfoData {
    // Loaders and debuggers spell a library's path as it was found: `/usr/bin/../lib`.
    let path = |path: &Path| {
        let real = path.canonicalize();
        real.as_deref().unwrap_or(path).display().to_string()
    };
    InfoData {
        file: program.file.as_deref().map(path),
        build_id: program.build_id.clone(),
        debug_file: program.debug_file.as_deref().map(path),
        ..InfoData::default()
    }
}

fn tables(info: &mut InfoData, python: &CPython) {
    info.jit_compiled_in = true;
    info.uop_kinds = python.uops.iter().count() as u64;
    info.layouts = python
        .layouts
        .iter()
        .map(|(shape, provenance)| layout(shape, provenance.to_string()))
        .collect();
    info.symbols = python
        .symbols
        .iter()
        .map(|(name, symbol)| SymbolRow {
            name: name.to_owned(),
            address: symbol.address,
            size: symbol.size,
            provenance: symbol.provenance.to_string(),
        })
        .collect();
}

fn layout(shape: &Shape, provenance: String) -> Layout {
    Layout {
        shape: shape.name.clone(),
        size: shape.size,
        provenance,
        fields: shape
            .fields
            .iter()
            .map(|field| LayoutField {
                name: field.name.clone(),
                offset: field.offset,
                size: field.size,
                bits: field.bits,
            })
            .collect(),
    }
}

fn counts(info: &mut InfoData, session: &Session) -> Result<()> {
    info.jit_enabled = session.jit_enabled()?;
    info.interpreters = info.jit_enabled.len() as u64;
    info.threads = session.thread_count()? as u64;
    let executors = session.executors()?;
    info.executors = executors.len() as u64;
    info.code_mapped = executors
        .iter()
        .filter_map(|known| Some(known.executor.as_ref().ok()?.jit_size))
        .sum();
    Ok(())
}
