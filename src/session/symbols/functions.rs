//! The Python functions that a trace runs in, and their variables.

use super::super::Session;
use crate::cpython::{CodeObject, Variables};
use crate::error::Result;
use crate::map::MappedExecutor;
use crate::symbols::{Function, InlinedFrame, Variable};
use std::sync::Arc;

impl Session {
    /// The frames of a trace.
    pub(super) fn inlined_frames(&self, mapped: &MappedExecutor) -> Vec<InlinedFrame> {
        let frames = mapped.frames.iter();
        frames
            .map(|frame| InlinedFrame {
                parent: frame.parent,
                is_hidden: frame.is_init_shim,
                function: frame.code.as_deref().map(|code| self.python_function(code)),
            })
            .collect()
    }

    fn python_function(&self, code: &CodeObject) -> Arc<Function> {
        if let Some(known) = self.symbols.functions.borrow().get(&code.address) {
            return Arc::clone(known);
        }
        let function = Arc::new(Function {
            code: code.address,
            name: code.name.clone(),
            filename: code.filename.as_str().into(),
            firstlineno: code.firstlineno,
            lines: code
                .all_lines()
                .into_iter()
                .filter_map(|line| u32::try_from(line).ok())
                .collect(),
            // A function whose variables cannot be read is still a frame with a name.
            variables: self.named_variables(code).unwrap_or_default(),
        });
        let mut functions = self.symbols.functions.borrow_mut();
        functions.insert(code.address, Arc::clone(&function));
        function
    }

    fn named_variables(&self, code: &CodeObject) -> Result<Vec<Variable>> {
        let read = Variables::read(self.python()?, self.reader(), code.address)?;
        let named = (0..).zip(read.all.into_iter().zip(read.arguments));
        let named = named.filter_map(|(slot, ((name, _), is_argument))| {
            Some(Variable {
                slot,
                name: name?,
                is_argument,
            })
        });
        Ok(named.collect())
    }
}
