//! Single answers: the top of the stack in one line, an item, a variable.

use super::StackRequest;
use crate::address::Address;
use crate::cpython::{Limits, Reprs};
use crate::error::{Error, Result};
use crate::listing::{ItemRow, StackFrame, ValueRow};
use crate::session::Session;

/// The frame that the pc is in, or else the innermost.
const FIRST: StackRequest = StackRequest {
    frame: None,
    first_only: true,
    all_threads: false,
    full: false,
};

impl Session {
    /// The uppermost `most` items of the stack of the frame at the pc in one line, the top first: `5, 'abc', NULL`;
    /// `None` if the stack is not known. For stop messages.
    ///
    /// # Errors
    /// If no Python runs in the selected thread.
    pub fn stack_top(&self, most: usize) -> Result<Option<String>> {
        let Some(stack) = self.first_frame()?.stack else {
            return Ok(None);
        };
        if stack.is_empty() {
            return Ok(Some("empty".to_owned()));
        }
        let mut words: Vec<String> = stack.iter().take(most).map(short).collect();
        let rest = stack.len().saturating_sub(words.len());
        if rest > 0 {
            words.push(format!("{rest} more"));
        }
        Ok(Some(words.join(", ")))
    }

    /// The object that stack item `number` refers to, counted from the top; or the bits of what is no reference.
    ///
    /// # Errors
    /// If there is none, or it is not certain.
    pub fn stack_item(&self, number: usize) -> Result<u64> {
        let frame = self.first_frame()?;
        let stack = frame.stack.ok_or_else(|| missing(frame.why))?;
        let item = stack.get(number).ok_or_else(|| {
            missing(Some(format!(
                "there is no item {number}: the stack has {}",
                stack.len()
            )))
        })?;
        let value = item.value.as_ref().filter(|_| item.state == "certain");
        value
            .and_then(number_of)
            .ok_or_else(|| missing(Some("this item is not certain here".to_owned())))
    }

    /// The object that the local variable refers to; that of a cell is what the cell holds. 0 if it has no value.
    ///
    /// # Errors
    /// If there is no such variable.
    pub fn local_variable(&self, name: &str) -> Result<u64> {
        let frame = self.first_frame()?;
        let locals = frame.locals.unwrap_or_default();
        let found = locals
            .iter()
            .find(|local| local.name.as_deref() == Some(name));
        let Some(local) = found else {
            let function = frame.function.unwrap_or_default();
            return Err(missing(Some(format!(
                "{function} has no local variable '{name}'"
            ))));
        };
        let value = local.content.as_ref().unwrap_or(&local.value);
        number_of(value).ok_or_else(|| missing(None))
    }

    /// An object in the words that `repr()` would have for it, shortened; `None` where there is none.
    pub fn object_text(&self, address: Address) -> Result<Option<String>> {
        let reprs = Reprs::new(self.python()?, self.reader(), Limits::SHORT);
        Ok(reprs.of(address).map(|repr| repr.text))
    }

    fn first_frame(&self) -> Result<StackFrame> {
        let (data, _) = self.stack(&FIRST)?;
        let mut frames = data.threads.into_iter().flat_map(|thread| thread.frames);
        frames.next().ok_or_else(|| missing(None))
    }
}

fn missing(why: Option<String>) -> Error {
    Error::NotFound {
        message: why.unwrap_or_else(|| "no Python frame is known here".to_owned()),
        hint: None,
    }
}

fn number_of(value: &ValueRow) -> Option<u64> {
    match (value.object, value.tag) {
        (Some(Address(object)), _) => Some(object),
        (None, "null") => Some(0),
        (None, _) => value.bits.map(|bits| bits.0),
    }
}

fn short(item: &ItemRow) -> String {
    let Some(value) = &item.value else {
        return "?".to_owned();
    };
    let object = || value.object.map(|object| format!("<{object}>"));
    let text = value.repr.clone().or_else(object);
    let text = text.unwrap_or_else(|| "?".to_owned());
    match item.state {
        "certain" => text,
        _ => format!("{text} (before)"),
    }
}
