//! What a register or a memory slot is known to hold while a stencil runs.
//!
//! Values are symbolic: numbers that the JIT patches into the code are [holes](Number::Hole), so that one analysis of a
//! stencil serves all its instances. The text comes last, with the numbers of one instance.

use crate::address::Address;
use crate::disasm::Instruction;
use std::collections::HashMap;
use std::hash::Hash;

/// Terms of one analysis at most; a stencil has some hundred instructions.
const MOST_TERMS: u16 = 1 << 14;

/// Deeper sums than compilers write.
const DEEPEST: usize = 64;

/// A number of one analysis.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct NumberId(u16);

/// How a number comes about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Number {
    /// The same in all instances.
    Constant(u64),
    /// The number in the hole of the instruction with this index.
    Hole(u16),
    /// The address that the instruction with this index names relative to itself.
    PcRelative(u16),
    /// The page that the instruction with this index names relative to itself: the upper part of an address.
    Page(u16),
    /// A sum.
    Add(NumberId, NumberId),
    /// A product.
    Multiply(NumberId, u8),
    /// These bits of it.
    And(NumberId, u64),
    /// 16 bits of the first, moved up by this many, replaced by those of the second.
    Insert(NumberId, NumberId, u8),
    /// All bits turned over, and one added.
    Negate(NumberId),
    /// The low bits, the others like the highest of them.
    SignExtend(NumberId, u8),
}

/// Something that is pointed at, or whose address is in a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct ThingId(u16);

/// What is pointed at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Thing {
    /// The executor that runs.
    Executor,
    /// The frame that was current when the uop began.
    Frame,
    /// The thread state.
    ThreadState,
    /// The evaluation stack in memory: where the stack pointer was when the uop began.
    Stack,
    /// The machine stack: where its pointer was when the uop began.
    MachineStack,
    /// The object that register `tosN` held when the uop began.
    Cached(u8),
    /// The object in the frame's slot, so many bytes from the frame.
    Local(NumberId),
    /// The object in the evaluation stack's slot, so many bytes from [`Thing::Stack`].
    Item(NumberId),
    /// What a pointer in this thing, so many bytes into it, points at.
    Pointee(ThingId, NumberId),
    /// What a pointer at a fixed address points at.
    Global(NumberId),
    /// What the function returned that the instruction with this index called.
    Result(u16),
    /// Something that the slot it was loaded from need not hold any more.
    Former(ThingId),
}

/// The lowest bit of a `_PyStackRef` says that it does not own its object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tag {
    /// A plain pointer.
    None,
    /// Not known.
    Maybe,
    /// Set.
    Set,
}

/// What is known of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// Nothing.
    Unknown,
    /// A number.
    Number(NumberId),
    /// The address so many bytes into a thing.
    Pointer(ThingId, NumberId, Tag),
}

/// The numbers and things of one analysis, each with an id that is the same for equal ones.
#[derive(Default, Debug)]
pub struct Terms {
    numbers: Vec<Number>,
    things: Vec<Thing>,
    number_ids: HashMap<Number, u16>,
    thing_ids: HashMap<Thing, u16>,
}

impl Terms {
    /// The id of a number, simplified. When there is no more room, that of a number that has no value.
    pub fn number(&mut self, number: Number) -> NumberId {
        let number = self.simplified(number);
        NumberId(id(number, &mut self.numbers, &mut self.number_ids))
    }

    /// The id of a constant.
    pub fn constant(&mut self, value: u64) -> NumberId {
        self.number(Number::Constant(value))
    }

    /// The id of a thing.
    pub fn thing(&mut self, thing: Thing) -> ThingId {
        ThingId(id(thing, &mut self.things, &mut self.thing_ids))
    }

    /// What an id stands for.
    pub fn get(&self, id: ThingId) -> Option<Thing> {
        self.things.get(usize::from(id.0)).copied()
    }

    /// The value of a number that is the same in all instances.
    pub fn fixed(&self, id: NumberId) -> Option<u64> {
        match self.numbers.get(usize::from(id.0)) {
            Some(Number::Constant(value)) => Some(*value),
            _ => None,
        }
    }

    /// Whether a number is a constant or the sum of one and of something that is not negative, and that constant.
    pub fn at_least(&self, id: NumberId) -> Option<u64> {
        match *self.numbers.get(usize::from(id.0))? {
            Number::Constant(value) => Some(value),
            Number::Add(left, right) => {
                let (left, right) = (self.at_least(left)?, self.at_least(right)?);
                left.checked_add(right)
            }
            Number::Multiply(number, _) => self.is_small(number).then_some(0),
            Number::And(..) => self.is_small(id).then_some(0),
            _ => None,
        }
    }

    /// Whether it has 32 bits at most.
    fn is_small(&self, id: NumberId) -> bool {
        match self.numbers.get(usize::from(id.0)) {
            Some(Number::Constant(value) | Number::And(_, value)) => *value <= u32::MAX.into(),
            _ => false,
        }
    }

    /// The value of a number in an instance of the stencil.
    pub fn value(&self, id: NumberId, instance: &[Instruction]) -> Option<u64> {
        self.value_within(id, instance, DEEPEST)
    }

    fn value_within(&self, id: NumberId, instance: &[Instruction], depth: usize) -> Option<u64> {
        let depth = depth.checked_sub(1)?;
        let value = |id| self.value_within(id, instance, depth);
        let instruction = |index: u16| instance.get(usize::from(index));
        Some(match *self.numbers.get(usize::from(id.0))? {
            Number::Constant(value) => value,
            Number::Hole(index) => instruction(index)?.immediate()?,
            Number::PcRelative(index) | Number::Page(index) => {
                let Address(address) = instruction(index)?.pc_relative()?;
                address
            }
            Number::Add(left, right) => value(left)?.wrapping_add(value(right)?),
            Number::Multiply(number, by) => value(number)?.wrapping_mul(by.into()),
            Number::And(number, mask) => value(number)? & mask,
            Number::Insert(old, new, shift) => insert(value(old)?, value(new)?, shift),
            Number::Negate(number) => value(number)?.wrapping_neg(),
            Number::SignExtend(number, bits) => sign_extend(value(number)?, bits),
        })
    }

    /// Constants are computed at once, and put together at the right of sums.
    fn simplified(&mut self, number: Number) -> Number {
        let fixed = |terms: &Terms, id| terms.fixed(id);
        match number {
            Number::Add(left, right) => match (fixed(self, left), fixed(self, right)) {
                (Some(left), Some(right)) => Number::Constant(left.wrapping_add(right)),
                (Some(0), None) => self.of(right).unwrap_or(number),
                (None, Some(0)) => self.of(left).unwrap_or(number),
                (Some(constant), None) => self.plus(right, constant),
                (None, Some(constant)) => self.plus(left, constant),
                (None, None) => number,
            },
            Number::Multiply(of, by) => match fixed(self, of) {
                Some(value) => Number::Constant(value.wrapping_mul(by.into())),
                None if by == 1 => self.of(of).unwrap_or(number),
                None => number,
            },
            Number::And(of, mask) => match (fixed(self, of), self.of(of)) {
                (Some(value), _) => Number::Constant(value & mask),
                (None, Some(Number::And(inner, other))) => Number::And(inner, mask & other),
                _ => number,
            },
            Number::Negate(of) => match fixed(self, of) {
                Some(value) => Number::Constant(value.wrapping_neg()),
                None => number,
            },
            Number::SignExtend(of, bits) => match fixed(self, of) {
                Some(value) => Number::Constant(sign_extend(value, bits)),
                None => number,
            },
            Number::Insert(old, new, shift) => match (fixed(self, old), fixed(self, new)) {
                (Some(old), Some(new)) => Number::Constant(insert(old, new, shift)),
                _ => number,
            },
            Number::Constant(_) | Number::Hole(_) | Number::PcRelative(_) | Number::Page(_) => {
                number
            }
        }
    }

    fn plus(&mut self, of: NumberId, constant: u64) -> Number {
        if let Some(Number::Add(inner, behind)) = self.of(of)
            && let Some(more) = self.fixed(behind)
        {
            let sum = more.wrapping_add(constant);
            return match sum {
                0 => self.of(inner).unwrap_or(Number::Constant(0)),
                _ => Number::Add(inner, self.constant(sum)),
            };
        }
        Number::Add(of, self.constant(constant))
    }

    /// How a number comes about.
    pub fn of(&self, id: NumberId) -> Option<Number> {
        self.numbers.get(usize::from(id.0)).copied()
    }
}

/// The id of a term; when there is no more room, one that stands for nothing.
fn id<T: Copy + Eq + Hash>(term: T, all: &mut Vec<T>, ids: &mut HashMap<T, u16>) -> u16 {
    if let Some(id) = ids.get(&term) {
        return *id;
    }
    let Some(id) = u16::try_from(all.len()).ok().filter(|id| *id < MOST_TERMS) else {
        return MOST_TERMS;
    };
    all.push(term);
    ids.insert(term, id);
    id
}

fn insert(old: u64, new: u64, shift: u8) -> u64 {
    let shift = u32::from(shift.min(48));
    (old & !(0xffff << shift)) | ((new & 0xffff) << shift)
}

fn sign_extend(value: u64, bits: u8) -> u64 {
    let unused = 64 - u32::from(bits.clamp(1, 64));
    ((value << unused).cast_signed() >> unused).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sums_have_equal_ids() {
        let mut terms = Terms::default();
        let hole = terms.number(Number::Hole(0));
        let eight = terms.constant(8);
        let once = terms.number(Number::Add(hole, eight));
        let twice = terms.number(Number::Add(once, eight));
        let sixteen = terms.constant(16);
        assert_eq!(twice, terms.number(Number::Add(sixteen, hole)));
        let back = terms.constant(8u64.wrapping_neg());
        assert_eq!(once, terms.number(Number::Add(twice, back)));
        assert_eq!(hole, terms.number(Number::Add(once, back)));
    }

    #[test]
    fn constants_are_computed() {
        let mut terms = Terms::default();
        let number = terms.constant(0xffff_fffe);
        let extended = terms.number(Number::SignExtend(number, 32));
        assert_eq!(terms.fixed(extended), Some(0xffff_ffff_ffff_fffe));
        let two = terms.number(Number::Negate(extended));
        assert_eq!(terms.fixed(two), Some(2));
        let new = terms.constant(0x1234);
        let inserted = terms.number(Number::Insert(number, new, 16));
        assert_eq!(terms.fixed(inserted), Some(0x1234_fffe));
    }

    #[test]
    fn only_what_cannot_be_negative_has_a_least_value() {
        let mut terms = Terms::default();
        let hole = terms.number(Number::Hole(0));
        let offset = terms.constant(80);
        let sum = terms.number(Number::Add(hole, offset));
        assert_eq!(terms.at_least(sum), None);
        let low = terms.number(Number::And(hole, 0xffff));
        let scaled = terms.number(Number::Multiply(low, 8));
        let sum = terms.number(Number::Add(scaled, offset));
        assert_eq!(terms.at_least(sum), Some(80));
    }
}
