//! From a frame to its caller: C functions by their unwind tables, JIT code by its own instructions.

mod cfi;
mod context;
mod expression;
mod jit;
mod modules;
mod rule;
mod shim;
mod stack_flow;
mod stack_state;
#[cfg(test)]
mod tests;
mod walk;

pub use cfi::{CfiCaller, Tables};
pub use context::Context;
pub use jit::{JitCaller, JitPlace, Known, caller};
pub use modules::{Modules, contains as has_code, tables, vdso_tables};
pub use rule::{ReturnAddress, SavedAt, UnwindRule, shim_rules, uop_rules};
pub use shim::{Home, Shim};
pub use stack_flow::{Calls, Follower, StackFlow};
pub use stack_state::{Place, StackState};
pub use walk::{FoundBy, MOST_FRAMES, Source, Step, WalkedFrame, walk};
