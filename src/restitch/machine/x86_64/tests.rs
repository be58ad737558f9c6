//! Small functions, run to their end: what they leave in memory, and where it came from.

use super::Processor;
use crate::address::{Address, Range};
use crate::restitch::machine::Machine;
use crate::restitch::{
    Builtin, Builtins, Bus, Memory, Piece, STATE, Stop, Tag, TraceFields, Value, Window,
};
use crate::shape::{Field, Shape};

const CODE: u64 = 0x1000;
const TRACE: u64 = 0x5000;
const OUTPUT: u64 = 0x7f00_0000_0000;

/// Runs `code` with the arguments of an emitter: rdi is the output, rsi 7 as an operand, rdx and rcx numbers, r8 the state.
fn run(code: &[u8]) -> Result<Window, Stop> {
    let trace: Vec<u8> = (0..48).collect();
    let pieces = [(CODE, code, true), (TRACE, trace.as_slice(), false)];
    let pieces = pieces.map(|(start, bytes, executable)| Piece {
        start: Address(start),
        bytes,
        executable,
    });
    let memory = Memory::new(pieces.to_vec(), None);
    let builtins = Builtins::from([
        (0x2000, Builtin::Copy),
        (0x2010, Builtin::Fill),
        (0x2020, Builtin::StackCheckFailed),
    ]);
    let fields = TraceFields::new(Range::new(Address(TRACE), 48), &uop()).unwrap();
    let mut bus = Bus::new(
        &memory,
        &builtins,
        fields,
        Window::new(OUTPUT, 64),
        Window::new(STATE, 64),
    );
    let arguments = [
        Value::new(OUTPUT, Tag::CODE),
        Value::new(7, Tag::OPERAND1),
        Value::body(0x8000_0000_0000_0003),
        Value::body(TRACE),
        Value::body(STATE),
    ];
    Processor::default().call(&mut bus, Address(CODE), &arguments)?;
    Ok(bus.output)
}

/// `_PyUOpInstruction` of 3.15.
fn uop() -> Shape {
    let fields = [
        ("opcode", 0, 2),
        ("format", 0, 2),
        ("oparg", 2, 2),
        ("target", 4, 4),
        ("jump_target", 4, 2),
        ("error_target", 6, 2),
        ("operand0", 8, 8),
        ("operand1", 16, 8),
    ];
    Shape {
        name: "_PyUOpInstruction".to_owned(),
        size: 24,
        fields: (fields.into_iter())
            .map(|(name, offset, size)| Field {
                name: name.to_owned(),
                offset,
                size,
                bits: None,
                element: None,
                signed: false,
            })
            .collect(),
    }
}

/// Runs code that leaves a number in rax, which is stored with a return behind it.
fn rax(code: &[u8]) -> u64 {
    let code = [code, b"\x48\x89\x07\xc3"].concat(); // mov [rdi], rax; ret
    let output = run(&code).unwrap();
    u64::from_le_bytes(output.bytes[..8].try_into().unwrap())
}

#[test]
fn numbers_are_computed_as_the_manual_says() {
    // (code, what rax is then); rsi 7, rdx 8000000000000003
    let cases: &[(&[u8], u64)] = &[
        (b"\xb8\xff\xff\xff\xff", 0xffff_ffff),      // mov eax, -1
        (b"\x48\xc7\xc0\xff\xff\xff\xff", u64::MAX), // mov rax, -1
        (
            b"\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08",
            0x0807_0605_0403_0201,
        ),
        (b"\x48\x89\xd0\x48\xd1\xe8", 0x4000_0000_0000_0001), // mov rax, rdx; shr rax, 1
        (b"\x48\x89\xd0\x48\xd1\xf8", 0xc000_0000_0000_0001), // mov rax, rdx; sar rax, 1
        (b"\x89\xd0\xc1\xe0\x1f", 0x8000_0000),               // mov eax, edx; shl eax, 31
        (b"\x48\x8d\x44\x72\x05", 0x8000_0000_0000_0016),     // lea rax, [rdx + rsi*2 + 5]
        (b"\x48\x8d\x05\x10\x00\x00\x00", 0x1017),            // lea rax, [rip + 0x10]
        (b"\x31\xc0\xb0\x80\x0f\xbe\xc0", 0xffff_ff80), // xor eax, eax; mov al, 0x80; movsx eax, al
        (b"\xb8\x00\x00\x00\x80\x48\x98", 0xffff_ffff_8000_0000), // mov eax, 80000000; cdqe
        (b"\x31\xc0\xb4\x12", 0x1200),                  // mov ah, 0x12
        (b"\x48\x89\xf0\x48\xf7\xd0", !7),              // mov rax, rsi; not rax
        (b"\x48\x89\xf0\x48\xf7\xd8", 7u64.wrapping_neg()), // neg rax
        (b"\x48\x0f\xaf\xf6\x48\x89\xf0", 49),          // imul rsi, rsi; mov rax, rsi
        (b"\x48\x6b\xc6\xfe", 14u64.wrapping_neg()),    // imul rax, rsi, -2
        (b"\xf3\x48\x0f\xb8\xc2", 3),                   // popcnt rax, rdx
        (b"\x56\x58", 7),                               // push rsi; pop rax
        (b"\x55\x48\x89\xe5\x6a\xff\x58\xc9", u64::MAX), // push rbp; mov rbp, rsp; push -1; pop rax; leave
        (b"\x31\xc0\x48\x83\xfe\x08\x0f\x92\xc0", 1),    // cmp rsi, 8; setb al
        (b"\x31\xc0\x48\x85\xd2\x0f\x98\xc0", 1),        // test rdx, rdx; sets al
        (b"\x31\xc0\x48\x39\xf2\x0f\x9c\xc0", 1),        // cmp rdx, rsi; setl al (it is negative)
        (b"\x31\xc0\x48\x39\xf2\x0f\x97\xc0", 1),        // seta al (it is greater without sign)
        (b"\x89\xf0\x83\xfe\x07\x0f\x45\xc1", 7),        // cmp esi, 7; cmovne eax, ecx
        (b"\x31\xc0\xeb\x02\xff\xc0\xff\xc0", 1),        // jmp over the first inc eax
        (b"\x31\xc0\x48\xff\xc0\x48\x83\xf8\x05\x75\xf7", 5), // inc rax until it is 5
        (b"\x48\xc7\xc0\xff\xff\xff\xff\x83\xc0\x01\x0f\x92\xc0", 1), // add eax, 1: carry, the rest is cleared
        (b"\x0f\xb7\x41\x02", 0x0302), // movzx eax, word ptr [rcx + 2]
        (b"\x64\x48\x8b\x04\x25\x28\x00\x00\x00", 0), // mov rax, fs:[0x28]
        (b"\x66\x48\x0f\x6e\xc6\x66\x48\x0f\x7e\xc0", 7), // movq xmm0, rsi; movq rax, xmm0
        (
            b"\xf3\x0f\x1e\xfa\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00\x89\xf0",
            7,
        ), // endbr64; nop; mov eax, esi
    ];
    for (code, expected) in cases {
        assert_eq!(rax(code), *expected, "{code:02x?}");
    }
}

#[test]
fn bytes_keep_where_they_come_from() {
    let code = [
        &b"\x89\x37"[..],                // mov [rdi], esi: operand1
        b"\x8b\x41\x04\x89\x47\x04",     // mov eax, [rcx + 4]: target
        b"\x0f\xb7\x41\x04\x89\x47\x08", // movzx eax, word ptr [rcx + 4]: jump target
        b"\x49\x8b\x04\xc0\x89\x47\x0c", // mov eax, [r8 + rax*8], which that chooses; but it is far
        b"\xc3",
    ];
    assert!(matches!(run(&code.concat()), Err(Stop::NoMemory { .. })));
    let code = [
        &b"\x89\x37"[..],
        b"\x8b\x41\x04\x89\x47\x04",
        b"\x0f\xb7\x41\x04\x89\x47\x08",
        b"\x0f\x10\x41\x08\x0f\x11\x47\x10", // movups xmm0, [rcx + 8]; movups [rdi + 16], xmm0: both operands
        b"\x31\xf6\x89\x77\x20",             // xor esi, esi; mov [rdi + 32], esi: body
        b"\x29\xf8\x89\x47\x24", // sub eax, edi; mov [rdi + 36], eax: jump target and code
        b"\xc3",
    ];
    let output = run(&code.concat()).unwrap();
    let expected = [
        (0, Tag::OPERAND1),
        (4, Tag::TARGET),
        (8, Tag::JUMP_TARGET),
        (16, Tag::OPERAND0),
        (24, Tag::OPERAND1),
        (32, Tag::BODY),
        (36, Tag::JUMP_TARGET | Tag::CODE),
    ];
    for (place, tag) in expected {
        assert_eq!(output.tags[place], tag, "byte {place}");
    }
    assert_eq!(output.bytes[16..32], (8..24).collect::<Vec<u8>>());
}

#[test]
fn copies_and_calls_of_the_c_library_are_carried_out() {
    // mov rsi, rcx; mov ecx, 24; rep movsb; ret
    let output = run(b"\x48\x89\xce\xb9\x18\x00\x00\x00\xf3\xa4\xc3").unwrap();
    assert_eq!(output.bytes[..24], (0..24).collect::<Vec<u8>>());
    assert_eq!(output.tags[2], Tag::OPARG);
    // mov eax, -1; mov ecx, 2; rep stosq; ret
    let output = run(b"\x48\xc7\xc0\xff\xff\xff\xff\xb9\x02\x00\x00\x00\xf3\x48\xab\xc3").unwrap();
    assert_eq!(output.bytes[15..17], [0xff, 0]);
    // mov rsi, rcx; mov edx, 8; jmp memcpy (0x2000)
    let output = run(b"\x48\x89\xce\xba\x08\x00\x00\x00\xe9\xf3\x0f\x00\x00").unwrap();
    assert_eq!(output.bytes[..8], (0..8).collect::<Vec<u8>>());
    // mov edx, 4; call memset (0x2010); ret: rsi is 7
    let output = run(b"\xba\x04\x00\x00\x00\xe8\x06\x10\x00\x00\xc3").unwrap();
    assert_eq!((output.bytes[3], output.tags[3]), (7, Tag::OPERAND1));
    // call __stack_chk_fail (0x2020)
    assert_eq!(
        run(b"\xe8\x1b\x10\x00\x00").unwrap_err(),
        Stop::StackCheckFailed
    );
}

#[test]
fn what_is_not_known_or_not_allowed_ends_the_run() {
    // vzeroupper; jp; adc eax, eax; stos of a pattern; movlhps; lea of a register
    let unknown: [&[u8]; 6] = [
        b"\xc5\xf8\x77",
        b"\x7a\x00",
        b"\x11\xc0",
        b"\xb8\x01\x02\x00\x00\xab",
        b"\x0f\x16\xc1",
        b"\x8d\xc0",
    ];
    for code in unknown {
        assert!(
            matches!(run(code), Err(Stop::Unsupported { .. })),
            "{code:02x?}"
        );
    }
    // mov [rcx], esi: the trace is not to be written
    assert!(matches!(
        run(b"\x89\x31\xc3"),
        Err(Stop::WriteOutside { .. })
    ));
    // jmp to itself
    assert_eq!(run(b"\xeb\xfe").unwrap_err(), Stop::TooLong);
    // A copy of more than memory has: mov ecx, -1; rep movsb
    assert_eq!(
        run(b"\xb9\xff\xff\xff\xff\xf3\xa4").unwrap_err(),
        Stop::TooLong
    );
    // jmp rsi
    assert!(matches!(run(b"\xff\xe6"), Err(Stop::BadCall { .. })));
    // The bytes end within an instruction.
    assert!(matches!(run(b"\x48\x8b"), Err(Stop::Unsupported { .. })));
}
