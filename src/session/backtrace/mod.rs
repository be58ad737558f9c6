//! `jit-bt`: the stacks of threads, C frames, JIT code and Python frames in one.
//!
//! The C stack is followed frame by frame. The Python frames come from the thread's own chain, in which the entry frame of
//! each activation of the interpreter lies on the C stack: that tells which C frame runs which Python frames.

mod assemble;
mod python;
mod source;

use super::Session;
use crate::error::Result;
use crate::listing::{BacktraceData, CallStack, Finding};
use crate::platform::Architecture;
use crate::target::ThreadRegisters;
use crate::unwind::{Context, WalkedFrame, walk};
use assemble::Assembly;
use python::PythonStack;

/// What is wanted of stacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// All threads, not only the selected one.
    pub all_threads: bool,
    /// Frames of each thread that are shown.
    pub most_frames: usize,
}

impl Session {
    /// The stacks of the selected thread or of all, and what is odd about them.
    pub fn backtrace(&self, extent: Extent) -> Result<(BacktraceData, Vec<Finding>)> {
        let mut findings = Vec::new();
        let mut threads = Vec::new();
        for thread in self.thread_registers(extent, &mut findings) {
            threads.push(self.call_stack(&thread, extent, &mut findings)?);
        }
        threads.sort_by_key(|thread: &CallStack| !thread.selected);
        Ok((BacktraceData { threads }, findings))
    }

    /// The registers; without any, the threads that run Python still have frames to be shown.
    fn thread_registers(&self, extent: Extent, findings: &mut Vec<Finding>) -> Vec<KnownThread> {
        let name = &self.description().architecture;
        let registers = Architecture::of_debugger(name)
            .ok_or_else(|| format!("the registers of {name} are not understood"))
            .and_then(|architecture| self.evaluate_registers(architecture, extent.all_threads));
        match registers {
            Ok(threads) => threads.into_iter().map(KnownThread::from).collect(),
            Err(reason) => {
                let what = format!("the C stack cannot be followed: {reason}");
                findings.push(Finding::warning(what));
                self.threads_without_registers(extent)
            }
        }
    }

    fn threads_without_registers(&self, extent: Extent) -> Vec<KnownThread> {
        let python = self.python().ok();
        let threads = python.and_then(|python| self.at_stop.threads(python, self.reader()).ok());
        let threads = threads.unwrap_or_default();
        let selected = self.stop().thread;
        let wanted = threads.iter().filter(|thread| {
            extent.all_threads || threads.len() == 1 || thread.native_id == selected
        });
        wanted
            .map(|thread| KnownThread {
                thread: thread.native_id,
                is_selected: thread.native_id == selected,
                registers: None,
            })
            .collect()
    }

    fn call_stack(
        &self,
        thread: &KnownThread,
        extent: Extent,
        findings: &mut Vec<Finding>,
    ) -> Result<CallStack> {
        let id = thread.thread.or(self.stop().thread);
        let (frames, cut_off) = self.walk_thread(thread);
        let python = PythonStack::of_thread(self, id, &frames, findings)?;
        let assembly = Assembly::new(&frames, &python);
        assembly.check(id, findings);
        Ok(CallStack {
            thread: id,
            selected: thread.is_selected,
            state: python.state,
            frame_count: frames.len() as u64,
            frames: (0..frames.len())
                .take(extent.most_frames)
                .map(|level| self.call_frame(&assembly, level))
                .collect::<Result<_>>()?,
            cut_off,
            remaining: self.remaining(&assembly)?,
        })
    }

    /// The C stack of a thread, and why it could not be followed to its end.
    fn walk_thread(&self, thread: &KnownThread) -> (Vec<WalkedFrame>, Option<String>) {
        let architecture = self.program().map(|program| program.architecture);
        let context = thread.registers.as_ref().zip(architecture.ok());
        let context = context
            .and_then(|(known, architecture)| Context::of_thread(architecture, &known.registers));
        match context {
            Some(context) => walk(&self.source(), context),
            None => (Vec::new(), Some("its registers are not known".to_owned())),
        }
    }
}

/// A thread, with its registers if they are known.
struct KnownThread {
    thread: Option<u64>,
    is_selected: bool,
    registers: Option<ThreadRegisters>,
}

impl From<ThreadRegisters> for KnownThread {
    fn from(registers: ThreadRegisters) -> KnownThread {
        KnownThread {
            thread: registers.thread,
            is_selected: registers.is_selected,
            registers: Some(registers),
        }
    }
}
