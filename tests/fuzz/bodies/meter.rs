//! What a session may cost at most, whatever is in the memory.

use cpyjit::address::Address;
use cpyjit::error::Fault;
use cpyjit::target::Memory;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that all commands on one session may read together. A whole real target has below 20 MB.
const MOST_BYTES: u64 = 1 << 30;

/// Characters of one reply. The listing of a real target with 50 executors as JSON has 10 million.
pub const LONGEST_REPLY: usize = 256 << 20;

/// How much was read.
#[derive(Clone, Default)]
pub struct Meter(Arc<AtomicU64>);

/// Counts the bytes that another memory gives.
pub struct Metered<M> {
    pub memory: M,
    pub meter: Meter,
}

impl<M: Memory> Memory for Metered<M> {
    fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        let before = self.meter.0.fetch_add(into.len() as u64, Ordering::Relaxed);
        assert!(before < MOST_BYTES, "{before} bytes were read already");
        self.memory.read(address, into)
    }
}
