//! What a step needs to know of a stop besides the executors.

use super::Session;
use crate::cpython::Activation;
use crate::error::Result;

impl Session {
    /// The executors that the selected thread is in, the innermost first.
    pub(crate) fn activations(&self) -> Result<Vec<Activation>> {
        let threads = self.at_stop.threads(self.python()?, self.reader())?;
        let is_selected = |native: Option<u64>| native.is_some() && native == self.stop.thread;
        let selected = threads
            .iter()
            .find(|thread| is_selected(thread.native_id))
            .or(match threads {
                [only] => Some(only),
                _ => None,
            });
        let running = selected.into_iter().flat_map(|thread| &thread.running);
        Ok(running.copied().collect())
    }

    /// A line of a source file, if it can be read.
    pub(crate) fn source_line(&self, file: &str, line: i32) -> Option<String> {
        self.sources.line(file, line)
    }
}
