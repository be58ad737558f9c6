//! What is told of rebuilt bytes.

use super::{Gap, Hole, Part, Plan, Rebuilt, STATE, SymbolState, Tag};
use crate::address::{Address, Range};

fn rebuilt() -> Rebuilt {
    let tags = [
        (2, Tag::BODY),
        (4, Tag::OPARG),
        (2, Tag::OPERAND0),
        (8, Tag::BODY),
    ];
    let tags = tags.map(|(count, tag)| vec![tag; count]).concat();
    Rebuilt {
        start: Address(0x1000),
        bytes: vec![0x90; tags.len()],
        tags,
        gaps: vec![Gap {
            part: Part::Shim,
            reason: "no symbol names it".to_owned(),
            ranges: vec![Range::new(Address(0x1000), 3)],
        }],
        steps: 0,
    }
}

#[test]
fn holes_are_runs_of_the_same_origins() {
    let rebuilt = rebuilt();
    let hole = |offset, length, origins| Hole {
        offset,
        length,
        origins,
    };
    let all: Vec<Hole> = rebuilt.holes(0, 16).collect();
    let expected = [hole(2, 4, Tag::OPARG), hole(6, 2, Tag::OPERAND0)];
    assert_eq!(all, expected);
    // Only what is in the instruction counts.
    assert_eq!(rebuilt.hole(4, 4), Some(hole(4, 2, Tag::OPARG)));
    assert_eq!(rebuilt.hole(8, 8), None);
    assert_eq!(rebuilt.hole(0, 2), None);
    // Beyond the end there is nothing.
    assert_eq!(rebuilt.hole(16, 4), None);
    assert_eq!(rebuilt.hole(u64::MAX, 4), None);
    let words: Vec<_> = (Tag::OPERAND0 | Tag::OPARG).words().collect();
    assert_eq!(words, ["oparg", "operand0"]);
}

#[test]
fn a_shim_of_the_same_size_fills_its_gap() {
    let mut rebuilt = rebuilt();
    rebuilt.supply_shim(&[1, 2]);
    assert!(rebuilt.is_unknown(Address(0x1002)));
    rebuilt.supply_shim(&[1, 2, 3]);
    assert!(rebuilt.gaps.is_empty() && !rebuilt.is_unknown(Address(0x1002)));
    assert_eq!(rebuilt.bytes[..4], [1, 2, 3, 0x90]);
}

#[test]
fn the_state_is_laid_out_as_the_jit_has_it() {
    let symbols = |start, mask: &[u64], entry| SymbolState {
        memory: Range::new(Address(start), entry * 3),
        mask: mask.to_vec(),
        entry,
    };
    let plan = Plan {
        emissions: Vec::new(),
        starts: vec![Address(0x1000), Address(0x1020)],
        trampolines: symbols(0x1100, &[0, 1 << 63, 3, 0], 16),
        got: Some(symbols(0x1200, &[7, 0, 0, 0], 8)),
        allocation: Range::new(Address(0x1000), 4096),
    };
    let state = super::state::state(&plan);
    let word = |offset: usize| {
        let bytes = state.bytes[offset..offset + 8].try_into().unwrap();
        (u64::from_le_bytes(bytes), state.tags[offset])
    };
    // 3.15: mem, mask[8], size; the same for the GOT; the starts.
    assert_eq!(state.base, STATE);
    assert_eq!(word(0), (0x1100, Tag::TRAMPOLINE));
    assert_eq!(word(0x10), (1 << 63, Tag::BODY));
    assert_eq!(word(0x28), (48, Tag::BODY));
    assert_eq!(word(0x30), (0x1200, Tag::GOT));
    assert_eq!(word(0x58), (24, Tag::BODY));
    assert_eq!(word(0x68), (0x1020, Tag::UOP_START));
    assert_eq!(state.bytes.len(), 0x70);
}
