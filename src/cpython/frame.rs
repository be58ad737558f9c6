//! `_PyInterpreterFrame` (`Include/internal/pycore_interpframe_structs.h`): the Python frames of a thread, one behind the
//! other.

use super::CPython;
use crate::address::Address;
use crate::error::{Error, Result};
use crate::target::Reader;
use std::collections::HashSet;

/// Deeper than Python frames go; the chain of a damaged target may never end.
const MOST_FRAMES: usize = 1 << 20;

/// `FRAME_OWNED_BY_INTERPRETER`: the entry frame of one activation of `_PyEval_EvalFrameDefault`. From it on, frames belong
/// to C code and have no function.
const OWNED_BY_INTERPRETER: u64 = 3;

/// The bits of a `_PyStackRef` that are no address (`Include/internal/pycore_stackref.h`).
const TAG_BITS: u64 = 3;

/// `_Py_THREAD_DETACHED` (`Include/cpython/pystate.h`): the thread has given up the GIL.
const DETACHED: u64 = 0;

/// A word of a frame's `localsplus`.
const WORD: u64 = 8;

/// A frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Where it is.
    pub address: Address,
    /// The frame that called it; null for the first of a thread.
    pub previous: Address,
    /// What it executes: a code object, unless the target is damaged; null in frames of C code, and where the layout does
    /// not tell.
    pub code: Address,
    /// `instr_ptr`: the instruction it is at. While JIT code runs it lags behind. Null where the layout does not tell.
    pub instr_ptr: Address,
    /// `stackpointer`: where its evaluation stack ended when that was saved last; null where the layout does not tell.
    pub stackpointer: Address,
    /// `localsplus`: local variables, and behind them the evaluation stack.
    pub localsplus: Address,
    /// Whether it stands for an activation of the interpreter by C code: `_PyEval_EvalFrameDefault`'s entry frame, which
    /// lies on the C stack.
    pub is_entry: bool,
    /// The executor that waits for this activation to return (`_PyEval_EvalFrameDefault` keeps it in
    /// `entry.frame.localsplus[0]`); null if none does.
    pub waiting: Address,
}

/// What a thread state says of the code that runs in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Current {
    /// `current_frame`.
    pub frame: Address,
    /// Whether the thread is in C code that has given up the GIL; `None` where the layout does not tell.
    pub is_detached: Option<bool>,
}

impl Current {
    /// Reads the thread state at `thread`.
    pub fn read(python: &CPython, reader: Reader<'_>, thread: Address) -> Result<Current> {
        let state = reader.record(thread, python.layouts.shape("PyThreadState")?)?;
        Ok(Current {
            frame: state.pointer("current_frame")?,
            is_detached: state.optional("state")?.map(|state| state == DETACHED),
        })
    }
}

impl Frame {
    /// The frame at `address`.
    pub fn read(python: &CPython, reader: Reader<'_>, address: Address) -> Result<Frame> {
        let shape = python.layouts.shape("_PyInterpreterFrame")?;
        let frame = reader.record(address, shape)?;
        let owner = frame.unsigned("owner")?;
        let is_entry = owner >= OWNED_BY_INTERPRETER;
        let pointer = |name| Ok(frame.optional(name)?.map_or(Address::NULL, Address));
        let untagged = |word: Address| Address(word.0 & !TAG_BITS);
        let localsplus = frame.address_of("localsplus")?;
        Ok(Frame {
            address,
            previous: frame.pointer("previous")?,
            code: match is_entry {
                true => Address::NULL,
                false => untagged(pointer("f_executable")?),
            },
            instr_ptr: pointer("instr_ptr")?,
            stackpointer: pointer("stackpointer")?,
            localsplus,
            is_entry,
            waiting: match owner == OWNED_BY_INTERPRETER {
                true => untagged(Address(reader.u64(localsplus, "entry frame")?)),
                false => Address::NULL,
            },
        })
    }

    /// The frames from the one at `first` on outwards, until `enough` says so of one; and why no more, if one cannot be
    /// read, or the chain is longer than any or leads back into itself.
    pub fn chain(
        python: &CPython,
        reader: Reader<'_>,
        first: Address,
        mut enough: impl FnMut(&Frame) -> bool,
    ) -> (Vec<Frame>, Option<Error>) {
        let mut frames = Vec::new();
        let mut seen = HashSet::new();
        let mut next = first;
        while !next.is_null() {
            if !seen.insert(next) || frames.len() >= MOST_FRAMES {
                return (frames, Some(endless(next)));
            }
            let frame = match Frame::read(python, reader, next) {
                Ok(frame) => frame,
                Err(error) => return (frames, Some(error)),
            };
            next = frame.previous;
            frames.push(frame);
            if enough(&frame) {
                break;
            }
        }
        (frames, None)
    }

    /// Where slot number `index` of `localsplus` is.
    pub fn slot(&self, index: u64) -> Address {
        self.localsplus.wrapping_add(index.wrapping_mul(WORD))
    }

    /// How many items lie below `top` on the evaluation stack, which begins behind so many local variables; `None` if it
    /// has room for no more than `room` and `top` is not in it.
    pub fn depth(&self, top: Address, locals: u64, room: u64) -> Option<u64> {
        let bytes = top.offset_from(self.slot(locals))?;
        (bytes.is_multiple_of(WORD) && bytes / WORD <= room).then_some(bytes / WORD)
    }
}

fn endless(at: Address) -> Error {
    Error::Inconsistent {
        what: "_PyInterpreterFrame".to_owned(),
        address: at,
        reason: "the chain of frames has no end".to_owned(),
    }
}
