//! What was read at earlier stops and cannot have changed since: a remote target pays for each read.

use crate::address::Address;
use std::collections::HashMap;

/// More is not kept (16 MiB): the names, tables and machine code of thousands of functions.
const MOST_BYTES: usize = 16 << 20;

/// Reads that are the same as long as their owner is: by its address, what proves that it is the same, and what was read.
#[derive(Default)]
pub(super) struct Lasting {
    owners: HashMap<Address, Kept>,
    /// The owners that are being read, one for another: what is read is the last one's.
    open: Vec<Address>,
    bytes: usize,
}

#[derive(Default)]
struct Kept {
    proof: Box<[u8]>,
    reads: HashMap<(Address, usize), Box<[u8]>>,
}

impl Lasting {
    /// What is read from now on belongs to `owner`. With another proof than before it is another owner.
    pub(super) fn begin(&mut self, owner: Address, proof: &[u8]) {
        if self.bytes > MOST_BYTES {
            self.owners.clear();
            self.bytes = 0;
        }
        self.open.push(owner);
        let kept = self.owners.entry(owner).or_default();
        if *kept.proof != *proof {
            *kept = Kept {
                proof: proof.into(),
                reads: HashMap::new(),
            };
        }
    }

    pub(super) fn end(&mut self) {
        self.open.pop();
    }

    /// Whether an owner is being read of which something is known: then there is nothing to fetch ahead.
    pub(super) fn knows(&self) -> bool {
        self.kept().is_some_and(|kept| !kept.reads.is_empty())
    }

    /// What was read there, if the owner that is being read is the same since.
    pub(super) fn get(&self, address: Address, length: usize) -> Option<&[u8]> {
        self.kept()?
            .reads
            .get(&(address, length))
            .map(|bytes| &**bytes)
    }

    /// Keeps what was read, if an owner is being read.
    pub(super) fn note(&mut self, address: Address, bytes: &[u8]) {
        if let Some(kept) = self
            .open
            .last()
            .and_then(|owner| self.owners.get_mut(owner))
        {
            self.bytes += bytes.len();
            kept.reads.insert((address, bytes.len()), bytes.into());
        }
    }

    fn kept(&self) -> Option<&Kept> {
        self.owners.get(self.open.last()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_was_read_of_an_owner_while_its_proof_is_the_same() {
        let mut lasting = Lasting::default();
        let (owner, text) = (Address(16), Address(64));
        lasting.note(text, b"of nobody");
        lasting.begin(owner, b"1");
        assert!(!lasting.knows() && lasting.get(text, 4).is_none());
        lasting.note(text, b"name");
        lasting.end();
        assert_eq!(lasting.get(text, 4), None);
        lasting.begin(owner, b"1");
        assert_eq!(lasting.get(text, 4), Some(&b"name"[..]));
        assert_eq!(lasting.get(text, 3), None);
        lasting.begin(Address(24), b"");
        assert_eq!(lasting.get(text, 4), None);
        lasting.end();
        assert_eq!(lasting.get(text, 4), Some(&b"name"[..]));
        lasting.begin(owner, b"2");
        assert_eq!(lasting.get(text, 4), None);
        lasting.begin(owner, b"1");
        assert_eq!(lasting.get(text, 4), None);
    }

    #[test]
    fn begins_anew_when_it_is_full() {
        let mut lasting = Lasting::default();
        lasting.begin(Address(16), b"");
        lasting.note(Address(64), &vec![0; MOST_BYTES + 1]);
        lasting.begin(Address(16), b"");
        assert!(!lasting.knows());
    }
}
