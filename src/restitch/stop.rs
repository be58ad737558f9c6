//! Why the run of an emitter ended before its return.

use crate::address::Address;

/// The bytes of an instruction are shown, at most so many.
const SHOWN: usize = 16;

/// Why an emitter could not be run to its end.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Stop {
    /// Memory that the target does not show.
    #[error("its emitter reads {length} bytes at {address}, which cannot be read")]
    NoMemory {
        /// Where.
        address: Address,
        /// How many bytes.
        length: usize,
    },
    /// No emitter writes there.
    #[error("its emitter writes {length} bytes at {address}, outside of the code")]
    WriteOutside {
        /// Where.
        address: Address,
        /// How many bytes.
        length: usize,
    },
    /// An instruction that the interpreter does not know.
    #[error(
        "its emitter has an instruction at {address} that is not understood ({})",
        hex(bytes)
    )]
    Unsupported {
        /// Where.
        address: Address,
        /// The bytes there, which may be more than the instruction has.
        bytes: Vec<u8>,
    },
    /// The emitter found its stack overwritten.
    #[error("its emitter found its own stack overwritten")]
    StackCheckFailed,
    /// More steps than any emitter takes.
    #[error("its emitter does not come to an end")]
    TooLong,
    /// Where no code can be read.
    #[error("its emitter leads to {address}, where no code can be read")]
    BadCall {
        /// Where it was to go on.
        address: Address,
    },
}

impl Stop {
    /// The instruction with these bytes is not understood.
    pub fn unsupported(address: u64, bytes: &[u8]) -> Stop {
        Stop::Unsupported {
            address: Address(address),
            bytes: bytes.iter().copied().take(SHOWN).collect(),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
