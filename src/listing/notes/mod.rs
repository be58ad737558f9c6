//! Remarks on instructions: what registers hold, which fields are accessed, what numbers in the code are.
//!
//! A stencil is analysed once: from the registers that CPython's calling convention fixes where a uop begins, a forward
//! dataflow follows each value along all ways through the code, and forgets it where it may have changed. The result
//! names no number that the JIT patches; each instance of the stencil then fills in its own.
//!
//! * `convention`: what registers hold where a uop begins;
//! * `value`, `state`: what is known of a register or slot, and at a place;
//! * `execute`, `arithmetic`, `effects`: what one step does;
//! * `analysis`, `fact`: the dataflow through a stencil, and what comes of it;
//! * `annotate`: stencils that were seen, and the remarks of one instance;
//! * `memo`: remarks that are the same again;
//! * `since`, `held`: what a uop may have done by a place, and where the values are that it began with;
//! * `own`: what belongs to the executor;
//! * `names`, `fields`, `semantics`, `symbols`, `constant`: from values to words.

mod analysis;
mod annotate;
mod arithmetic;
mod constant;
mod convention;
mod effects;
mod execute;
mod fact;
mod fields;
mod held;
mod memo;
mod memory;
mod names;
mod own;
mod reference;
mod semantics;
mod since;
mod state;
mod symbols;
mod value;

pub use annotate::{Annotator, Here, WITHOUT_TAG};
pub use convention::register_roles;
pub use fields::SHAPES;
pub use held::{Held, HeldIn, Holder, Role};
pub use memo::Remarks;
pub use own::Own;
pub use since::{Item as SinceItem, Since};
pub use symbols::SymbolNames;
pub use value::Tag;
