//! Loads and stores.

use super::super::decode::{Memory, Place, Transfer, Width, sign_extend};
use super::super::state::State;
use super::shift::extended;
use crate::restitch::{Bus, Stop, Tag, Value, Vector};

pub(super) fn run(
    state: &mut State,
    bus: &mut Bus<'_>,
    pc: u64,
    memory: &Memory,
) -> Result<(), Stop> {
    let place = found(state, pc, memory.place);
    transfer(state, bus, memory, memory.rt, place.address)?;
    if let Some(second) = memory.rt2 {
        let number = place.address.number.wrapping_add(memory.bytes as u64);
        let address = Value::new(number, place.address.tag);
        transfer(state, bus, memory, second, address)?;
    }
    if let Some((register, value)) = place.moved {
        state.set_or_stack(register, value);
    }
    Ok(())
}

/// An address, and the register that becomes another one.
struct Found {
    address: Value,
    moved: Option<(usize, Value)>,
}

fn found(state: &State, pc: u64, place: Place) -> Found {
    let sum = |rn: usize, offset: i64| {
        let base = state.get_or_stack(rn);
        Value::new(base.number.wrapping_add_signed(offset), base.tag)
    };
    let (address, moved) = match place {
        Place::Literal(distance) => (Value::body(pc.wrapping_add_signed(distance)), None),
        Place::Offset { rn, offset } => (sum(rn, offset), None),
        Place::Before { rn, offset } => (sum(rn, offset), Some((rn, sum(rn, offset)))),
        Place::After { rn, offset } => (sum(rn, 0), Some((rn, sum(rn, offset)))),
        Place::Register { rn, rm, extend } => {
            let (base, index) = (state.get_or_stack(rn), state.get(rm));
            let offset = extended(index.number, extend);
            let number = base.number.wrapping_add(offset);
            (Value::new(number, base.tag | index.tag), None)
        }
    };
    Found { address, moved }
}

/// Moves the bytes of one register.
fn transfer(
    state: &mut State,
    bus: &mut Bus<'_>,
    memory: &Memory,
    register: usize,
    address: Value,
) -> Result<(), Stop> {
    match (memory.transfer, memory.vector) {
        (Transfer::Prefetch, _) => Ok(()),
        (Transfer::Store, true) => store_vector(state, bus, memory, register, address.number),
        (_, true) => load_vector(state, bus, memory, register, address.number),
        (Transfer::Store, false) => bus.write(address.number, memory.bytes, state.get(register)),
        (Transfer::Load, false) => load(state, bus, memory, register, (address, None)),
        (Transfer::LoadSigned(width), false) => {
            load(state, bus, memory, register, (address, Some(width)))
        }
    }
}

fn load(
    state: &mut State,
    bus: &mut Bus<'_>,
    memory: &Memory,
    register: usize,
    (address, signed): (Value, Option<Width>),
) -> Result<(), Stop> {
    let mut value = bus.read(address.number, memory.bytes)?;
    // `instruction_starts[jump_target]`: what is read by an index came from the index too.
    value.tag |= address.tag.only(Tag::JUMP_TARGET | Tag::ERROR_TARGET);
    if let Some(width) = signed {
        let bits = match memory.bytes {
            1 => 8,
            2 => 16,
            _ => 32,
        };
        value.number = width.cut(sign_extend(value.number, bits).cast_unsigned());
    }
    state.set(register, value);
    Ok(())
}

fn load_vector(
    state: &mut State,
    bus: &mut Bus<'_>,
    memory: &Memory,
    register: usize,
    address: u64,
) -> Result<(), Stop> {
    let mut value = Vector::default();
    let (bytes, tags) = (
        value.bytes.get_mut(..memory.bytes),
        value.tags.get_mut(..memory.bytes),
    );
    if let (Some(bytes), Some(tags)) = (bytes, tags) {
        bus.read_bytes(address, bytes, tags)?;
    }
    state.set_vector(register, value);
    Ok(())
}

fn store_vector(
    state: &State,
    bus: &mut Bus<'_>,
    memory: &Memory,
    register: usize,
    address: u64,
) -> Result<(), Stop> {
    let value = state.vector(register);
    let (bytes, tags) = (
        value.bytes.get(..memory.bytes).unwrap_or_default(),
        value.tags.get(..memory.bytes).unwrap_or_default(),
    );
    bus.write_bytes(address, bytes, tags)
}
