//! From a C function to its caller, by the tables that compilers write for exceptions (`.eh_frame`, DWARF 5 §6.4).

use super::context::{Context, DwarfRegister, of_dwarf};
use super::expression::evaluate;
use crate::address::Address;
use crate::platform::Register;
use crate::target::Reader;
use gimli::{
    BaseAddresses, CfaRule, EhFrame, EhFrameHdr, EndianSlice, FrameDescriptionEntry, LittleEndian,
    RegisterRule, UnwindContext, UnwindSection, UnwindTableRow, Vendor,
};

/// Bytes of an address.
const ADDRESS_SIZE: u8 = 8;

type Slice<'t> = EndianSlice<'t, LittleEndian>;

/// The unwind tables of one file, at the addresses of the file.
pub struct Tables<'t> {
    frames: EhFrame<Slice<'t>>,
    /// `.eh_frame_hdr`, which finds an entry without a search.
    index: Option<gimli::ParsedEhFrameHdr<Slice<'t>>>,
    bases: BaseAddresses,
}

/// The caller of a C function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CfiCaller {
    /// Its registers, as far as they are known; `None` if the function was called by none.
    pub context: Option<Context>,
    /// The canonical frame address.
    pub cfa: Address,
    /// Whether the function is what a signal handler returns to: its caller was interrupted anywhere.
    pub is_signal: bool,
}

impl<'t> Tables<'t> {
    /// The tables in these sections: where each is, and its bytes.
    pub fn new(
        frames: (Address, &'t [u8]),
        index: Option<(Address, &'t [u8])>,
        text: Option<Address>,
    ) -> Tables<'t> {
        let mut bases = BaseAddresses::default().set_eh_frame(frames.0.0);
        if let Some(text) = text {
            bases = bases.set_text(text.0);
        }
        let parsed = index.and_then(|(address, bytes)| {
            bases = bases.clone().set_eh_frame_hdr(address.0);
            let header = EhFrameHdr::new(bytes, LittleEndian);
            header.parse(&bases, ADDRESS_SIZE).ok()
        });
        Tables {
            frames: EhFrame::new(frames.1, LittleEndian),
            index: parsed,
            bases,
        }
    }

    fn entry(&self, pc: u64) -> gimli::Result<FrameDescriptionEntry<Slice<'t>>> {
        let table = self.index.as_ref().and_then(gimli::ParsedEhFrameHdr::table);
        match table {
            Some(table) => {
                table.fde_for_address(&self.frames, &self.bases, pc, EhFrame::cie_from_offset)
            }
            None => self
                .frames
                .fde_for_address(&self.bases, pc, EhFrame::cie_from_offset),
        }
    }

    /// The caller of the function that `context` is in. `lookup` is the place that tells which rows hold, at the
    /// addresses of the file: the pc, or just before it where a call returns to.
    ///
    /// # Errors
    /// A sentence that says why it cannot be told.
    pub fn caller(
        &self,
        lookup: Address,
        context: &Context,
        reader: Reader<'_>,
    ) -> Result<CfiCaller, String> {
        let none = |error: gimli::Error| match error {
            gimli::Error::NoUnwindInfoForAddress => {
                "the file has no unwind table for it".to_owned()
            }
            error => format!("the unwind table of the file is damaged: {error}"),
        };
        let entry = self.entry(lookup.0).map_err(none)?;
        let mut frames = self.frames;
        if context.architecture.platform().signs_return_addresses {
            // One number stands for that there, and for register windows elsewhere.
            frames.set_vendor(Vendor::AArch64);
        }
        let mut storage = UnwindContext::new();
        let row = entry
            .unwind_info_for_address(&frames, &self.bases, &mut storage, lookup.0)
            .map_err(none)?;
        let step = Step {
            tables: self,
            entry: &entry,
            row,
            context,
            reader,
        };
        step.caller()
    }
}

/// One function and the row that holds in it.
struct Step<'s, 't> {
    tables: &'s Tables<'t>,
    entry: &'s FrameDescriptionEntry<Slice<'t>>,
    row: &'s UnwindTableRow<usize>,
    context: &'s Context,
    reader: Reader<'s>,
}

impl Step<'_, '_> {
    fn caller(&self) -> Result<CfiCaller, String> {
        let cfa = self.cfa()?;
        let is_signal = self.entry.is_signal_trampoline();
        let column = self.entry.cie().return_address_register();
        let Some(pc) = self.return_address(column, cfa)? else {
            return Ok(CfiCaller {
                context: None,
                cfa: Address(cfa),
                is_signal,
            });
        };
        let architecture = self.context.architecture;
        let mut caller = Context::at(architecture, architecture.code_address(pc));
        caller.set_sp(Address(cfa));
        for register in architecture.platform().callee_saved {
            caller.set(*register, self.context.get(*register));
        }
        for (number, rule) in self.row.registers() {
            if let Some(DwarfRegister::Own(register)) = self.own(*number) {
                caller.set(register, self.value(rule, register, cfa)?);
            }
        }
        Ok(CfiCaller {
            context: Some(caller),
            cfa: Address(cfa),
            is_signal,
        })
    }

    fn own(&self, number: gimli::Register) -> Option<DwarfRegister> {
        of_dwarf(self.context.architecture, number.0)
    }

    fn cfa(&self) -> Result<u64, String> {
        match self.row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => self
                .register(*register)
                .map(|value| value.wrapping_add(offset.cast_unsigned()))
                .ok_or_else(|| "the register that its frame is found by is not known".to_owned()),
            CfaRule::Expression(expression) => self.expression(expression, None),
        }
    }

    fn register(&self, number: gimli::Register) -> Option<u64> {
        match self.own(number)? {
            DwarfRegister::Own(register) => self.context.get(register),
            DwarfRegister::ReturnAddress => Some(self.context.pc.0),
        }
    }

    /// Where it returns to; `None` for the outermost function.
    fn return_address(&self, column: gimli::Register, cfa: u64) -> Result<Option<u64>, String> {
        match self.row.register(column) {
            Some(RegisterRule::Undefined) => Ok(None),
            // AArch64 leaves it in x30.
            None => self
                .register(column)
                .map(Some)
                .ok_or_else(|| "the unwind table does not tell where it returns to".to_owned()),
            Some(rule) => {
                let value = self.rule(&rule, self.register(column), cfa)?;
                let found = value.ok_or_else(|| "where it returns to is not known".to_owned())?;
                Ok((found != 0).then_some(found))
            }
        }
    }

    fn value(
        &self,
        rule: &RegisterRule<usize>,
        register: Register,
        cfa: u64,
    ) -> Result<Option<u64>, String> {
        self.rule(rule, self.context.get(register), cfa)
    }

    fn rule(
        &self,
        rule: &RegisterRule<usize>,
        same: Option<u64>,
        cfa: u64,
    ) -> Result<Option<u64>, String> {
        let at = |offset: &i64| cfa.wrapping_add(offset.cast_unsigned());
        Ok(match rule {
            RegisterRule::SameValue => same,
            RegisterRule::Offset(offset) => Some(self.word(at(offset))?),
            RegisterRule::ValOffset(offset) => Some(at(offset)),
            RegisterRule::Register(other) => self.register(*other),
            RegisterRule::Expression(expression) => {
                Some(self.word(self.expression(expression, Some(cfa))?)?)
            }
            RegisterRule::ValExpression(expression) => {
                Some(self.expression(expression, Some(cfa))?)
            }
            RegisterRule::Constant(value) => Some(*value),
            _ => None,
        })
    }

    fn expression(
        &self,
        expression: &gimli::UnwindExpression<usize>,
        cfa: Option<u64>,
    ) -> Result<u64, String> {
        let damaged = |error| format!("the unwind table of the file is damaged: {error}");
        let expression = expression.get(&self.tables.frames).map_err(damaged)?;
        let encoding = self.entry.cie().encoding();
        evaluate(
            expression,
            encoding,
            cfa,
            &|register| self.register(register),
            self.reader,
        )
    }

    fn word(&self, address: u64) -> Result<u64, String> {
        self.reader
            .u64(Address(address), "saved register")
            .map_err(|error| error.to_string())
    }
}
