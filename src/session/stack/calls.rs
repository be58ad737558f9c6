//! C code that JIT code has called: which call waits, found on the machine stack.
//!
//! Without unwinding, all that is looked for is whether each call that may be the one has saved the pointer of the
//! evaluation stack in the frame: then the frame in memory is right.

use crate::address::{Address, UopIndex};
use crate::disasm::Syntax;
use crate::error::Result;
use crate::map::{MappedExecutor, Place, RegionKind};
use crate::platform::Link;
use crate::session::Session;
use crate::unwind::{Context, Source};
use std::collections::HashMap;

/// Bytes of the machine stack that are read at a time.
const BLOCK: u64 = 1 << 16;

/// As large as the stack of a thread usually may become (`ulimit -s`), twice. Where a larger one is, nothing is said.
const LARGEST_STACK: u64 = 16 << 20;

/// C functions between JIT code and where the thread is; more is damage, or a recursion of which nothing need be said.
const MOST_CALLS: usize = 1024;

/// Places of one executor that are looked at; a trace has some hundred calls.
const MOST_PLACES: usize = 4096;

/// A call that may be the one that waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Call {
    /// The uop that made it.
    pub uop: UopIndex,
    /// Where it returns to.
    pub pc: Address,
    /// Whether the pointer of the evaluation stack was saved before it.
    pub is_saved: bool,
}

/// What the code before a return address tells.
#[derive(Clone, Copy)]
struct Site {
    call: Call,
    /// Bytes from the machine stack's pointer when the uop began to where it was at the call.
    pushed: i64,
}

impl Session {
    /// All calls from the code of this executor whose return addresses are on the selected thread's machine stack, the
    /// one that waits among them: old return addresses may lie there too. None if that one may not be found.
    pub(super) fn waiting_calls(&self, executor: Address) -> Result<Vec<Call>> {
        if let Link::Register(_) = self.program()?.architecture.platform().link {
            // The called function keeps the return address where it likes.
            return Ok(self.unwound_call(executor)?.into_iter().collect());
        }
        let pointer = self
            .registers()
            .ok()
            .and_then(|registers| registers.values.get("sp"));
        let words = pointer.and_then(|pointer| self.stack_words(Address(pointer)));
        let mapped = self.mapped(executor)?;
        let mut sites: HashMap<Address, Option<Site>> = HashMap::new();
        let mut calls: Vec<Call> = Vec::new();
        let words = words.unwrap_or_default().into_iter();
        for (at, word) in words.filter(|(_, word)| mapped.contains(*word)) {
            if sites.len() >= MOST_PLACES {
                return Ok(Vec::new());
            }
            let site = match sites.get(&word) {
                Some(known) => *known,
                None => self.site(&mapped, word)?,
            };
            sites.insert(word, site);
            if let Some(call) = site
                .filter(|site| self.is_in_place(at, *site))
                .map(|site| site.call)
                && !calls.contains(&call)
            {
                calls.push(call);
            }
        }
        Ok(calls)
    }

    /// The call that the innermost JIT code of the stack waits in, if that is code of this executor.
    fn unwound_call(&self, executor: Address) -> Result<Option<Call>> {
        let Ok(registers) = self.registers() else {
            return Ok(None);
        };
        let mapped = self.mapped(executor)?;
        let source = self.source();
        let architecture = self.program()?.architecture;
        let mut next = Context::of_thread(architecture, &registers.values);
        let mut is_caller = registers.is_caller;
        for level in 0..MOST_CALLS {
            let Some(context) = next else { break };
            let Ok(step) = source.step(&context, is_caller) else {
                break;
            };
            // A leaf needs no stack; any other frame that takes none is damage, and might be its own caller.
            if !step.is_jit && level > 0 && context.sp().is_none_or(|sp| step.cfa <= sp) {
                break;
            }
            if step.is_jit {
                let is_its = is_caller && mapped.contains(context.pc);
                let site = is_its.then(|| self.site(&mapped, context.pc)).transpose()?;
                return Ok(site.flatten().map(|site| site.call));
            }
            next = step.caller;
            is_caller = !step.is_signal;
        }
        Ok(None)
    }

    /// Whether what the uop has pushed ends above the return address at `at`, where the JIT code returns to.
    fn is_in_place(&self, at: Address, site: Site) -> bool {
        let pushed = site.pushed.wrapping_neg().cast_unsigned();
        let base = at.wrapping_add(8).wrapping_add(pushed);
        self.returns_to_entry(base).unwrap_or(false)
    }

    /// The words of the machine stack from its pointer to its end; `None` if it has none that is near.
    fn stack_words(&self, pointer: Address) -> Option<Vec<(Address, Address)>> {
        let mut words = Vec::new();
        let mut at = pointer;
        while at.offset_from(pointer)? < LARGEST_STACK {
            // Blocks end on multiples of their size, and the last page may be shorter.
            let size = BLOCK - at.0 % BLOCK;
            let bytes = self.reader().bytes(at, size, "machine stack");
            let is_last = bytes.is_err();
            let bytes = bytes.or_else(|_| self.readable_pages(at, size)).ok()?;
            let places = (0u64..).map(|index| at.wrapping_add(index * 8));
            let found = bytes.as_chunks::<8>().0.iter();
            words.extend(places.zip(found.map(|word| Address(u64::from_le_bytes(*word)))));
            if is_last {
                return Some(words);
            }
            at = at.checked_add(size)?;
        }
        None
    }

    /// What can be read of a block, page by page.
    fn readable_pages(&self, at: Address, size: u64) -> Result<Vec<u8>> {
        const PAGE: u64 = 4096;
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < size {
            let next = at.wrapping_add(bytes.len() as u64);
            match self
                .reader()
                .bytes(next, PAGE - next.0 % PAGE, "machine stack")
            {
                Ok(page) => bytes.extend(page),
                Err(_) => break,
            }
        }
        Ok(bytes)
    }

    /// The call that returns to `pc`; `None` if there is none before it.
    fn site(&self, mapped: &MappedExecutor, pc: Address) -> Result<Option<Site>> {
        let Some(Place::Uop(uop, _)) = mapped.locate(pc.wrapping_add(u64::MAX)) else {
            return Ok(None);
        };
        let mut disassembler = self.disassembler(Syntax::default())?;
        let mut annotator = self.annotator()?;
        let mut builder = self.builder(&mut disassembler, annotator.as_mut())?;
        let held = builder.held(mapped, uop, pc, true).ok();
        let held = held.filter(|held| held.in_call);
        Ok(held.and_then(|held| {
            let is_saved = held.saved.is_some();
            Some(Site {
                call: Call { uop, pc, is_saved },
                pushed: held.machine_stack?,
            })
        }))
    }

    /// Whether the word at `base` is where JIT code returns to that C code has entered: into the shim, or since 3.15 into
    /// `_PyJIT_Entry`.
    fn returns_to_entry(&self, base: Address) -> Result<bool> {
        let Ok(back) = self.reader().pointer(base, "machine stack") else {
            return Ok(false);
        };
        let program = self.program()?;
        if program.contains(back) {
            let names = program.symbol_names(self.python()?);
            return Ok(names
                .nearest(back)
                .is_some_and(|(name, _)| name.starts_with("_PyJIT_Entry")));
        }
        let Some(executor) = self.executor_at(back)? else {
            return Ok(false);
        };
        let place = self.mapped(executor)?.locate(back);
        Ok(matches!(place, Some(Place::Region(RegionKind::Shim, _))))
    }
}
