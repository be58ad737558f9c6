//! What the registers of the selected frame hold of the values that a uop began with.

use crate::address::Address;
use crate::error::Result;
use crate::listing::{Held, HeldIn, Holder, Role, Since, Tag};
use crate::session::Session;
use crate::target::FrameRegisters;

/// The values, each checked against what else is known.
pub(super) struct Registers {
    /// The frame in which the uop began.
    pub frame: Address,
    /// The pointer of its evaluation stack in memory then.
    pub stack: Result<Address, String>,
    /// The items that were in registers: `tosN` by number.
    pub cached: Vec<Cached>,
    /// What the uop may have done since.
    pub since: Since,
    /// Whether a function runs that it has called.
    pub in_call: bool,
    /// What it has saved as its stack's pointer before the call that is running: bytes from `stack`.
    pub saved: Option<i64>,
}

/// A stack item that was in a register.
#[derive(Clone, Copy)]
pub(super) struct Cached {
    /// The register in which it was when the uop began.
    pub register: &'static str,
    /// Where it is now and what is there, if it is anywhere.
    pub found: Option<Found>,
}

/// A value that was found.
#[derive(Clone, Copy)]
pub(super) struct Found {
    /// The register that it is in.
    pub register: Option<&'static str>,
    /// The place on the machine stack.
    pub address: Option<Address>,
    /// Its bits, with the tag as it is there.
    pub bits: u64,
    /// Whether the tag is as it was.
    pub is_whole: bool,
}

impl Session {
    /// The values of the uop that runs in the selected frame.
    pub(super) fn held_registers(
        &self,
        held: &Held,
        (executor, thread): (Address, Address),
        cached: u8,
        in_call: bool,
    ) -> Result<Registers, String> {
        let values = Values {
            session: self,
            registers: self.registers()?,
            held,
        };
        values.expect(Role::Executor, executor, "executor")?;
        values.expect(Role::ThreadState, thread, "thread state")?;
        let frame = values.one(Role::Frame).ok_or(
            "no register holds the frame any more at this place in the uop: step to the next uop",
        )?;
        let stack = values.one(Role::Stack).ok_or_else(|| {
            "no register holds the stack pointer any more at this place in the uop: step to the next uop"
                .to_owned()
        });
        let registers = held.cached.iter().take(cached.into());
        let cached = (0..).zip(registers).map(|(number, register)| Cached {
            register,
            found: values.cached(number),
        });
        Ok(Registers {
            frame: Address(frame),
            stack: stack.map(Address),
            cached: cached.collect(),
            since: held.since.clone(),
            in_call,
            saved: held.saved,
        })
    }
}

struct Values<'s> {
    session: &'s Session,
    registers: &'s FrameRegisters,
    held: &'s Held,
}

impl Values<'_> {
    /// All places that hold a value and can be read.
    fn all(&self, role: Role) -> impl Iterator<Item = (&Holder, Found)> {
        let holders = self.held.holders.iter();
        let holders = holders.filter(move |holder| holder.role == role);
        holders.filter_map(|holder| Some((holder, self.read(holder)?)))
    }

    fn read(&self, holder: &Holder) -> Option<Found> {
        let (register, address, there) = match holder.place {
            HeldIn::Register(name) => (Some(name), None, self.registers.values.get(name)?),
            HeldIn::MachineStack(offset) => {
                let pointer = Address(self.registers.values.get("sp")?);
                let address = pointer.wrapping_add(offset.cast_unsigned());
                let word = self.session.reader().u64(address, "machine stack").ok()?;
                (None, Some(address), word)
            }
        };
        Some(Found {
            register,
            address,
            bits: there.wrapping_sub(holder.minus),
            is_whole: holder.tag == Tag::Maybe,
        })
    }

    /// A pointer without a tag.
    fn one(&self, role: Role) -> Option<u64> {
        self.all(role).next().map(|(_, found)| found.bits)
    }

    /// An error if a place holds something else: then the debugger has not restored the registers of this frame.
    fn expect(&self, role: Role, expected: Address, what: &str) -> Result<(), String> {
        match self
            .all(role)
            .find(|(_, found)| Address(found.bits) != expected)
        {
            None => Ok(()),
            Some((_, found)) => Err(format!(
                "the registers of this frame are not those of its JIT code: where the {what} {expected} should be is {:#x}",
                found.bits
            )),
        }
    }

    /// The item in `tosN`; best where its tag is as it was.
    fn cached(&self, number: u8) -> Option<Found> {
        let mut best: Option<Found> = None;
        for (_, found) in self.all(Role::Cached(number)) {
            if best.is_none_or(|best| !best.is_whole && found.is_whole) {
                best = Some(found);
            }
        }
        best
    }
}
