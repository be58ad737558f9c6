//! The Python frames of a thread with their evaluation stacks: the content of `jit-stack`.
//!
//! * `selected`: where a thread is, and what is certain there;
//! * `frames`: its frames;
//! * `calls`: the call in JIT code that C code waits in;
//! * `registers`: what the registers hold of the values that the uop at the pc began with;
//! * `items`: from there to the items of the stack;
//! * `rows`: variables and items in words;
//! * `answers`: single items and variables.

mod answers;
mod calls;
mod frames;
mod items;
mod registers;
mod rows;
mod selected;

use super::Session;
use crate::cpython::Thread;
use crate::error::{Error, Result};
use crate::listing::{Finding, StackData, StackView};

/// What is wanted of the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StackRequest {
    /// Only the frame with this number, counted from the innermost of the thread.
    pub frame: Option<u64>,
    /// Only the frame that the pc is in, or else the innermost.
    pub first_only: bool,
    /// All threads.
    pub all_threads: bool,
    /// Longer texts, and all frames in full.
    pub full: bool,
}

impl Session {
    /// The Python frames, the innermost first.
    ///
    /// # Errors
    /// If no Python runs there, or the frames cannot be read.
    pub fn stack(&self, request: &StackRequest) -> Result<(StackData, Vec<Finding>)> {
        let mut findings = Vec::new();
        let mut threads = Vec::new();
        let selected = self.selected_thread()?;
        let all = self.at_stop.threads(self.python()?, self.reader())?;
        for thread in all {
            let is_selected = selected.is_some_and(|selected| selected.address == thread.address);
            if !is_selected && !request.all_threads {
                continue;
            }
            let found = self.selection(thread, is_selected);
            match found.and_then(|found| self.thread_stack(&found, request, &mut findings)) {
                Err(error) if is_selected && !request.all_threads => return Err(error),
                Err(error) => findings.push(Finding::warning(error.to_string()).at(thread.address)),
                Ok(stack) if is_selected => threads.insert(0, stack),
                Ok(stack) => threads.push(stack),
            }
        }
        if threads.is_empty() && findings.is_empty() {
            return Err(self.no_python_here(all));
        }
        let view = StackView { all: request.full };
        Ok((StackData { threads, view }, findings))
    }

    fn no_python_here(&self, all: &[Thread]) -> Error {
        let thread = match self.stop().thread {
            Some(thread) => format!("thread {thread}, which is selected,"),
            None => "the selected thread".to_owned(),
        };
        let ids: Vec<String> = all
            .iter()
            .filter_map(|thread| Some(thread.native_id?.to_string()))
            .take(8)
            .collect();
        Error::NotFound {
            message: format!("{thread} is none of Python's"),
            hint: Some(match ids.is_empty() {
                true => "there is no Python thread at this stop".to_owned(),
                false => format!(
                    "Python's are {}: select one, or see all with --all-threads",
                    ids.join(", ")
                ),
            }),
        }
    }
}
