//! The map of an executor: address ↔ uop ↔ bytecode ↔ source line.

mod activations;
mod branch;
pub mod check;
mod mapped;
mod origin;
mod regions;

pub use activations::{TraceFrame, leaves_frame};
pub use branch::guards_branch;
pub use mapped::MappedExecutor;
pub use origin::{Origin, Sources};
pub use regions::{CodeMap, GOT_SLOT, Place, Region, RegionKind, TRAMPOLINE, code_size};
