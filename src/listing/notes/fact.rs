//! What an analysis finds out: remarks without the numbers of an instance.

use super::value::{NumberId, Tag, ThingId, Value};

/// Where a memory operand points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// So many bytes into a thing.
    In(ThingId, NumberId),
    /// At an address that is written in the code.
    At(NumberId),
    /// Not known.
    Unknown,
}

/// A remark that follows from the analysis, without the numbers of the instance.
#[derive(Clone, Debug)]
pub enum Fact {
    /// Memory is read or written.
    Access(Access),
    /// A register is copied that holds this.
    Copy(Value),
    /// The tag of a reference is taken off or put on.
    Tagged(ThingId, Tag),
    /// The tag of a reference to this address is put on.
    TaggedNumber(NumberId),
    /// A reference is asked whether it is one of these.
    Asked(ThingId, Question),
    /// An address so many bytes into a thing, after this was added.
    Inside(ThingId, NumberId, NumberId),
    /// The evaluation stack's pointer is set to so many bytes from where it was when the uop began.
    Stack(NumberId),
    /// A number is written in the code.
    Number(NumberId),
    /// A jump or call goes there.
    Target(Value),
}

/// What code asks of a reference (`pycore_stackref.h`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Question {
    /// Whether it does not own its object: bit `Py_TAG_REFCNT`.
    Borrowed,
    /// Whether there is none: `PyStackRef_NULL`, which is that bit alone.
    Null,
}

/// Memory is read or written.
#[derive(Clone, Debug)]
pub struct Access {
    /// Where.
    pub place: Place,
    /// Bytes.
    pub size: u8,
    /// Whether it is read.
    pub reads: bool,
    /// Whether it is written.
    pub writes: bool,
    /// What is read or written, as far as it is known.
    pub value: Value,
    /// The types that are known there: thing and address of its type.
    pub types: Vec<(ThingId, NumberId)>,
}
