//! CPython's structures as a debugger meets them: an executor, an exit record or a uop at an address.

use super::Session;
use crate::address::{Address, UopIndex};
use crate::cpython::{Executor, uops};
use crate::disasm::Syntax;
use crate::error::{Error, Result};
use crate::listing::{ExecutorHeader, ExitRow, UopRow, executor_header, loose_uop};

impl Session {
    /// What is said of the executor at `address`, which need not be in any list; without a search for what leads to it.
    pub fn brief_header(&self, address: Address) -> Result<ExecutorHeader> {
        let (python, reader) = (self.python()?, self.reader());
        let mapped = self.mapped(address)?;
        let listed = self.at_stop.listed(python, reader, address)?;
        Ok(executor_header(
            python,
            &mapped.executor,
            mapped.function().map(AsRef::as_ref),
            &listed.unwrap_or_default(),
        ))
    }

    /// The exit record at `address` and the executor that it belongs to; `None` if it belongs to none that is known.
    pub fn exit_at(&self, address: Address) -> Result<Option<(ExecutorHeader, ExitRow)>> {
        let has = |executor: &Executor| executor.exits.iter().any(|exit| exit.address == address);
        let Some(owner) = self.owner(has)? else {
            return Ok(None);
        };
        let exits = self.exits(&[owner])?.into_iter().flat_map(|all| all.exits);
        let found = exits.into_iter().find(|exit| exit.address == address);
        Ok(found
            .zip(Some(self.brief_header(owner)?))
            .map(|(exit, header)| (header, exit)))
    }

    /// The uop at `address`: in the trace of an executor with all that is known of it, anywhere else (a buffer of the
    /// optimizer, a trace that was copied) as it stands there.
    pub fn uop_in_memory(&self, address: Address) -> Result<(Option<ExecutorHeader>, UopRow)> {
        let python = self.python()?;
        let shape = python.layouts.shape("_PyUOpInstruction")?;
        let index = |executor: &Executor| {
            let offset = address.offset_from(executor.trace)?;
            let index = u32::try_from(offset.checked_div(shape.size)?).ok()?;
            let inside = (index as usize) < executor.uops.len();
            (inside && offset.is_multiple_of(shape.size)).then_some(UopIndex(index))
        };
        if let Some(owner) = self.owner(|executor| index(executor).is_some())? {
            let mapped = self.mapped(owner)?;
            let found = mapped
                .uops()
                .find(|(own, _, _)| Some(*own) == index(&mapped.executor));
            if let Some((index, uop, origin)) = found {
                let mut disassembler = self.disassembler(Syntax::default())?;
                let row = self
                    .builder(&mut disassembler, None)?
                    .row(&mapped, index, uop, origin);
                return Ok((Some(self.brief_header(owner)?), row));
            }
        }
        let bytes = self.reader().bytes(address, shape.size, "uop")?;
        let uop = uops(shape, &bytes)?.into_iter().next();
        let uop = uop.ok_or_else(|| Error::Inconsistent {
            what: "uop".to_owned(),
            address,
            reason: "its layout has no size".to_owned(),
        })?;
        Ok((None, loose_uop(python, &uop)))
    }

    /// The valid executors that the bytecode of the code object at `code` enters.
    pub fn entered_by(&self, code: Address) -> Result<Vec<ExecutorHeader>> {
        let executors = self.executors()?.iter();
        let readable = executors.filter_map(|known| known.executor.as_ref().ok());
        readable
            .filter(|executor| executor.code == code && executor.state.valid)
            .map(|executor| self.brief_header(executor.address))
            .collect()
    }

    /// The first executor that can be read and for which `is_owner` holds.
    fn owner(&self, is_owner: impl Fn(&Executor) -> bool) -> Result<Option<Address>> {
        let executors = self.executors()?.iter();
        let mut readable = executors.filter_map(|known| known.executor.as_ref().ok());
        let found = readable.find(|executor| is_owner(executor));
        Ok(found.map(|executor| executor.address))
    }
}
