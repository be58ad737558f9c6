//! Branches.

use super::super::Jump;
use super::super::decode::Branch;
use super::super::state::State;

/// Where the branch at `pc` goes, if it is taken.
pub(super) fn run(state: &State, pc: u64, branch: &Branch) -> Option<Jump> {
    let near = |distance| pc.wrapping_add_signed(distance);
    let (to, link, taken) = match *branch {
        Branch::Jump { link, distance } => (near(distance), link, true),
        Branch::Conditional {
            condition,
            distance,
        } => (near(distance), false, state.flags.hold(condition)),
        Branch::Zero {
            width,
            rt,
            taken_if_zero,
            distance,
        } => {
            let zero = state.get_part(rt, width).number == 0;
            (near(distance), false, zero == taken_if_zero)
        }
        Branch::Bit {
            rt,
            bit,
            taken_if_set,
            distance,
        } => {
            let set = state.get(rt).number >> bit & 1 == 1;
            (near(distance), false, set == taken_if_set)
        }
        Branch::Register { link, rn } => (state.get(rn).number, link, true),
        Branch::Nothing => return None,
    };
    taken.then_some(Jump { to, link })
}
