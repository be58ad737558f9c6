//! Machine code of any bytes as an emitter: it ends soon, also when it is run again, writes only into its windows, and
//! gives the same each time.

use super::Body;
use super::choices::Choices;
use cpyjit::address::Address;
use cpyjit::platform::Architecture;
use cpyjit::restitch::machine::{self, ARGUMENTS, Machine};
use cpyjit::restitch::{
    Builtin, Builtins, Bus, Memory, Piece, STATE, Stop, Tag, TraceFields, Value, Window,
};

pub const BODY: Body = Body {
    name: "restitch",
    run,
    seeds,
};

const CODE: u64 = 0x40_0000;
const DATA: u64 = 0x50_0000;
const OUTPUT: u64 = 0x7f00_0000_0000;

/// More than the emitter of any uop.
const LONGEST: usize = 4096;

/// Functions of the C library are called at these distances from the code.
const CALLED: [(u64, Builtin); 3] = [
    (0x2000, Builtin::Copy),
    (0x2010, Builtin::Fill),
    (0x2020, Builtin::StackCheckFailed),
];

/// Small, as for most uops, or as large as executors of debug builds.
const SIZES: [usize; 3] = [64, 4096, 1 << 20];

fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let architecture = *choices.one(&[Architecture::X86_64, Architecture::Aarch64]);
    let size = *choices.one(&SIZES);
    let arguments = arguments(&mut choices);
    let code = choices.take(LONGEST);
    let mut used = machine::of(architecture).expect("both machines have an interpreter");
    let first = call(used.as_mut(), code, size, &arguments);
    let again = call(used.as_mut(), code, size, &arguments);
    let mut new = machine::of(architecture).expect("both machines have an interpreter");
    let fresh = call(new.as_mut(), code, size, &arguments);
    // Registers that an emitter reads before it has set them have what the last one left there.
    assert_eq!(first, fresh, "the same code in the same state");
    assert!(again.1.len() == size && first.1.len() == size);
}

/// Most often what an emitter gets.
fn arguments(choices: &mut Choices<'_>) -> [Value; ARGUMENTS] {
    let usual = [OUTPUT, OUTPUT + 32, DATA, DATA + 64, STATE];
    usual.map(|usual| match choices.u8() {
        0..=250 => Value::new(usual, Tag::CODE),
        _ => Value::new(choices.u64(), Tag::OPERAND0),
    })
}

/// How it ended, and what it wrote.
fn call(
    machine: &mut dyn Machine,
    code: &[u8],
    size: usize,
    arguments: &[Value; ARGUMENTS],
) -> (Result<(), Stop>, Vec<u8>) {
    let data: Vec<u8> = (0..=255).cycle().take(4096).collect();
    let piece = |start, bytes, executable| Piece {
        start: Address(start),
        bytes,
        executable,
    };
    let memory = Memory::new(
        vec![piece(CODE, code, true), piece(DATA, &data, false)],
        None,
    );
    let builtins: Builtins = CALLED.map(|(at, builtin)| (CODE + at, builtin)).into();
    let (output, state) = (Window::new(OUTPUT, size), Window::new(STATE, 256));
    let mut bus = Bus::new(&memory, &builtins, TraceFields::default(), output, state);
    let result = machine.call(&mut bus, Address(CODE), arguments);
    assert_eq!(bus.output.bytes.len(), bus.output.tags.len());
    (result, bus.output.bytes)
}

fn seeds() -> Vec<Vec<u8>> {
    let seed =
        |machine: u8, size: u8, code: &[u8]| [&[machine, 0, size, 0, 0, 0, 0, 0, 0], code].concat();
    let words = |words: &[u32]| -> Vec<u8> {
        let bytes = words.iter().flat_map(|word| word.to_le_bytes());
        bytes.collect()
    };
    let mut seeds = vec![
        seed(0, 1, X86_64),
        seed(0, 2, X86_64_FILLS),
        seed(1, 1, &words(AARCH64)),
        seed(1, 1, &words(AARCH64_VECTORS)),
        seed(1, 2, &words(AARCH64_COPIES)),
    ];
    seeds.extend(
        seeds
            .clone()
            .into_iter()
            .map(|seed| seed[..seed.len() - 4].to_vec()),
    );
    seeds
}

/// An emitter: movabs rax, …; mov [rdi], rax; movzx eax, word [rcx + 2]; mov [rdi + 8], eax; movups xmm0, [rdx];
/// movups [rdi + 16], xmm0; push rbx; mov rbx, rsi; call memcpy; pop rbx; ret
const X86_64: &[u8] = &[
    0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 0x48, 0x89, 0x07, 0x0f, 0xb7, 0x41, 0x02, 0x89, 0x47, 0x08,
    0x0f, 0x10, 0x02, 0x0f, 0x11, 0x47, 0x10, 0x53, 0x48, 0x89, 0xf3, 0xe8, 0xdc, 0x1f, 0x00, 0x00,
    0x5b, 0xc3,
];

/// mov rbx, rdi; again: mov rdi, rbx; mov ecx, 0x100000; rep stosb; jmp again
const X86_64_FILLS: &[u8] = &[
    0x48, 0x89, 0xfb, 0x48, 0x89, 0xdf, 0xb9, 0x00, 0x00, 0x10, 0x00, 0xf3, 0xaa, 0xeb, 0xf4,
];

/// stp x29, x30, [sp, -16]!; ldrh w5, [x3, 2]; lsl x6, x5, 3; str x6, [x0], 8; adrp x7, .; stp x6, x7, [x0];
/// cmp x6, 4; csel x8, x6, x7, ls; ubfx x9, x8, 12, 9; ldp x29, x30, [sp], 16; ret
const AARCH64: &[u32] = &[
    0xa9bf_7bfd,
    0x7940_0465,
    0xd37d_f0a6,
    0xf800_8406,
    0x9000_0007,
    0xa900_1c06,
    0xf100_10df,
    0x9a87_90c8,
    0xd34c_5109,
    0xa8c1_7bfd,
    0xd65f_03c0,
];

/// ldr q0, [x2]; cnt v1.16b, v0.16b; addv b1, v1.16b; uaddlp v2.8h, v1.16b; xtn v3.8b, v2.8h; zip1 v4.16b, v3.16b,
/// v0.16b; ushr v5.2d, v4.2d, 3; fmov x5, d5; dup v6.2d, x5; str q6, [x0]; ret
const AARCH64_VECTORS: &[u32] = &[
    0x3dc0_0040,
    0x4e20_5801,
    0x4e31_b821,
    0x6e20_2822,
    0x0e21_2843,
    0x4e00_3864,
    0x6f7d_0485,
    0x9e66_00a5,
    0x4e08_0ca6,
    0x3d80_0006,
    0xd65f_03c0,
];

/// mov x19, x0; again: mov x0, x19; add x1, x0, 64; mov x2, 0x80000; bl memcpy; b again
const AARCH64_COPIES: &[u32] = &[
    0xaa00_03f3,
    0xaa13_03e0,
    0x9101_0001,
    0xd2a0_0102,
    0x9400_07fc,
    0x17ff_fffc,
];
