//! A line on the terminal for what takes long.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// What is over sooner needs no line.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the line is written anew.
const INTERVAL: Duration = Duration::from_millis(200);

/// The line; it is erased when this is dropped.
pub struct Progress {
    what: String,
    next: Instant,
    shown: bool,
}

impl Progress {
    /// Says nothing before a second has passed.
    pub fn new(what: String) -> Progress {
        Progress {
            what,
            next: Instant::now() + PATIENCE,
            shown: false,
        }
    }

    /// Tells how many bytes there are so far.
    pub fn report(&mut self, bytes: u64) {
        if Instant::now() < self.next || !stderr().is_terminal() {
            return;
        }
        self.next = Instant::now() + INTERVAL;
        self.shown = true;
        // Who closed the stream does not want to know.
        let _ = write!(stderr(), "\r{}: {} MB", self.what, bytes / 1_000_000);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
