//! What a step asks of the stopped target.

use super::code::{Code, Node};
use crate::address::{Address, Range};
use crate::disasm::{Flow, Instruction, Syntax};
use crate::error::Result;
use crate::map::{MappedExecutor, code_size};
use crate::platform::Link;
use crate::session::{CompileEvent, Session};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// What a step asks of the stopped target. The thread is the one that steps.
pub trait World {
    /// Where the thread is.
    fn pc(&self) -> Option<Address>;

    /// Its stack pointer.
    fn stack_pointer(&self) -> Option<Address>;

    /// Where a return goes to, at the start of a uop.
    fn return_address(&self) -> Option<Address>;

    /// The executor whose code contains `pc`.
    fn code_at(&self, pc: Address) -> Result<Option<Arc<Code>>>;

    /// At most so many instructions from an address on, as far as they can be read.
    fn instructions(&self, from: Address, most: usize) -> Vec<Instruction>;

    /// The one instruction that calls JIT code for the interpreter, where there is only one.
    fn entry_call(&self) -> Option<Address>;

    /// Where all Python code begins to be interpreted, for calls from C.
    fn evaluation(&self) -> Option<Address>;

    /// Where executors may be entered that are valid now.
    fn entries(&self) -> Result<Vec<Address>>;

    /// Where executors have come or are about to go, in whatever thread.
    fn changes(&self) -> Result<Vec<Address>>;

    /// The executors that the thread is in, the innermost first, and whether that one has called what runs now without
    /// other Python code in between.
    fn activations(&self) -> Result<(Vec<Arc<Code>>, bool)>;

    /// A line of a source file.
    fn source(&self, file: &str, line: i32) -> Option<String>;
}

/// More bytes than any function that only enters JIT code has.
const MOST_ENTRY: u64 = 512;

/// Bytes of the longest instruction.
const LONGEST_INSTRUCTION: u64 = 16;

/// Executors whose code is kept: decoding it again takes longer than a step.
const MOST_KEPT: usize = 256;

/// Executors that were seen, each with what its memory held then.
#[derive(Debug, Default)]
pub struct Seen {
    codes: RefCell<HashMap<Address, (Content, Arc<Code>)>>,
    functions: RefCell<HashMap<&'static str, Range>>,
    entry_call: RefCell<Option<Option<Address>>>,
    changes: RefCell<Option<Vec<Address>>>,
}

/// What the memory of an executor held: as long as it holds the same, it is the same executor.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Content {
    trace: Address,
    code: Range,
    uops: Vec<u8>,
}

impl Content {
    fn read(session: &Session, executor: Address) -> Result<Content> {
        let (python, reader) = (session.python()?, session.reader());
        let head = reader.record(executor, python.layouts.shape("_PyExecutorObject")?)?;
        let trace = head.pointer("trace")?;
        let uop = python.layouts.shape("_PyUOpInstruction")?.size;
        // A number of uops that cannot be is refused when the executor itself is read.
        let uops = head.unsigned("code_size")?.min(1 << 16) * uop;
        Ok(Content {
            trace,
            code: Range::new(head.pointer("jit_code")?, head.unsigned("jit_size")?),
            uops: reader.bytes(trace, uops, "trace of an executor")?,
        })
    }
}

/// The target of a debugger.
pub struct Stopped<'s> {
    /// It, at this stop.
    pub session: &'s Session,
    /// What was seen of it before.
    pub seen: &'s Seen,
}

impl Stopped<'_> {
    fn code(&self, executor: Address) -> Result<Arc<Code>> {
        let content = Content::read(self.session, executor)?;
        if let Some((known, code)) = self.seen.codes.borrow().get(&executor)
            && *known == content
        {
            return Ok(code.clone());
        }
        let code = Arc::new(self.decode(&*self.session.mapped(executor)?)?);
        let mut codes = self.seen.codes.borrow_mut();
        if codes.len() >= MOST_KEPT {
            codes.clear();
        }
        codes.insert(executor, (content, code.clone()));
        Ok(code)
    }

    fn decode(&self, mapped: &MappedExecutor) -> Result<Code> {
        let session = self.session;
        let python = session.python()?;
        let executor = &mapped.executor;
        let size = code_size(&python.uops, executor);
        let bytes =
            session
                .reader()
                .bytes(executor.jit_code, size, "machine code of an executor")?;
        let mut disassembler = session.disassembler(Syntax::default())?;
        let rows: Vec<_> = {
            let mut builder = session.builder(&mut disassembler, None)?;
            let uops = mapped.uops();
            uops.map(|(index, uop, origin)| builder.row(mapped, index, uop, origin))
                .collect()
        };
        let starts: HashMap<Address, bool> = rows
            .iter()
            .flat_map(|row| row.ranges.first().map(|range| (range, row.is_stub)))
            .filter(|(range, _)| range.size != 0)
            .map(|(range, is_stub)| (range.address, !is_stub))
            .collect();
        let mut nodes = Vec::new();
        for (row, uop) in rows.into_iter().zip(&executor.uops) {
            let mut instructions = Vec::new();
            for range in &row.ranges {
                let offset = range.address.offset_from(executor.jit_code);
                let code = slice(&bytes, offset.unwrap_or(u64::MAX), range.size);
                let key = Some(u32::from(uop.opcode));
                disassembler.decode(key, range.address, code, &mut instructions);
            }
            let leaves = matches!(&*row.base, "_EXIT_TRACE" | "_DYNAMIC_EXIT");
            let exit = leaves.then(|| mapped.exit_index(Address(uop.operand0)));
            if let Some(mut node) = Node::new(row, &instructions, |at| starts.get(&at).copied()) {
                node.exit = exit.flatten();
                nodes.push(node);
            }
        }
        let function = mapped.function().map(|code| code.qualname.clone());
        let range = Range::new(executor.jit_code, executor.jit_size);
        Ok(Code::new(executor.address, function, range, nodes))
    }

    /// Only success is kept: a library may still be loaded.
    fn function(&self, name: &'static str) -> Option<Range> {
        if let Some(known) = self.seen.functions.borrow().get(name) {
            return Some(*known);
        }
        let function = self.session.function(name).ok()??;
        self.seen.functions.borrow_mut().insert(name, function);
        Some(function)
    }

    fn register(&self, name: &str) -> Option<Address> {
        self.session.evaluate(name).ok()
    }
}

fn slice(bytes: &[u8], offset: u64, size: u64) -> &[u8] {
    let bounds = usize::try_from(offset)
        .ok()
        .zip(usize::try_from(size).ok())
        .and_then(|(start, size)| Some(start..start.checked_add(size)?));
    bounds
        .and_then(|bounds| bytes.get(bounds))
        .unwrap_or_default()
}

impl World for Stopped<'_> {
    fn pc(&self) -> Option<Address> {
        self.session.stop().pc
    }

    fn stack_pointer(&self) -> Option<Address> {
        self.register("$sp")
    }

    fn return_address(&self) -> Option<Address> {
        let architecture = self.session.program().ok()?.architecture;
        let pointer = match architecture.platform().link {
            Link::Pushed(_) => {
                let top = self.stack_pointer()?;
                self.session.reader().pointer(top, "return address").ok()
            }
            Link::Register(link) => self.register(&format!("${}", link.name(architecture))),
        };
        pointer.map(|pointer| architecture.code_address(pointer.0))
    }

    fn code_at(&self, pc: Address) -> Result<Option<Arc<Code>>> {
        let known = {
            let codes = self.seen.codes.borrow();
            let mut known = codes.values().filter(|(_, code)| code.range.contains(pc));
            known.next().map(|(_, code)| code.executor)
        };
        // Another executor may have got the place of one that was freed.
        if let Some(executor) = known
            && let Ok(code) = self.code(executor)
            && code.range.contains(pc)
        {
            return Ok(Some(code));
        }
        match self.session.executor_at(pc)? {
            Some(executor) => self.code(executor).map(Some),
            None => Ok(None),
        }
    }

    fn instructions(&self, from: Address, most: usize) -> Vec<Instruction> {
        let reader = self.session.reader();
        let wanted = LONGEST_INSTRUCTION * most as u64;
        // The end of what is mapped may be nearer.
        let bytes = [wanted, wanted / 4, LONGEST_INSTRUCTION]
            .into_iter()
            .find_map(|length| reader.bytes(from, length, "machine code").ok());
        let mut instructions = Vec::new();
        if let (Some(bytes), Ok(mut disassembler)) =
            (bytes, self.session.disassembler(Syntax::default()))
        {
            disassembler.decode(None, from, &bytes, &mut instructions);
        }
        instructions.truncate(most);
        instructions
    }

    fn entry_call(&self) -> Option<Address> {
        let function = self.function("_PyJIT_Entry")?;
        if let Some(call) = *self.seen.entry_call.borrow() {
            return call;
        }
        let mut calls = Vec::new();
        if (1..=MOST_ENTRY).contains(&function.size) {
            let most = usize::try_from(function.size).unwrap_or(0);
            let all = self.instructions(function.start, most);
            let own = all.iter().filter(|one| function.contains(one.address()));
            let calling = own.filter(|one| one.flow() == Flow::IndirectCall);
            calls.extend(calling.map(Instruction::address));
        }
        let call = match calls.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        *self.seen.entry_call.borrow_mut() = Some(call);
        call
    }

    fn evaluation(&self) -> Option<Address> {
        let function = self.function("_PyEval_EvalFrameDefault")?;
        Some(function.start)
    }

    fn entries(&self) -> Result<Vec<Address>> {
        let executors = self.session.executors()?.iter();
        let valid = executors
            .filter_map(|known| known.executor.as_ref().ok())
            .filter(|executor| executor.state.valid && !executor.jit_code.is_null());
        Ok(valid
            .map(|executor| executor.side_entry.unwrap_or(executor.jit_code))
            .collect())
    }

    fn changes(&self) -> Result<Vec<Address>> {
        if let Some(known) = &*self.seen.changes.borrow() {
            return Ok(known.clone());
        }
        let changes = match self.session.compile_event()? {
            CompileEvent::Registered(function) => vec![function],
            CompileEvent::Optimized(mut returns) => {
                returns.push(self.session.unmap_event()?);
                returns
            }
        };
        *self.seen.changes.borrow_mut() = Some(changes.clone());
        Ok(changes)
    }

    fn activations(&self) -> Result<(Vec<Arc<Code>>, bool)> {
        let running = self.session.activations()?;
        let called = running.first().is_some_and(|first| first.innermost);
        let codes = running.iter().map(|one| self.code(one.executor));
        Ok((codes.collect::<Result<_>>()?, called))
    }

    fn source(&self, file: &str, line: i32) -> Option<String> {
        self.session.source_line(file, line)
    }
}
