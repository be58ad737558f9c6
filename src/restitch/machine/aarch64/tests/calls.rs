//! Whole functions: what they call, where they end, what their bytes came from.

use super::super::Aarch64;
use super::{CODE, DATA, SIZE, bus, bytes, memory};
use crate::address::Address;
use crate::restitch::machine::Machine;
use crate::restitch::{Builtin, Builtins, Bus, Stop, Tag, Value};

const RET: u32 = 0xd65f_03c0;

/// Runs a function with arguments from `executor` on; afterwards `check` looks at what it wrote.
fn run(words: &[u32], arguments: &[Value], check: impl Fn(&Bus<'_>)) -> Result<(), Stop> {
    let code = bytes(words);
    let memory = memory(&code);
    let builtins = Builtins::from([
        (0x1000, Builtin::Copy),
        (0x1004, Builtin::Fill),
        (0x1008, Builtin::StackCheckFailed),
    ]);
    let mut bus = bus(&memory, &builtins, vec![0xee; SIZE]);
    let mut all = [Value::body(DATA); 5];
    for (place, argument) in all.iter_mut().skip(1).zip(arguments) {
        *place = *argument;
    }
    Aarch64::default().call(&mut bus, Address(CODE), &all)?;
    check(&bus);
    Ok(())
}

fn operand() -> Value {
    Value::new(0x1122_3344_5566_7788, Tag::OPERAND0)
}

/// `bl` from the instruction at this index.
fn call(index: u64, to: u64) -> u32 {
    let distance = to.wrapping_sub(CODE + 4 * index) >> 2;
    0x9400_0000 | u32::try_from(distance & 0x03ff_ffff).unwrap()
}

#[test]
fn bytes_remember_what_they_came_from() {
    let code = [
        0xf900_0001, // str x1, [x0]
        0x8b02_0023, // add x3, x1, x2
        0xf900_0403, // str x3, [x0, 8]
        0xd360_fc24, // lsr x4, x1, 32
        0xb900_1004, // str w4, [x0, 16]
        0x5280_00a5, // mov w5, 5
        0xb900_1405, // str w5, [x0, 20]
        0xf280_0021, // movk x1, 1
        0xf900_0c01, // str x1, [x0, 24]
        RET,
    ];
    let oparg = Value::new(5, Tag::OPARG);
    run(&code, &[operand(), oparg], |bus| {
        let tags = |at: usize, length: usize| &bus.output.tags[at..at + length];
        assert_eq!(tags(0, 8), [Tag::OPERAND0; 8]);
        assert_eq!(tags(8, 8), [Tag::OPERAND0 | Tag::OPARG; 8]);
        assert_eq!(tags(16, 4), [Tag::OPERAND0; 4]);
        assert_eq!(tags(20, 4), [Tag::BODY; 4]);
        assert_eq!(tags(24, 8), [Tag::OPERAND0; 8]);
        assert_eq!(
            bus.output.bytes[16..24],
            [0x44, 0x33, 0x22, 0x11, 5, 0, 0, 0]
        );
    })
    .unwrap();
}

#[test]
fn vectors_remember_it_for_each_byte() {
    let code = [
        0x6f00_e400, // movi v0.2d, 0
        0x4e18_1c20, // ins v0.d[1], x1
        0x3d80_0000, // str q0, [x0]
        0x0e20_5801, // cnt v1.8b, v0.8b
        0x4e20_5802, // cnt v2.16b, v0.16b
        0x4e31_b843, // addv b3, v2.16b
        0x3d80_0403, // str q3, [x0, 16]
        RET,
    ];
    run(&code, &[operand()], |bus| {
        assert_eq!(bus.output.tags[..8], [Tag::BODY; 8]);
        assert_eq!(bus.output.tags[8..16], [Tag::OPERAND0; 8]);
        assert_eq!(bus.output.bytes[8..16], operand().number.to_le_bytes());
        assert_eq!(bus.output.tags[16..18], [Tag::OPERAND0, Tag::BODY]);
        let ones = u8::try_from(operand().number.count_ones()).unwrap();
        assert_eq!(bus.output.bytes[16..18], [ones, 0]);
    })
    .unwrap();
}

#[test]
fn an_indexed_load_came_from_its_index() {
    // ldr x3, [x0, x1, lsl 3]; str x3, [x0]; ret
    let code = [0xf861_7803, 0xf900_0003, RET];
    let index = Value::new(2, Tag::JUMP_TARGET);
    run(&code, &[index], |bus| {
        assert_eq!(bus.output.tags[..8], [Tag::JUMP_TARGET; 8]);
    })
    .unwrap();
}

#[test]
fn functions_of_other_libraries_are_carried_out() {
    let code = [
        0xaa1e_03f3,     // mov x19, x30
        call(1, 0x1000), // memcpy(DATA, DATA + 64, 16)
        0x5280_0b41,     // mov w1, 0x5a
        0x5280_0102,     // mov w2, 8
        call(4, 0x1004), // memset(DATA, 0x5a, 8)
        0xaa13_03fe,     // mov x30, x19
        RET,
    ];
    let from = Value::body(DATA + 64);
    run(&code, &[from, Value::body(16)], |bus| {
        assert_eq!(bus.output.bytes[..8], [0x5a; 8]);
        assert_eq!(bus.output.bytes[8..16], [0xee; 8]);
    })
    .unwrap();
    // A jump instead of a call returns for the function that jumps.
    let tail = call(0, 0x1008) & !0x8000_0000;
    assert_eq!(run(&[tail], &[], |_| ()), Err(Stop::StackCheckFailed));
    let tail = call(0, 0x1004) & !0x8000_0000;
    run(&[tail], &[Value::body(1), Value::body(3)], |bus| {
        assert_eq!(bus.output.bytes[..4], [1, 1, 1, 0xee]);
    })
    .unwrap();
}

#[test]
fn a_copy_of_any_length_ends() {
    let tail = call(0, 0x1000) & !0x8000_0000;
    let long = [Value::body(DATA), Value::body(u64::MAX)];
    assert_eq!(run(&[tail], &long, |_| ()), Err(Stop::TooLong));
}

#[test]
fn a_loop_ends() {
    assert_eq!(run(&[0x1400_0000], &[], |_| ()), Err(Stop::TooLong));
}

#[test]
fn code_that_leads_nowhere_is_told() {
    let stop = run(&[0xd61f_0020], &[Value::body(0x9000)], |_| ());
    let address = Address(0x9000);
    assert_eq!(stop, Err(Stop::BadCall { address }));
    let stop = run(&[0x4e22_cc20, RET], &[], |_| ()); // fmla: no emitter has it
    assert_eq!(
        stop,
        Err(Stop::unsupported(CODE, &[0x20, 0xcc, 0x22, 0x4e]))
    );
    let stop = run(&[0xf900_0020], &[Value::body(CODE)], |_| ()); // str x0, [x1]
    assert!(matches!(stop, Err(Stop::WriteOutside { length: 8, .. })));
    let stop = run(&[0xf940_0020], &[Value::body(0x9000)], |_| ()); // ldr x0, [x1]
    assert!(matches!(stop, Err(Stop::NoMemory { length: 8, .. })));
}
