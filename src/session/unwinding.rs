//! How to get from JIT code to its callers: what is learnt of stencils and shims is kept as long as the program is.

use super::Session;
use crate::address::{Address, Range};
use crate::cpython::Executor;
use crate::error::{Error, Result};
use crate::map::{CodeMap, Place, RegionKind};
use crate::platform::Link;
use crate::unwind::{
    Calls, Context, Follower, Home, JitCaller, JitPlace, Known, Shim, StackFlow, caller,
};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Code that is read to learn what a shim does: 3.14 has 33 bytes of it, `_PyJIT_Entry` 80.
const MOST_SHIM: u64 = 4096;

/// Different stencils that are remembered: 3.15 has 939.
const MOST_FLOWS: usize = 1 << 14;

/// Executors that are remembered, so that a program which compiles and frees for days does not fill the memory.
const MOST_REGIONS: usize = 1 << 14;

/// What was learnt.
#[derive(Default)]
pub struct Unwinding {
    follower: OnceCell<RefCell<Follower>>,
    shim: OnceCell<(Shim, Arc<StackFlow>)>,
    flows: RefCell<HashMap<(u16, u64), Arc<StackFlow>>>,
    /// Code of executors that was met, by where it starts. Kept from stop to stop, and then compared before it is used:
    /// debuggers unwind at each step.
    regions: RefCell<BTreeMap<Address, Arc<CodeRegion>>>,
    stops: Cell<u64>,
}

impl Unwinding {
    /// The target has run.
    pub fn invalidate(&self) {
        self.stops.set(self.stops.get().wrapping_add(1));
    }
}

/// The code of an executor.
#[derive(Debug)]
pub struct CodeRegion {
    /// The executor.
    pub executor: Executor,
    map: CodeMap,
    /// At which stop it was last found to be as it is here.
    checked: AtomicU64,
}

impl CodeRegion {
    /// The whole allocation.
    pub fn range(&self) -> Range {
        Range::new(self.executor.jit_code, self.executor.jit_size)
    }
}

/// The caller of JIT code, as a front-end wants it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedCaller {
    /// The canonical frame address: where its part of the stack ends.
    pub cfa: Address,
    /// Its registers, as far as they are known.
    pub registers: Vec<(&'static str, u64)>,
}

/// The code that a pc is in.
struct Spot {
    flow: Arc<StackFlow>,
    start: Address,
    in_shim: bool,
}

impl Session {
    /// The code of the executor whose allocation contains `address`, without looking at more than needed.
    pub fn code_region(&self, address: Address) -> Result<Option<Arc<CodeRegion>>> {
        if self.program()?.contains(address) {
            return Ok(None);
        }
        if let Some(known) = self.known_region(address) {
            return Ok(Some(known));
        }
        let Some(executor) = self.executor_at(address)? else {
            return Ok(None);
        };
        let executor = self.mapped(executor)?.executor.clone();
        Ok(Some(self.remember(executor)?))
    }

    /// A region that was met before and is still the same.
    fn known_region(&self, address: Address) -> Option<Arc<CodeRegion>> {
        let known = {
            let regions = self.unwinding.regions.borrow();
            let (_, region) = regions.range(..=address).next_back()?;
            Arc::clone(region)
        };
        if !known.range().contains(address) {
            return None;
        }
        let now = self.unwinding.stops.get();
        if known.checked.load(Ordering::Relaxed) == now {
            return Some(known);
        }
        let read = Executor::read(self.python().ok()?, self.reader(), known.executor.address);
        let same = read.is_ok_and(|executor| {
            executor.uops == known.executor.uops && executor.jit_code == known.executor.jit_code
        });
        if !same {
            let start = known.executor.jit_code;
            self.unwinding.regions.borrow_mut().remove(&start);
            return None;
        }
        known.checked.store(now, Ordering::Relaxed);
        Some(known)
    }

    fn remember(&self, executor: Executor) -> Result<Arc<CodeRegion>> {
        let program = self.program()?;
        let map = CodeMap::new(&program.python()?.uops, program.architecture, &executor);
        let region = Arc::new(CodeRegion {
            executor,
            map,
            checked: AtomicU64::new(self.unwinding.stops.get()),
        });
        let mut regions = self.unwinding.regions.borrow_mut();
        if regions.len() >= MOST_REGIONS {
            regions.clear();
        }
        regions.insert(region.executor.jit_code, Arc::clone(&region));
        Ok(region)
    }

    /// The caller of the JIT code that `context` is in; `None` if it is in no JIT code. `is_caller` tells whether the pc
    /// is where a call returns to.
    ///
    /// # Errors
    /// [`Error::NotFound`] with the reason if it is in JIT code, but what is on the stack does not fit.
    pub fn jit_caller(&self, context: &Context, is_caller: bool) -> Result<Option<JitCaller>> {
        let inside = match is_caller {
            true => Address(context.pc.0.wrapping_sub(1)),
            false => context.pc,
        };
        let Some(region) = self.code_region(inside)? else {
            return Ok(None);
        };
        let (shim, _) = self.shim(&region.map)?;
        let found = match self.spot(&region, inside)? {
            Some(spot) => Some((spot, context.pc, is_caller)),
            None => self.calling_spot(&region, context, inside)?,
        };
        let Some((spot, pc, is_caller)) = found else {
            return Err(unknown(format!(
                "{inside} is in no machine code of the executor at {}",
                region.executor.address
            )));
        };
        let place = JitPlace {
            flow: &spot.flow,
            offset: pc.0.wrapping_sub(spot.start.0),
            in_shim: spot.in_shim,
            is_caller,
        };
        let known = Known {
            starts_executor: &|address| self.starts_executor(address),
            is_interpreter: &|address| {
                self.program()
                    .is_ok_and(|program| program.contains(address))
            },
        };
        caller(shim, place, context, known, self.reader())
            .map(Some)
            .map_err(unknown)
    }

    /// The same for a front-end: registers by the debugger's names, which on Arch64 and x86-64 are `pc` and `rip`.
    pub fn jit_caller_of(
        &self,
        value: &dyn Fn(&str) -> Option<u64>,
        is_caller: bool,
    ) -> Result<Option<NamedCaller>> {
        let architecture = self.program()?.architecture;
        let Some(context) = Context::of_names(architecture, value) else {
            return Ok(None);
        };
        let found = self.jit_caller(&context, is_caller)?;
        Ok(found.map(|caller| {
            let pc = (architecture.platform().pc, caller.context.pc.0);
            let others = caller.context.known();
            NamedCaller {
                cfa: caller.cfa,
                registers: std::iter::once(pc).chain(others).collect(),
            }
        }))
    }

    fn starts_executor(&self, address: Address) -> bool {
        if self
            .known_region(address)
            .is_some_and(|known| known.executor.jit_code == address)
        {
            return true;
        }
        let all = self.executors().unwrap_or_default();
        let mut read = all.iter().filter_map(|one| one.executor.as_ref().ok());
        read.any(|one| one.jit_code == address)
    }

    /// The code that enters JIT code, and its stack.
    pub(super) fn shim(&self, map: &CodeMap) -> Result<&(Shim, Arc<StackFlow>)> {
        if let Some(shim) = self.unwinding.shim.get() {
            return Ok(shim);
        }
        let (home, range) = self.shim_range(map)?;
        let code = self
            .reader()
            .bytes(range.start, range.size.min(MOST_SHIM), "shim")?;
        let flow = self
            .follower()?
            .borrow_mut()
            .follow(None, range.start, &code, Calls::Uops);
        let architecture = self.program()?.architecture;
        let shim = Shim::new(architecture, home, &flow).ok_or_else(|| {
            unknown(format!(
                "the code at {} that enters JIT code is not understood",
                range.start
            ))
        })?;
        Ok(self.unwinding.shim.get_or_init(|| (shim, Arc::new(flow))))
    }

    fn shim_range(&self, map: &CodeMap) -> Result<(Home, Range)> {
        let mut regions = map.regions.iter();
        if let Some(shim) = regions.find(|region| region.kind == RegionKind::Shim) {
            return Ok((Home::EachExecutor, shim.range));
        }
        let entry = self.python()?.symbols.symbol("_PyJIT_Entry")?;
        let size = match entry.size {
            0 => MOST_SHIM,
            size => size,
        };
        let range = Range::new(entry.address, size);
        Ok((Home::Function(entry.address), range))
    }

    fn follower(&self) -> Result<&RefCell<Follower>> {
        if self.unwinding.follower.get().is_none() {
            let follower = Follower::new(self.program()?.architecture)?;
            let _ = self.unwinding.follower.set(RefCell::new(follower));
        }
        self.unwinding
            .follower
            .get()
            .ok_or_else(|| unknown("no disassembler".to_owned()))
    }

    /// The uop or shim that contains `address`; `None` if that is no code.
    fn spot(&self, region: &CodeRegion, address: Address) -> Result<Option<Spot>> {
        let code = match region.map.locate(address) {
            Some(Place::Uop(index, offset)) => {
                let index = usize::try_from(index.0).unwrap_or(usize::MAX);
                let start = Address(address.0.wrapping_sub(offset));
                let mut ranges = region.map.uops.get(index).into_iter().flatten();
                let range = ranges.find(|range| range.start == start);
                let uop = region.executor.uops.get(index);
                range.zip(uop).map(|(range, uop)| (uop.opcode, *range))
            }
            Some(Place::Region(RegionKind::Guard, _)) => region.map.guard,
            Some(Place::Region(RegionKind::Shim, offset)) => {
                return Ok(Some(Spot {
                    flow: Arc::clone(&self.shim(&region.map)?.1),
                    start: Address(address.0.wrapping_sub(offset)),
                    in_shim: true,
                }));
            }
            _ => None,
        };
        let Some((opcode, range)) = code else {
            return Ok(None);
        };
        Ok(Some(Spot {
            flow: self.flow(opcode, range)?,
            start: range.start,
            in_shim: false,
        }))
    }

    /// The uop that has called a C function whose trampoline the pc is in, and where that call returns to: a trampoline
    /// (`patch_aarch64_trampoline` in `Python/jit.c`) changes neither the stack nor where it returns to.
    fn calling_spot(
        &self,
        region: &CodeRegion,
        context: &Context,
        inside: Address,
    ) -> Result<Option<(Spot, Address, bool)>> {
        let in_trampoline = matches!(
            region.map.locate(inside),
            Some(Place::Region(RegionKind::Trampolines, _))
        );
        let architecture = self.program()?.architecture;
        let link = match architecture.platform().link {
            Link::Register(link) if in_trampoline => context.get(link),
            _ => None,
        };
        let Some(returns_to) = link.map(|link| architecture.code_address(link)) else {
            return Ok(None);
        };
        let spot = self.spot(region, Address(returns_to.0.wrapping_sub(1)))?;
        Ok(spot.map(|spot| (spot, returns_to, true)))
    }

    /// The stack of a uop. Only the first of each stencil is read.
    pub(super) fn flow(&self, opcode: u16, range: Range) -> Result<Arc<StackFlow>> {
        let key = (opcode, range.size);
        if let Some(flow) = self.unwinding.flows.borrow().get(&key) {
            return Ok(Arc::clone(flow));
        }
        let code = self
            .reader()
            .bytes(range.start, range.size, "machine code of a uop")?;
        let mut follower = self.follower()?.borrow_mut();
        let flow =
            Arc::new(follower.follow(Some(opcode.into()), range.start, &code, Calls::Functions));
        let mut flows = self.unwinding.flows.borrow_mut();
        if flows.len() >= MOST_FLOWS {
            flows.clear();
        }
        flows.insert(key, Arc::clone(&flow));
        Ok(flow)
    }
}

pub(super) fn unknown(message: String) -> Error {
    Error::NotFound {
        message,
        hint: None,
    }
}
