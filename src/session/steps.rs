//! What a step needs to know of a stop besides the executors.

use super::Session;
use crate::cpython::Activation;
use crate::error::Result;

impl Session {
    /// The executors that the selected thread is in, the innermost first.
    pub(crate) fn activations(&self) -> Result<Vec<Activation>> {
        let running = self
            .selected_thread()?
            .into_iter()
            .flat_map(|thread| &thread.running);
        Ok(running.copied().collect())
    }

    /// A line of a source file, if it can be read.
    pub(crate) fn source_line(&self, file: &str, line: i32) -> Option<String> {
        self.sources.line(file, line)
    }
}
