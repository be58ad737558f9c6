//! What an address is: the content of `jit-where`.

use super::Session;
use crate::address::{Address, UopIndex};
use crate::disasm::Syntax;
use crate::error::Result;
use crate::listing::{ExecutorHeader, FrameRef, StopData, UopRow, WhereData};
use crate::map::{MappedExecutor, Place};
use std::sync::Arc;

impl Session {
    /// What `address` is.
    pub fn place(&self, address: Address) -> Result<WhereData> {
        if let Some(executor) = self.executor_anywhere(address)? {
            let header = self.header(executor)?;
            return self.inside(address, &*self.mapped(executor)?, header);
        }
        let (inside, evidence) = self.gone(address)?;
        Ok(WhereData {
            inside,
            evidence,
            ..self.nowhere(address)
        })
    }

    /// The same without a long search; `None` outside of the code of the executors that are known without one.
    pub fn place_near(&self, address: Address) -> Result<Option<WhereData>> {
        let Some(executor) = self.executor_at(address)? else {
            return Ok(None);
        };
        let header = self.brief_header(executor)?;
        self.inside(address, &*self.mapped(executor)?, header)
            .map(Some)
    }

    fn nowhere(&self, address: Address) -> WhereData {
        let stop = self.stop();
        WhereData {
            address,
            inside: "none",
            executor: None,
            uop: None,
            offset: None,
            thread: stop.thread.filter(|_| stop.pc == Some(address)),
            frame: None,
            evidence: Vec::new(),
        }
    }

    fn inside(
        &self,
        address: Address,
        mapped: &MappedExecutor,
        header: ExecutorHeader,
    ) -> Result<WhereData> {
        let mut data = self.nowhere(address);
        data.executor = Some(header);
        let (inside, offset, uop) = match mapped.locate(address) {
            Some(Place::Uop(index, offset)) => ("uop", Some(offset), Some(index)),
            Some(Place::Data(index, offset)) => ("data", Some(offset), Some(index)),
            Some(Place::Region(kind, offset)) => (word(kind.word()), Some(offset), None),
            None => ("none", None, None),
        };
        data.inside = inside;
        data.offset = offset;
        if let Some(index) = uop {
            data.uop = self.uop_row(mapped, index)?;
        }
        data.frame = data.uop.as_ref().and_then(frame);
        Ok(data)
    }

    /// The uop whose machine code contains `address`, and how far into it that is.
    pub fn uop_at(&self, address: Address) -> Result<Option<(Address, UopRow, u64)>> {
        let Some(mapped) = self.containing(address)? else {
            return Ok(None);
        };
        let Some(Place::Uop(index, offset)) = mapped.locate(address) else {
            return Ok(None);
        };
        let row = self.uop_row(&mapped, index)?;
        Ok(row.map(|row| (mapped.executor.address, row, offset)))
    }

    /// What a stop at the selected pc is at; `None` if that is in no uop.
    pub fn stopped_at(&self) -> Result<Option<StopData>> {
        let Some(pc) = self.stop().pc else {
            return Ok(None);
        };
        let Some(mapped) = self.containing(pc)? else {
            return Ok(None);
        };
        let Some(Place::Uop(index, offset)) = mapped.locate(pc) else {
            return Ok(None);
        };
        let row = self.uop_row(&mapped, index)?;
        let source = |uop: &UopRow| self.sources.line(&uop.code.as_ref()?.filename, uop.line?);
        Ok(row.map(|uop| StopData {
            executor: mapped.executor.address,
            qualname: mapped.function().map(|code| code.qualname.clone()),
            entry: mapped.executor.entry,
            source: source(&uop),
            uop,
            offset,
            without_code: self.without_code_at(&mapped, pc),
            stack: None,
        }))
    }

    /// The uops without code of their own that begin at `address`.
    fn without_code_at(
        &self,
        mapped: &MappedExecutor,
        address: Address,
    ) -> Vec<(UopIndex, Arc<str>)> {
        let ranges = mapped.uops().zip(&mapped.map.uops);
        let here = ranges.filter(|(_, ranges)| {
            ranges
                .first()
                .is_some_and(|range| range.start == address && range.size == 0)
        });
        let python = self.python().ok();
        here.filter_map(|((index, uop, _), _)| {
            let kind = python?.uops.kind(uop.opcode)?;
            Some((index, kind.name.clone()))
        })
        .collect()
    }

    fn containing(&self, address: Address) -> Result<Option<Arc<MappedExecutor>>> {
        self.executor_at(address)?
            .map(|executor| self.mapped(executor))
            .transpose()
    }

    /// The row of one uop.
    pub(super) fn uop_row(
        &self,
        mapped: &MappedExecutor,
        index: UopIndex,
    ) -> Result<Option<UopRow>> {
        let mut disassembler = self.disassembler(Syntax::default())?;
        let mut builder = self.builder(&mut disassembler, None)?;
        let found = mapped.uops().find(|(other, _, _)| *other == index);
        Ok(found.map(|(index, uop, origin)| builder.row(mapped, index, uop, origin)))
    }
}

/// The contract's word for a place in a region, where it differs from that for the region.
fn word(region: &'static str) -> &'static str {
    match region {
        "trampolines" => "trampoline",
        other => other,
    }
}

fn frame(row: &UopRow) -> Option<FrameRef> {
    let code = row.code.as_ref()?;
    Some(FrameRef {
        function: code.qualname.clone(),
        filename: code.filename.clone(),
        line: row.line,
    })
}
