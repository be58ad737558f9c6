//! Rebuilds the machine code of an executor from outside: runs the target's own stencil emitters, in a small
//! interpreter over read-only memory of the target, and remembers of each byte what it was computed from.
//!
//! Copy-and-patch is deterministic: stencils and operands must give the bytes in memory. Where they do not, one of them
//! was changed.

mod builtin;
mod bus;
mod compare;
pub mod machine;
mod memory;
mod plan;
mod provenance;
mod rebuild;
mod state;
mod stencil;
mod stop;
mod trace;
mod window;

#[cfg(test)]
mod tests;

pub use builtin::{Builtin, Builtins};
pub use bus::{Bus, RETURN, STACK, STATE, THREAD};
pub use compare::{Comparison, Difference, compare, unknown};
pub use machine::Machine;
pub use memory::{Memory, Piece};
pub use plan::{Emission, Part, Plan, SymbolState};
pub use provenance::{Tag, Value, Vector};
pub use rebuild::{Emitters, Gap, Hole, Rebuilt, rebuild, rebuild_some};
pub use stencil::{StencilForm, StencilHole};
pub use stop::Stop;
pub use trace::TraceFields;
pub use window::Window;
