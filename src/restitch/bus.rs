//! What an emitter can reach: memory of the target, read only, under four windows of its own.

use super::trace::TraceFields;
use super::{Builtin, Builtins, Memory, Stop, Tag, Value, Window};
use crate::address::Address;

/// Where the windows are: addresses that no process of Linux has.
pub const STACK: u64 = 0xffff_8000_0000_0000;
/// The JIT's `jit_state`.
pub const STATE: u64 = 0xffff_9000_0000_0000;
/// What the thread pointer points to: the guard of the stack, zero here.
pub const THREAD: u64 = 0xffff_a000_0000_0000;
/// What an emitter returns to.
pub const RETURN: u64 = 0xffff_b000_0000_0000;

/// Ten times what the deepest emitter and its helpers use in debug builds.
const STACK_SIZE: usize = 1 << 16;

/// The part of a thread's control block in front of and behind which nothing is read.
const THREAD_SIZE: usize = 256;

/// Steps of one call: 25 times what the longest emitter takes in debug builds.
const MOST_STEPS: u32 = 50_000;

/// The longest copy: no stencil has so many bytes.
const LONGEST_COPY: u64 = 1 << 20;

/// A step of the interpreter takes about as long as a copy of so many bytes.
const BYTES_OF_STEP: u32 = 64;

/// Copies of at most this many bytes, nearly all, go over the stack.
const SHORT_COPY: usize = 512;

/// The memory of an emitter.
pub struct Bus<'m> {
    memory: &'m Memory<'m>,
    builtins: &'m Builtins,
    trace: TraceFields,
    /// The code that is rebuilt.
    pub output: Window,
    stack: Window,
    state: Window,
    thread: Window,
    /// Of this call, still to go.
    steps: u32,
    /// Of all calls.
    taken: u64,
}

impl<'m> Bus<'m> {
    /// A bus for the emitters of one executor; `output` and `state` are theirs to write.
    pub fn new(
        memory: &'m Memory<'m>,
        builtins: &'m Builtins,
        trace: TraceFields,
        output: Window,
        state: Window,
    ) -> Bus<'m> {
        Bus {
            memory,
            builtins,
            trace,
            output,
            state,
            stack: Window::new(STACK, STACK_SIZE),
            thread: Window::new(THREAD, THREAD_SIZE),
            steps: 0,
            taken: 0,
        }
    }

    /// Begins a call: gives back the stack pointer, a multiple of 16 with room on both sides.
    pub fn begin(&mut self) -> u64 {
        self.steps = MOST_STEPS;
        STACK.wrapping_add(STACK_SIZE as u64).wrapping_sub(4096)
    }

    /// Counts a step.
    ///
    /// # Errors
    /// [`Stop::TooLong`] if there were too many.
    #[inline]
    pub fn step(&mut self) -> Result<(), Stop> {
        self.steps = self.steps.checked_sub(1).ok_or(Stop::TooLong)?;
        self.taken = self.taken.wrapping_add(1);
        Ok(())
    }

    /// How many steps all calls took.
    pub fn steps(&self) -> u64 {
        self.taken
    }

    /// The function of another library that a call of `address` means.
    #[inline]
    pub fn builtin(&self, address: u64) -> Option<Builtin> {
        self.builtins.get(&address).copied()
    }

    /// The bytes of the instruction at `address` and maybe some behind it: how many there are.
    ///
    /// # Errors
    /// [`Stop::BadCall`] if there is no code.
    pub fn fetch(&self, address: u64, into: &mut [u8; 16]) -> Result<usize, Stop> {
        self.memory.fetch(address, into)
    }

    /// The number in 1 to 8 bytes at `address`.
    ///
    /// # Errors
    /// [`Stop::NoMemory`] if there is none.
    #[inline]
    pub fn read(&mut self, address: u64, length: usize) -> Result<Value, Stop> {
        let mut word = [0; 8];
        let into = word.get_mut(..length).ok_or(Stop::NoMemory {
            address: Address(address),
            length,
        })?;
        let tag = match self.window(address, length) {
            Some((bytes, tags)) => {
                into.copy_from_slice(bytes);
                tags.iter().fold(Tag::BODY, |all, tag| all | *tag)
            }
            None => {
                self.memory.read(address, into)?;
                self.trace.tag(address, length)
            }
        };
        Ok(Value::new(u64::from_le_bytes(word), tag))
    }

    /// Writes the lowest 1 to 8 bytes of a number at `address`.
    ///
    /// # Errors
    /// [`Stop::WriteOutside`] unless all are in one window.
    #[inline]
    pub fn write(&mut self, address: u64, length: usize, value: Value) -> Result<(), Stop> {
        let outside = Stop::WriteOutside {
            address: Address(address),
            length,
        };
        let word = value.number.to_le_bytes();
        let (Some((bytes, tags)), Some(from)) =
            (self.window_mut(address, length), word.get(..length))
        else {
            return Err(outside);
        };
        bytes.copy_from_slice(from);
        tags.fill(value.tag);
        Ok(())
    }

    /// Fills both slices, which have the same length, with the bytes at `address` and their origins.
    ///
    /// # Errors
    /// [`Stop::NoMemory`] if not all can be read.
    pub fn read_bytes(
        &mut self,
        address: u64,
        bytes: &mut [u8],
        tags: &mut [Tag],
    ) -> Result<(), Stop> {
        match self.window(address, bytes.len()) {
            Some((from, origins)) => {
                bytes.copy_from_slice(from);
                tags.copy_from_slice(origins);
                Ok(())
            }
            None => {
                self.trace.tags(address, tags);
                self.memory.read(address, bytes)
            }
        }
    }

    /// Writes bytes and their origins, as many as there are of both.
    ///
    /// # Errors
    /// [`Stop::WriteOutside`] unless all are in one window.
    pub fn write_bytes(&mut self, address: u64, bytes: &[u8], tags: &[Tag]) -> Result<(), Stop> {
        let length = bytes.len();
        let (to, origins) = self.window_mut(address, length).ok_or(Stop::WriteOutside {
            address: Address(address),
            length,
        })?;
        to.copy_from_slice(bytes);
        origins.copy_from_slice(tags);
        Ok(())
    }

    /// Copies bytes with their origins, as `memmove` does.
    ///
    /// # Errors
    /// If it is too long, or not all can be read and written.
    pub fn copy(&mut self, to: u64, from: u64, length: u64) -> Result<(), Stop> {
        let length = self.charge(length)?;
        if length == 0 {
            return Ok(());
        }
        let (mut short, mut short_tags) = ([0; SHORT_COPY], [Tag::BODY; SHORT_COPY]);
        if let (Some(bytes), Some(tags)) = (short.get_mut(..length), short_tags.get_mut(..length)) {
            self.read_bytes(from, bytes, tags)?;
            return self.write_bytes(to, bytes, tags);
        }
        let (mut bytes, mut tags) = (vec![0; length], vec![Tag::BODY; length]);
        self.read_bytes(from, &mut bytes, &mut tags)?;
        self.write_bytes(to, &bytes, &tags)
    }

    /// Sets `length` bytes to the lowest one of `value`, as `memset` does.
    ///
    /// # Errors
    /// If it is too long, or not all can be written.
    pub fn fill(&mut self, to: u64, value: Value, length: u64) -> Result<(), Stop> {
        let length = self.charge(length)?;
        if length == 0 {
            return Ok(());
        }
        let [byte, ..] = value.number.to_le_bytes();
        let (bytes, tags) = self.window_mut(to, length).ok_or(Stop::WriteOutside {
            address: Address(to),
            length,
        })?;
        bytes.fill(byte);
        tags.fill(value.tag);
        Ok(())
    }

    /// Counts a copy of so many bytes as the steps that it takes the time of: loops of long copies end soon as well.
    fn charge(&mut self, length: u64) -> Result<usize, Stop> {
        let bounded = u32::try_from(length)
            .ok()
            .filter(|_| length <= LONGEST_COPY);
        let length = bounded.ok_or(Stop::TooLong)?;
        let steps = length / BYTES_OF_STEP;
        self.steps = self.steps.checked_sub(steps).ok_or(Stop::TooLong)?;
        self.taken = self.taken.wrapping_add(u64::from(steps));
        Ok(length as usize)
    }

    /// The window's bytes at `address`, if one has them all. The stack is asked first: emitters use it most.
    #[inline]
    fn window(&self, address: u64, length: usize) -> Option<(&[u8], &[Tag])> {
        let all = [&self.stack, &self.output, &self.state, &self.thread];
        all.into_iter()
            .find_map(|window| window.get(window.place(address, length)?, length))
    }

    #[inline]
    fn window_mut(&mut self, address: u64, length: usize) -> Option<(&mut [u8], &mut [Tag])> {
        let all = [
            &mut self.stack,
            &mut self.output,
            &mut self.state,
            &mut self.thread,
        ];
        all.into_iter().find_map(|window| {
            let place = window.place(address, length)?;
            window.get_mut(place, length)
        })
    }
}
