//! Where variables are, in DWARF's expressions: values that cannot be assigned to, so that no debugger writes the target.

use super::model::Convention;
use crate::listing::Architecture;
use crate::platform::Register;
use gimli::write::Expression;
use gimli::{DwOp, constants};

/// The bits of a `_PyStackRef` that are no address (3), all set where it is a number (`Py_INT_TAG`).
const TAG_BITS: DwOp = constants::DW_OP_lit3;

/// Bytes of a pointer.
const WORD: u64 = 8;

/// Registers that have operations of their own (`DW_OP_breg0` … `DW_OP_breg31`).
const MOST_REGISTERS: u16 = 32;

/// DWARF's number of a register.
pub fn number(architecture: Architecture, register: Register) -> Option<gimli::Register> {
    let mut all = architecture.platform().dwarf_registers.iter();
    let number = all.position(|known| *known == register)?;
    let number = u16::try_from(number).ok()?;
    (number < MOST_REGISTERS).then_some(gimli::Register(number))
}

/// An expression that is being written. There are thousands, for which gimli's own are slow.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn operation(&mut self, operation: DwOp) -> &mut Writer {
        self.0.push(operation.0);
        self
    }

    fn unsigned(&mut self, value: u64) -> &mut Writer {
        let mut rest = value;
        while rest >= 0x80 {
            self.0.push(rest.to_le_bytes()[0] | 0x80);
            rest >>= 7;
        }
        self.0.push(rest.to_le_bytes()[0]);
        self
    }

    /// So many bytes from what is in a register; the number is signed, so that its seventh bit is a sign.
    fn register(&mut self, register: gimli::Register, offset: u64) -> &mut Writer {
        let [low, _] = register.0.to_le_bytes();
        self.0.push(constants::DW_OP_breg0.0.saturating_add(low));
        let mut rest = offset;
        while rest >= 0x40 {
            self.0.push(rest.to_le_bytes()[0] | 0x80);
            rest >>= 7;
        }
        self.0.push(rest.to_le_bytes()[0]);
        self
    }

    fn plus(&mut self, bytes: u64) -> &mut Writer {
        self.operation(constants::DW_OP_plus_uconst).unsigned(bytes)
    }

    fn dereferenced(&mut self) -> &mut Writer {
        self.operation(constants::DW_OP_deref)
    }

    fn without_tag(&mut self) -> &mut Writer {
        self.operation(TAG_BITS)
            .operation(constants::DW_OP_not)
            .operation(constants::DW_OP_and)
    }

    fn value(&mut self) -> Expression {
        self.operation(constants::DW_OP_stack_value);
        Expression::raw(std::mem::take(&mut self.0))
    }
}

/// The value of a local variable of a frame that lies `depth` frames below the current one.
pub fn local(
    frame: gimli::Register,
    convention: &Convention,
    slot: u64,
    depth: usize,
) -> Option<Expression> {
    let offset = convention.localsplus.checked_add(slot.checked_mul(WORD)?)?;
    let mut writer = Writer::default();
    if depth == 0 {
        writer.register(frame, offset);
    } else {
        writer.register(frame, convention.previous).dereferenced();
        for _ in 1..depth {
            writer.plus(convention.previous).dereferenced();
        }
        writer.plus(offset);
    }
    Some(writer.dereferenced().without_tag().value())
}

/// The stack item in a register: without its tag, unless it is a number and no object.
pub fn cached(register: gimli::Register) -> Expression {
    let mut writer = Writer::default();
    writer
        .register(register, 0)
        .operation(constants::DW_OP_dup)
        .operation(TAG_BITS)
        .operation(constants::DW_OP_and)
        .operation(TAG_BITS)
        .operation(constants::DW_OP_eq)
        .operation(constants::DW_OP_bra);
    // Over what takes the tag off, which is three bytes.
    writer.0.extend(3u16.to_le_bytes());
    writer.without_tag().value()
}

/// What is in a register.
pub fn value(register: gimli::Register) -> Expression {
    Writer::default().register(register, 0).value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_of_any_size_are_as_gimli_writes_them() {
        for offset in [
            0,
            0x3f,
            0x40,
            0x50,
            0x7f,
            0x80,
            0x1fff,
            0x2000,
            u64::from(u32::MAX),
        ] {
            let register = gimli::Register(13);
            let own = Writer::default().register(register, offset).value();
            let mut theirs = Expression::new();
            theirs.op_breg(register, i64::try_from(offset).unwrap());
            theirs.op(constants::DW_OP_stack_value);
            assert_eq!(bytes(&own), bytes(&theirs), "{offset:#x}");
        }
    }

    /// As a location list has it.
    fn bytes(expression: &Expression) -> Vec<u8> {
        use gimli::write::*;
        let (mut unit, _) = crate::symbols::files::unit("/", "x");
        let location = Location::OffsetPair {
            begin: 0,
            end: 1,
            data: expression.clone(),
        };
        let list = unit.locations.add(LocationList(vec![location]));
        let root = unit.root();
        let list = AttributeValue::LocationListRef(list);
        unit.get_mut(root).set(constants::DW_AT_location, list);
        let mut dwarf = Dwarf::new();
        dwarf.units.add(unit);
        let mut sections = Sections::new(EndianVec::new(gimli::LittleEndian));
        dwarf.write(&mut sections).unwrap();
        sections.debug_loclists.slice().to_vec()
    }
}
