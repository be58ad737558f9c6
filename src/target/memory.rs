//! What the outside world must be able to do: read memory; and what a debugger can do besides.

use super::{Finding, FrameRegisters, Registers, ThreadRegisters};
use crate::address::{Address, Range};
use crate::error::Fault;
use crate::platform::Architecture;

/// Something that has the memory of a target.
pub trait Memory: Send {
    /// Fills `into` with the bytes at `address`, all of them, or tells what could not be read.
    ///
    /// One call may cost a round trip over a network, so callers ask for whole blocks.
    fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault>;

    /// Says that these ranges will be read soon. What keeps what it has read may fetch them in fewer requests.
    fn prefetch(&self, _ranges: &[Range]) {}

    /// Whether a request is so dear that what cannot have changed is kept while the target runs.
    fn keeps_lasting(&self) -> bool {
        false
    }

    /// From here to [`Memory::end_lasting`], what is read stays the same while the object at `owner` is the same, which
    /// `proof` shows: bytes of it that no other object has. What is read then may be kept.
    /// Whether something of this object is kept already.
    fn begin_lasting(&self, _owner: Address, _proof: &[u8]) -> bool {
        false
    }

    /// What is read from here on may change whenever the target runs.
    fn end_lasting(&self) {}

    /// What is odd about this memory: cut off, taken from a file, changing while it is read.
    fn findings(&self) -> Vec<Finding> {
        Vec::new()
    }
}

/// Fills `into` from pieces: `piece_at` gives the bytes from an address to the end of whatever holds them, or none.
pub(super) fn fill<'b>(
    address: Address,
    into: &mut [u8],
    piece_at: impl Fn(Address) -> &'b [u8],
) -> Result<(), Fault> {
    let length = into.len() as u64;
    let mut done = 0u64;
    let mut rest = into;
    // Each turn fills a piece of `rest` or ends.
    while !rest.is_empty() {
        let found = (address.checked_add(done)).map_or(&[][..], &piece_at);
        let size = found.len().min(rest.len());
        let (piece, behind) = rest.split_at_mut(size);
        match found.get(..size) {
            Some(bytes) if size != 0 => piece.copy_from_slice(bytes),
            _ => {
                return Err(Fault {
                    address,
                    length,
                    readable: done,
                });
            }
        }
        done = done.saturating_add(size as u64);
        rest = behind;
    }
    Ok(())
}

/// Something that knows the expressions of its user: registers, variables, `&symbol`.
pub trait Evaluate: Send {
    /// The value of `expression` as an address, or a sentence that says why there is none.
    ///
    /// Never runs code in the target.
    fn evaluate(&self, expression: &str) -> Result<Address, String>;

    /// The registers of the selected frame, or a sentence that says why there are none.
    fn registers(&self, architecture: Architecture) -> Result<FrameRegisters, String> {
        let value = |name: &str| self.evaluate(&format!("${name}"));
        // What fails for the pc fails for all; its reason is the best.
        value("pc")?;
        let general = architecture.platform().frame_registers;
        let known = |name: &str| general.contains(&name).then(|| value(name).ok()).flatten();
        Ok(FrameRegisters {
            values: Registers::of_names(architecture, |name| known(name).map(|value| value.0)),
            is_caller: false,
        })
    }

    /// The selected thread, or all threads, with the registers of their innermost frames; or a sentence that says why
    /// there are none.
    fn threads(
        &self,
        architecture: Architecture,
        _all: bool,
    ) -> Result<Vec<ThreadRegisters>, String> {
        let selected = self.registers(architecture)?;
        Ok(vec![ThreadRegisters {
            thread: None,
            is_selected: true,
            registers: selected.values,
        }])
    }
}

/// Nobody who knows any: for a target that is read without a debugger.
#[derive(Clone, Copy, Debug)]
pub struct NoExpressions;

impl Evaluate for NoExpressions {
    fn evaluate(&self, expression: &str) -> Result<Address, String> {
        Err(format!("no debugger is there to evaluate {expression}"))
    }
}
