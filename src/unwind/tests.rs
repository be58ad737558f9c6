//! Stacks and code that are made here.

use super::*;
use crate::address::Address;
use crate::disasm::{Architecture, Register};
use crate::error::Fault;
use crate::target::{Memory, Reader};
use gimli::write::{
    CallFrameInstruction, CommonInformationEntry, EhFrame, EndianVec, FrameDescriptionEntry,
    FrameTable,
};
use gimli::{Encoding, Format, LittleEndian, Register as Dwarf, X86_64};

const RBP: Register = Register::new(5);
const RBX: Register = Register::new(3);
const RSP: Register = Register::new(4);
const STACK: u64 = 0x7fff_0000;
const INTERPRETER: u64 = 0x40_1234;
const CODE: u64 = 0x7f00_0000_0000;

/// push rbp; mov rbp, rsp; push rbx; sub rsp, 24; call rax; add rsp, 24; pop rbx; pop rbp; ret
const FUNCTION: &[u8] = &[
    0x55, 0x48, 0x89, 0xe5, 0x53, 0x48, 0x83, 0xec, 24, 0xff, 0xd0, 0x48, 0x83, 0xc4, 24, 0x5b,
    0x5d, 0xc3,
];

/// push r15; push rbx; call +0; pop rbx; pop r15; ret
const SHIM: &[u8] = &[0x41, 0x57, 0x53, 0xe8, 0, 0, 0, 0, 0x5b, 0x41, 0x5f, 0xc3];
/// Where the call of the shim returns to.
const BEHIND_CALL: u64 = 8;

fn flow(code: &[u8], calls: Calls) -> StackFlow {
    let mut follower = Follower::new(Architecture::X86_64).unwrap();
    follower.follow(None, Address(CODE), code, calls)
}

fn depths(code: &[u8]) -> Vec<Option<i64>> {
    let flow = flow(code, Calls::Functions);
    let depths = flow
        .states()
        .map(|(_, state)| state.and_then(StackState::depth));
    depths.collect()
}

/// Words from `STACK` on.
struct Words(Vec<u64>);

impl Memory for Words {
    fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|word| word.to_le_bytes()).collect();
        let fault = Fault {
            address,
            length: into.len() as u64,
            readable: 0,
        };
        let start = address.offset_from(Address(STACK)).ok_or(fault.clone())?;
        let found = bytes
            .get(usize::try_from(start).unwrap()..)
            .and_then(|rest| rest.get(..into.len()));
        into.copy_from_slice(found.ok_or(fault)?);
        Ok(())
    }
}

#[test]
fn follows_the_stack_through_a_function() {
    let at = |depth| Some(depth);
    assert_eq!(
        depths(FUNCTION),
        [
            at(0),
            at(8),
            at(8),
            at(16),
            at(40),
            at(40),
            at(16),
            at(8),
            at(0)
        ]
    );
    let flow = flow(FUNCTION, Calls::Functions);
    let (at_call, behind) = flow.first_call().unwrap();
    assert_eq!(at_call.place(RBP), Place::Saved(-8));
    assert_eq!(at_call.distance(RBP), Some(-8));
    assert_eq!(at_call.saved(RBX), Some(-16));
    assert_eq!(at_call.place(RBX), Place::Unchanged);
    assert_eq!(behind, 11);
    assert_eq!(flow.at(17).unwrap().place(RBP), Place::Unchanged);
}

#[test]
fn a_register_that_was_changed_and_not_saved_is_lost() {
    // mov rbp, rax; nop; and push rax; mov [rsp], rbx; pop rbx: what is popped is below the stack afterwards.
    let changed = flow(&[0x48, 0x89, 0xc5, 0x90], Calls::Functions);
    assert_eq!(changed.at(3).unwrap().place(RBP), Place::Lost);
    let popped = flow(&[0x53, 0x48, 0x89, 0xc3, 0x5f, 0x90], Calls::Functions);
    assert_eq!(popped.at(4).unwrap().place(RBX), Place::Saved(-8));
    assert_eq!(popped.at(5).unwrap().place(RBX), Place::Lost);
}

#[test]
fn paths_that_disagree_leave_the_depth_unknown() {
    // je +1; push rax; nop: the nop is reached with 0 and with 8 bytes.
    assert_eq!(depths(&[0x74, 1, 0x50, 0x90]), [Some(0), Some(0), None]);
    // jmp +1; push rax; nop; jmp -3 to the push: it is reached by the jump back only, and so twice.
    assert_eq!(
        depths(&[0xeb, 1, 0x50, 0x90, 0xeb, 0xfc]),
        [Some(0), None, None, None]
    );
    // jmp +1; push rax; nop: the push is never reached.
    let flow = flow(&[0xeb, 1, 0x50, 0x90], Calls::Functions);
    assert!(flow.at(2).is_none());
    assert_eq!(flow.at(3).unwrap().depth(), Some(0));
}

#[test]
fn aligning_the_stack_loses_it() {
    // and rsp, -16; nop
    assert_eq!(depths(&[0x48, 0x83, 0xe4, 0xf0, 0x90]), [Some(0), None]);
}

fn context(sp: u64, rbp: u64) -> Context {
    let mut context = Context::at(Architecture::X86_64, Address(CODE));
    context.set(RSP, Some(sp));
    context.set(RBP, Some(rbp));
    context
}

fn in_jit(
    shim: &Shim,
    place: JitPlace<'_>,
    context: &Context,
    words: Vec<u64>,
) -> Result<JitCaller, String> {
    let known = Known {
        starts_executor: &|address| address.0 == CODE,
        is_interpreter: &|address| address.0 == INTERPRETER,
    };
    let memory = Words(words);
    caller(shim, place, context, known, Reader::new(&memory))
}

fn place(flow: &StackFlow, offset: u64) -> JitPlace<'_> {
    JitPlace {
        flow,
        offset,
        in_shim: false,
        is_caller: false,
    }
}

#[test]
fn leaves_a_uop_through_the_shim_in_front_of_an_executor() {
    let shim = flow(SHIM, Calls::Uops);
    let shim = Shim::new(Architecture::X86_64, Home::EachExecutor, &shim).unwrap();
    // push rbp; mov rbp, rax; nop
    let uop = flow(&[0x55, 0x48, 0x89, 0xc5, 0x90], Calls::Functions);
    // The pushed rbp, the return into the shim, rbx, r15, the return into the interpreter, and what lies above.
    let mut words = vec![0xbb, CODE + BEHIND_CALL, 0x33, 0xff, INTERPRETER];
    words.extend([0; 128]);
    let found = in_jit(&shim, place(&uop, 4), &context(STACK, 1), words.clone()).unwrap();
    assert_eq!(found.cfa, Address(STACK + 40));
    assert_eq!(found.context.pc, Address(INTERPRETER));
    let value = |register| found.context.get(register);
    assert_eq!(
        [value(RBP), value(RBX), value(Register::new(15)), value(RSP)],
        [Some(0xbb), Some(0x33), Some(0xff), Some(STACK + 40)]
    );
    // Where the depth is not known, what is on the stack must do; a stack that does not fit is refused.
    let unknown = flow(&[0x74, 1, 0x50, 0x90], Calls::Functions);
    let scanned = in_jit(
        &shim,
        place(&unknown, 3),
        &context(STACK, STACK + 64),
        words.clone(),
    );
    assert_eq!(scanned.unwrap().context.get(RBP), Some(STACK + 64));
    words[1] += 1;
    assert!(in_jit(&shim, place(&uop, 4), &context(STACK, 1), words).is_err());
}

#[test]
fn uops_change_what_the_shim_has_saved() {
    let shim = flow(SHIM, Calls::Uops);
    assert_eq!(shim.at(BEHIND_CALL).unwrap().place(RBX), Place::Saved(-16));
    assert_eq!(shim.at(BEHIND_CALL).unwrap().place(RBP), Place::Unchanged);
}

#[test]
fn leaves_a_uop_by_the_frame_pointer_of_the_entering_function() {
    let entering = flow(FUNCTION, Calls::Uops);
    let home = Home::Function(Address(0x40_0000));
    let shim = Shim::new(Architecture::X86_64, home, &entering).unwrap();
    assert_eq!(shim.cfa_by_frame_pointer(), Some(16));
    let uop = flow(&[0x90], Calls::Functions);
    // The return behind `call rax`, three words of the frame, rbx, rbp, the return into the interpreter.
    let mut words = vec![0x40_0000 + 11, 1, 2, 3, 0x33, 0xbb, INTERPRETER];
    words.extend([0; 128]);
    let found = in_jit(&shim, place(&uop, 0), &context(STACK, STACK + 40), words).unwrap();
    assert_eq!(found.cfa, Address(STACK + 56));
    assert_eq!(
        [found.context.get(RBX), found.context.get(RBP)],
        [Some(0x33), Some(0xbb)]
    );
}

/// `.eh_frame` at 0x1000 for a function at 0x500: its frame is found 16 bytes above the frame pointer.
fn eh_frame() -> Vec<u8> {
    let encoding = Encoding {
        format: Format::Dwarf32,
        version: 1,
        address_size: 8,
    };
    let mut entry = CommonInformationEntry::new(encoding, 1, -8, X86_64::RA);
    entry.add_instruction(CallFrameInstruction::Cfa(X86_64::RSP, 8));
    entry.add_instruction(CallFrameInstruction::Offset(X86_64::RA, -8));
    let mut table = FrameTable::default();
    let entry = table.add_cie(entry);
    let start = gimli::write::Address::Constant(0x500);
    let mut function = FrameDescriptionEntry::new(start, 0x20);
    function.add_instruction(1, CallFrameInstruction::CfaOffset(16));
    function.add_instruction(1, CallFrameInstruction::Offset(Dwarf(6), -16));
    function.add_instruction(4, CallFrameInstruction::CfaRegister(Dwarf(6)));
    table.add_fde(entry, function);
    let mut bytes = EhFrame(EndianVec::new(LittleEndian));
    table.write_eh_frame(&mut bytes).unwrap();
    bytes.0.into_vec()
}

#[test]
fn leaves_a_function_by_its_unwind_table() {
    let bytes = eh_frame();
    let tables = Tables::new((Address(0x1000), &bytes), None, None);
    let memory = Words(vec![7, 0xbb, INTERPRETER, 0, 0]);
    let reader = Reader::new(&memory);
    let mut inside = context(STACK, STACK + 8);
    inside.set(RBX, Some(0x33));
    let found = tables.caller(Address(0x508), &inside, reader).unwrap();
    let caller = found.context.unwrap();
    assert_eq!(
        (found.cfa, caller.pc),
        (Address(STACK + 24), Address(INTERPRETER))
    );
    assert_eq!([caller.get(RBP), caller.get(RBX)], [Some(0xbb), Some(0x33)]);
    // Before the first instruction of it, and outside of it.
    let at_start = tables
        .caller(Address(0x500), &context(STACK + 16, 9), reader)
        .unwrap();
    assert_eq!(at_start.context.unwrap().get(RBP), Some(9));
    assert!(
        tables
            .caller(Address(0x520), &inside, reader)
            .unwrap_err()
            .contains("no unwind table")
    );
}

#[test]
fn a_damaged_unwind_table_ends_with_a_reason() {
    let good = eh_frame();
    let memory = Words(vec![7, 0xbb, INTERPRETER, 0, 0]);
    for index in 0..good.len() {
        for value in [0, 0xff, good[index] ^ 0x40] {
            let mut bytes = good.clone();
            bytes[index] = value;
            let tables = Tables::new(
                (Address(0x1000), &bytes),
                Some((Address(0x900), &bytes)),
                None,
            );
            let inside = context(STACK, STACK + 8);
            // Any answer will do, as long as there is one.
            let _ = tables.caller(Address(0x508), &inside, Reader::new(&memory));
        }
    }
}

/// Each step goes up by so many bytes and to the same place.
struct Ladder {
    step: u64,
    code: u64,
}

impl Source for Ladder {
    fn step(&self, frame: &Context, _: bool) -> Result<Step, String> {
        if frame.pc.0 != self.code {
            return Err("it is no code".to_owned());
        }
        let cfa = frame.sp().unwrap().wrapping_add(self.step);
        Ok(Step {
            caller: (cfa.0 < STACK + 64).then(|| {
                let mut caller = context(cfa.0, 0);
                caller.pc = frame.pc;
                caller
            }),
            cfa,
            is_jit: false,
            is_signal: false,
        })
    }

    fn is_code(&self, address: Address) -> bool {
        address.0 == self.code
    }

    fn word(&self, _: Address) -> Option<u64> {
        Some(self.code)
    }
}

#[test]
fn walks_to_the_end_of_the_stack_and_not_in_circles() {
    let ladder = |step| Ladder { step, code: CODE };
    let (frames, reason) = walk(&ladder(16), context(STACK, 0));
    assert_eq!((frames.len(), reason), (4, None));
    assert_eq!(frames[2].inside(), Address(CODE - 1));
    let (frames, reason) = walk(&ladder(0), context(STACK, 0));
    assert_eq!(frames.len(), 2);
    assert!(reason.unwrap().contains("damaged"));
}

#[test]
fn a_call_to_no_code_has_a_caller_on_top_of_the_stack() {
    let ladder = Ladder {
        step: 16,
        code: INTERPRETER,
    };
    let (frames, reason) = walk(&ladder, context(STACK, 0));
    assert_eq!(frames[1].context.pc, Address(INTERPRETER));
    assert_eq!(frames[1].found_by, FoundBy::StackTop);
    assert_eq!(frames[2].found_by, FoundBy::UnwindTable);
    assert_eq!(reason, None);
}
