//! Functions and their bytecode, with the executors that it enters and the exits that come back to it.

use super::Session;
use crate::address::{Address, BytecodeOffset};
use crate::cpython::{
    BytecodeInstruction, CodeObject, ExceptionHandler, Executor, Operands, entered_executors,
    exception_handlers, has_argument, jump_target,
};
use crate::error::{Error, Result};
use crate::listing::{
    BytecodeData, BytecodeRow, CodeRef, EntryMark, ExecutorExits, ExitMark, Finding, HandlerRow,
};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// A function that can be named at this stop.
#[derive(Clone, Debug)]
pub struct Function {
    code: Arc<CodeObject>,
}

impl Function {
    /// Where its code object is.
    pub fn address(&self) -> Address {
        self.code.address
    }

    /// `co_name`.
    pub fn name(&self) -> &str {
        &self.code.name
    }

    /// `co_qualname`.
    pub fn qualname(&self) -> &str {
        &self.code.qualname
    }

    /// `co_filename`.
    pub fn filename(&self) -> &str {
        &self.code.filename
    }

    /// `co_firstlineno`.
    pub fn firstlineno(&self) -> i32 {
        self.code.firstlineno
    }

    /// Whether an instruction comes from this line.
    pub fn contains_line(&self, line: i32) -> bool {
        let mut instructions = self.code.instructions.iter();
        instructions.any(|instruction| self.code.line(instruction.offset) == Some(line))
    }
}

impl Session {
    /// The functions whose code objects are met at this stop: those of uops, inlined ones included, and those that
    /// threads are in.
    pub fn functions(&self) -> Result<Vec<Function>> {
        let sources = self.sources()?;
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut add = |code: &Arc<CodeObject>| {
            if seen.insert(code.address) {
                found.push(Function { code: code.clone() });
            }
        };
        for known in self
            .executors()?
            .iter()
            .filter(|known| known.executor.is_ok())
        {
            // One that cannot be mapped hides none of the others.
            let Ok(mapped) = self.mapped(known.address) else {
                continue;
            };
            mapped
                .origins
                .iter()
                .filter_map(|origin| origin.code.as_ref())
                .for_each(&mut add);
        }
        let threads = self.at_stop.threads(sources.python, sources.reader)?;
        for address in threads.iter().flat_map(|thread| &thread.codes) {
            let code = sources.codes.get(sources.python, sources.reader, *address);
            code.iter().for_each(&mut add);
        }
        Ok(found)
    }

    /// The function whose code object is at `address`.
    pub fn function_at(&self, address: Address) -> Result<Option<Function>> {
        let sources = self.sources()?;
        let code = sources.codes.get(sources.python, sources.reader, address);
        Ok(code.map(|code| Function { code }))
    }

    /// The function in which the trace of the executor at `address` begins.
    pub fn function_of(&self, address: Address) -> Result<Option<Function>> {
        let code = self.mapped(address)?.function().cloned();
        Ok(code.map(|code| Function { code }))
    }

    /// The function of the innermost frame of the selected thread.
    pub fn innermost_function(&self) -> Result<Option<Function>> {
        let sources = self.sources()?;
        let threads = self.at_stop.threads(sources.python, sources.reader)?;
        let selected = threads
            .iter()
            .find(|thread| thread.native_id.is_some() && thread.native_id == self.stop().thread)
            .or(match threads {
                [only] => Some(only),
                _ => None,
            });
        match selected.and_then(|thread| thread.codes.first()) {
            Some(code) => self.function_at(*code),
            None => Ok(None),
        }
    }

    /// The bytecode of the function whose code object is at `address`.
    pub fn bytecode(&self, address: Address) -> Result<(BytecodeData, Vec<Finding>)> {
        self.bytecode_with(address, &self.exit_marks()?)
    }

    /// The same, with the exits of all executors: what shows several functions reads them once.
    pub(super) fn bytecode_with(
        &self,
        address: Address,
        exits: &[ExecutorExits],
    ) -> Result<(BytecodeData, Vec<Finding>)> {
        let Some(Function { code }) = self.function_at(address)? else {
            return Err(Error::Inconsistent {
                what: "code object".to_owned(),
                address,
                reason: "there is none".to_owned(),
            });
        };
        let sources = self.sources()?;
        let operands = Operands::read(sources.python, sources.reader, address);
        let handlers = exception_handlers(sources.python, sources.reader, address);
        let mut lost = operands.findings.clone();
        if let Err(error) = &handlers {
            lost.push(format!("the exception handlers are not known: {error}"));
        }
        let handlers = handlers.unwrap_or_default();
        let (mut rows, end) = self.rows(&code, &operands)?;
        lost.extend(end.clone());
        label(&mut rows, &handlers);
        lost.extend(self.mark_entries(&code, &mut rows)?);
        let places = places(&code, &rows);
        for one in exits {
            mark_exits(one, &code, &places, &mut rows);
        }
        let findings = lost.into_iter();
        let findings = findings
            .map(|what| Finding::warning(what).at(address))
            .collect();
        let data = BytecodeData {
            code: CodeRef {
                object: address,
                qualname: code.qualname.as_str().into(),
                filename: code.filename.as_str().into(),
            },
            firstlineno: code.firstlineno,
            complete: end.is_none(),
            source: self.source_of(&code, &rows),
            instructions: rows,
            handlers: handlers.into_iter().map(HandlerRow::from).collect(),
        };
        Ok((data, findings))
    }

    /// The instructions, each prefix as one of its own, and why they end before the end of the bytecode, if they do.
    fn rows(
        &self,
        code: &CodeObject,
        operands: &Operands<'_>,
    ) -> Result<(Vec<BytecodeRow>, Option<String>)> {
        let opcodes = &self.python()?.opcodes;
        let mut rows = Vec::new();
        for instruction in &code.instructions {
            if instruction.name.is_none() && opcodes.finding.is_none() {
                return Ok((rows, Some(unknown_opcode(instruction))));
            }
            self.prefixes(code, instruction, &mut rows)?;
            let argument = has_argument(opcodes, instruction) != Some(false);
            rows.push(BytecodeRow {
                opcode: instruction.opcode,
                opname: instruction.name.clone(),
                oparg: argument.then_some(instruction.oparg),
                argrepr: operands.describe(instruction).filter(|_| argument),
                jump_target: jump_target(opcodes, instruction),
                ..row(code, instruction.at)
            });
            if instruction.name.as_deref() == Some("ENTER_EXECUTOR") {
                return Ok((rows, Some(lost_original(instruction))));
            }
        }
        let end = code.instructions.last().map_or(0, |last| last.end);
        Ok((rows, (end < code.units).then(|| replaced_at(end))))
    }

    fn prefixes(
        &self,
        code: &CodeObject,
        instruction: &BytecodeInstruction,
        rows: &mut Vec<BytecodeRow>,
    ) -> Result<()> {
        let opcodes = &self.python()?.opcodes;
        let prefix = opcodes.opcode("EXTENDED_ARG");
        let units = instruction.at.code_unit() - instruction.offset.code_unit();
        for index in 0..units {
            let offset = BytecodeOffset(instruction.offset.0 + 2 * index);
            let shift = 8 * (units - index);
            rows.push(BytecodeRow {
                opcode: prefix.unwrap_or_default(),
                opname: prefix.and_then(|prefix| opcodes.name(prefix).cloned()),
                oparg: Some(instruction.oparg.checked_shr(shift).unwrap_or(0)),
                ..row(code, offset)
            });
        }
        Ok(())
    }

    /// The exits of all executors, which mark the instructions to which they come back.
    pub(super) fn exit_marks(&self) -> Result<Vec<ExecutorExits>> {
        let readable = self
            .executors()?
            .iter()
            .filter(|known| known.executor.is_ok());
        let readable: Vec<Address> = readable.map(|known| known.address).collect();
        self.exits(&readable)
    }

    /// Marks the instructions at which executors are entered; gives what could not be read of them.
    fn mark_entries(&self, code: &CodeObject, rows: &mut [BytecodeRow]) -> Result<Vec<String>> {
        let offsets = rows.iter().map(|row| row.offset);
        let entered = entered_executors(self.python()?, self.reader(), code, offsets);
        let entered = match entered {
            Ok(entered) => entered,
            Err(error) => {
                let what = format!("which executors the bytecode enters is not known: {error}");
                return Ok(vec![what]);
            }
        };
        let mut lost = Vec::new();
        for (offset, address) in entered {
            match self.entry_mark(address) {
                Ok(mark) => {
                    let row = rows.iter_mut().find(|row| row.offset == offset);
                    row.into_iter()
                        .for_each(|row| row.entries.push(mark.clone()));
                }
                Err(error) => lost.push(format!("the executor entered at {offset}: {error}")),
            }
        }
        Ok(lost)
    }

    /// An executor that bytecode enters. It need not be in a list.
    fn entry_mark(&self, address: Address) -> Result<EntryMark> {
        let mut known = self.executors()?.iter();
        let header = known
            .find(|known| known.address == address)
            .map(|known| &known.header);
        let executor = Executor::read(self.python()?, self.reader(), address)?;
        Ok(EntryMark {
            executor: address,
            index: header.and_then(|header| header.index),
            uop_count: executor.uops.len() as u64,
            valid: executor.state.valid,
            warm: executor.state.warm,
            running_in: header.map_or_else(Vec::new, |header| header.running_in.clone()),
        })
    }

    fn source_of(&self, code: &CodeObject, rows: &[BytecodeRow]) -> Vec<(i32, String)> {
        let lines: BTreeSet<i32> = rows.iter().filter_map(|row| row.line).collect();
        lines
            .into_iter()
            .filter_map(|line| Some((line, self.sources.line(&code.filename, line)?)))
            .collect()
    }
}

fn unknown_opcode(instruction: &BytecodeInstruction) -> String {
    format!(
        "from offset {} on nothing is known: this CPython has no opcode {}",
        instruction.at, instruction.opcode
    )
}

fn lost_original(instruction: &BytecodeInstruction) -> String {
    format!(
        "behind offset {} nothing is known: the executor that keeps the original instruction cannot be read",
        instruction.at
    )
}

fn replaced_at(unit: u32) -> String {
    let offset = BytecodeOffset::of_code_unit(unit)
        .map_or_else(|| "?".to_owned(), |offset| offset.to_string());
    format!(
        "from offset {offset} on nothing is known: a tracing tool has replaced the instruction there"
    )
}

fn mark_exits(
    one: &ExecutorExits,
    code: &CodeObject,
    places: &HashMap<BytecodeOffset, usize>,
    rows: &mut [BytecodeRow],
) {
    for exit in &one.exits {
        let here = exit
            .code
            .as_ref()
            .is_some_and(|other| other.object == code.address);
        let offset = exit
            .bytecode
            .as_ref()
            .filter(|_| here)
            .map(|bytecode| bytecode.offset);
        if let Some(row) = offset.and_then(|offset| rows.get_mut(*places.get(&offset)?)) {
            row.exits.push(ExitMark {
                executor: one.executor.address,
                index: one.executor.index,
                exit: exit.index,
                kind: exit.kind,
                temperature: exit.temperature,
                linked_to: exit.linked_to.clone(),
            });
        }
    }
}

fn row(code: &CodeObject, offset: BytecodeOffset) -> BytecodeRow {
    BytecodeRow {
        offset,
        opcode: 0,
        opname: None,
        oparg: None,
        argrepr: None,
        line: code.line(offset),
        label: None,
        jump_target: None,
        entries: Vec::new(),
        exits: Vec::new(),
    }
}

/// By offset, the row in which an instruction begins: its first prefix, if it has some. CPython names instructions with
/// prefixes by either end.
fn places(code: &CodeObject, rows: &[BytecodeRow]) -> HashMap<BytecodeOffset, usize> {
    let first: HashMap<BytecodeOffset, usize> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| (row.offset, index))
        .collect();
    let place = |instruction: &BytecodeInstruction| {
        let index = *first.get(&instruction.offset)?;
        Some([(instruction.offset, index), (instruction.at, index)])
    };
    code.instructions
        .iter()
        .filter_map(place)
        .flatten()
        .collect()
}

/// Numbers what jumps and handlers refer to, in the order of offsets, as `dis` does.
fn label(rows: &mut [BytecodeRow], handlers: &[ExceptionHandler]) {
    let jumps = rows.iter().filter_map(|row| row.jump_target);
    let handlers = handlers
        .iter()
        .flat_map(|handler| [handler.start, handler.end, handler.target]);
    let targets: BTreeSet<BytecodeOffset> = jumps.chain(handlers).collect();
    let labels: HashMap<BytecodeOffset, u32> = targets.into_iter().zip(1..).collect();
    for row in rows {
        row.label = labels.get(&row.offset).copied();
        let target = row.jump_target.and_then(|target| labels.get(&target));
        if let Some(target) = target {
            let word = match row.opname.as_deref() {
                Some("END_ASYNC_FOR") => "from",
                _ => "to",
            };
            row.argrepr = Some(format!("{word} L{target}"));
        }
    }
}

impl From<ExceptionHandler> for HandlerRow {
    fn from(handler: ExceptionHandler) -> HandlerRow {
        HandlerRow {
            start: handler.start,
            end: handler.end,
            target: handler.target,
            depth: handler.depth,
            lasti: handler.lasti,
        }
    }
}
