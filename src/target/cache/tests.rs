//! How much is asked for, how often, and what is kept.

use super::*;

/// Pages 1 and 2 exist, and of page 3 the first 100 bytes; each byte is the low byte of its address.
struct Small;

impl Memory for Small {
    fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        let end = address.0.checked_add(into.len() as u64);
        if address.0 < PAGE || end.is_none_or(|end| end > 3 * PAGE + 100) {
            return Err(Fault {
                address,
                length: into.len() as u64,
                readable: 0,
            });
        }
        for (byte, at) in into.iter_mut().zip(address.0..) {
            *byte = at.to_le_bytes()[0];
        }
        Ok(())
    }
}

fn read(memory: &CachedMemory, address: u64, length: usize) -> Result<Vec<u8>, Fault> {
    let mut bytes = vec![0; length];
    memory.read(Address(address), &mut bytes).map(|()| bytes)
}

#[test]
fn asks_once_for_pages_that_lie_together() {
    let memory = CachedMemory::new(Box::new(Small));
    assert_eq!(read(&memory, PAGE + 4090, 10).unwrap()[6..], [0, 1, 2, 3]);
    // The block around them cannot be read, the two pages can.
    assert_eq!(memory.requests(), 2);
    read(&memory, PAGE, 2 * 4096).unwrap();
    assert_eq!(memory.requests(), 2);
    // Where the block could not be read is known from then on.
    memory.clear();
    read(&memory, PAGE, 1).unwrap();
    assert_eq!(memory.requests(), 3);
}

#[test]
fn reads_the_block_around_a_page() {
    struct Endless;
    impl Memory for Endless {
        fn read(&self, _: Address, _: &mut [u8]) -> Result<(), Fault> {
            Ok(())
        }
    }
    let memory = CachedMemory::new(Box::new(Endless));
    read(&memory, 5 * PAGE, 8).unwrap();
    read(&memory, 4 * PAGE, 4 * 4096).unwrap();
    assert_eq!(memory.requests(), 1);
    read(&memory, u64::MAX - 8, 8).unwrap();
    assert_eq!(memory.requests(), 2);
}

#[test]
fn prefetching_fills_small_gaps_in_one_request() {
    let memory = CachedMemory::new(Box::new(Small));
    let range = |page: u64| Range::new(Address(page * PAGE + 8), 16);
    // Two for what is there, and two for what is not: the blocks around them cannot be read.
    memory.prefetch(&[range(2), range(1), range(40)]);
    assert_eq!(memory.requests(), 4);
    read(&memory, PAGE, 2 * 4096).unwrap();
    assert_eq!(memory.requests(), 4);
    let pages = BTreeSet::from([1, 2, 5, 30, 31]);
    assert_eq!(memory.runs(&pages), [1..6, 30..32]);
}

#[test]
fn reads_up_to_the_end_of_a_mapping_that_ends_inside_a_page() {
    let memory = CachedMemory::new(Box::new(Small));
    assert_eq!(read(&memory, 3 * PAGE + 96, 4).unwrap(), [96, 97, 98, 99]);
    assert!(read(&memory, 3 * PAGE + 96, 5).is_err());
}

#[test]
fn a_fault_says_how_much_was_readable() {
    let memory = CachedMemory::new(Box::new(Small));
    let fault = read(&memory, 2 * PAGE + 4000, 4096 * 3).unwrap_err();
    assert_eq!(fault.readable, 96 + PAGE);
    assert_eq!(read(&memory, 0, 1).unwrap_err().readable, 0);
    assert!(read(&memory, u64::MAX, 2).is_err());
}

#[test]
fn small_packets_bring_no_more_than_one_does() {
    let memory = CachedMemory::remote(Box::new(Small), 2048);
    assert_eq!(read(&memory, PAGE + 4090, 10).unwrap()[6..], [0, 1, 2, 3]);
    assert_eq!(read(&memory, 2 * PAGE + 1900, 4).unwrap()[0], 108);
    assert_eq!(memory.requests(), 1);
    // What lies behind is not there: the rest of the page is.
    read(&memory, 3 * PAGE - 8, 8).unwrap();
    assert_eq!(memory.requests(), 3);
    read(&memory, PAGE, 8).unwrap();
    assert_eq!(memory.requests(), 4);
    let range = |start: u64| Range::new(Address(start), 16);
    memory.clear();
    memory.prefetch(&[range(PAGE), range(PAGE + 2000), range(PAGE + 2040)]);
    assert_eq!(memory.requests(), 6);
}

#[test]
fn a_page_of_a_process_that_is_not_there_is_asked_for_once_a_stop() {
    let memory = CachedMemory::remote(Box::new(Small), 2048);
    assert!(read(&memory, 8, 8).is_err());
    assert!(read(&memory, 16, 8).is_err());
    assert_eq!(memory.requests(), 1);
    assert_eq!(read(&memory, 64, 8).unwrap_err().readable, 0);
    memory.clear();
    assert!(read(&memory, 8, 8).is_err());
    assert_eq!(memory.requests(), 2);
}

#[test]
fn what_is_proved_to_be_the_same_is_read_once() {
    let memory = CachedMemory::remote(Box::new(Small), 2048);
    let name = |proof: &[u8]| {
        memory.clear();
        memory.begin_lasting(Address(8), proof);
        memory.prefetch(&[Range::new(Address(PAGE), 16)]);
        let name = read(&memory, PAGE + 1, 3).unwrap();
        memory.end_lasting();
        (name, memory.requests())
    };
    assert_eq!(name(b"one"), (vec![1, 2, 3], 1));
    assert_eq!(name(b"one"), (vec![1, 2, 3], 1));
    assert_eq!(name(b"two"), (vec![1, 2, 3], 2));
    memory.clear_all();
    assert_eq!(name(b"two"), (vec![1, 2, 3], 3));
    assert_eq!(read(&memory, PAGE + 1, 3).unwrap(), [1, 2, 3]);
    assert_eq!(memory.requests(), 3);
}
