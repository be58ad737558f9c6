//! `PyThreadState` and its frames: which executors a thread is in, without unwinding the C stack.

use super::{CPython, Frame, Interpreter};
use crate::address::Address;
use crate::error::Result;
use crate::target::Reader;
use std::collections::HashSet;

/// More threads than a process has.
const MOST_THREADS: usize = 1 << 16;

/// What a thread state says by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ThreadState {
    /// Where it is.
    pub address: Address,
    /// The kernel's id of the thread, where the state tells it.
    pub native_id: Option<u64>,
    /// `current_frame`, the innermost of its Python frames; null if it runs no Python.
    pub current_frame: Address,
    /// `current_executor`: the innermost executor that it is in; `None` if it is in none, or waits in it for another.
    pub current_executor: Option<Address>,
}

/// A thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Thread {
    /// Where its state is.
    pub address: Address,
    /// The kernel's id of it, where the thread state tells it.
    pub native_id: Option<u64>,
    /// `current_frame`, the innermost of its Python frames; null if it runs no Python.
    pub current_frame: Address,
    /// The executors it is in, the innermost first.
    pub running: Vec<Activation>,
    /// What its frames execute, the innermost first, each once: code objects, unless the target is damaged.
    pub codes: Vec<Address>,
}

/// An executor that a thread has entered and not left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Activation {
    /// The executor.
    pub executor: Address,
    /// Whether it is the innermost code of the thread; otherwise it waits for a nested call to return.
    pub innermost: bool,
}

impl ThreadState {
    /// Reads the states of the threads of an interpreter.
    pub fn read_all(
        python: &CPython,
        reader: Reader<'_>,
        interpreter: &Interpreter,
    ) -> Result<Vec<ThreadState>> {
        let shape = python.layouts.shape("PyThreadState")?;
        let mut next = interpreter.threads;
        let mut seen = HashSet::new();
        let mut states = Vec::new();
        while !next.is_null() && seen.insert(next) && states.len() < MOST_THREADS {
            let state = reader.record(next, shape)?;
            let current = state.optional("current_executor")?.map(Address);
            states.push(ThreadState {
                address: next,
                native_id: state.optional("native_thread_id")?,
                current_frame: state.pointer("current_frame")?,
                current_executor: current.filter(|executor| !executor.is_null()),
            });
            next = state.pointer("next")?;
        }
        Ok(states)
    }
}

impl Thread {
    /// The thread with this state, and what its frames say. A frame that cannot be read ends their chain.
    pub fn read(python: &CPython, reader: Reader<'_>, state: ThreadState) -> Thread {
        let (frames, _) = Frame::chain(python, reader, state.current_frame, |_| false);
        let (waiting, codes) = of_frames(&frames);
        Thread {
            address: state.address,
            native_id: state.native_id,
            current_frame: state.current_frame,
            running: running(state.current_executor, waiting),
            codes,
        }
    }
}

/// `tstate->current_executor`, and what nested evaluations put aside into their entry frames.
fn running(current: Option<Address>, waiting: Vec<Address>) -> Vec<Activation> {
    let innermost = current.map(|executor| Activation {
        executor,
        innermost: true,
    });
    let waiting = waiting.into_iter().map(|executor| Activation {
        executor,
        innermost: false,
    });
    innermost.into_iter().chain(waiting).collect()
}

/// The executors that wait for nested calls, and what the frames execute, each once.
fn of_frames(frames: &[Frame]) -> (Vec<Address>, Vec<Address>) {
    let waiting = frames.iter().map(|frame| frame.waiting);
    let mut seen = HashSet::new();
    let codes = frames.iter().map(|frame| frame.code);
    (
        waiting.filter(|executor| !executor.is_null()).collect(),
        codes
            .filter(|code| !code.is_null() && seen.insert(*code))
            .collect(),
    )
}
