//! Which field is where in this target, and how we know.

mod debug_offsets;
mod fit;
mod found;
mod load;
mod opcode_names;
mod scan;
mod table;

pub use debug_offsets::DebugOffsets;
pub use fit::Fit;
pub use found::{Layouts, Provenance, SymbolAddress, Symbols};
pub use load::{contains_cpython, load_layouts, load_symbols, load_tables, scan_symbols};
pub use opcode_names::opcode_names;
pub use table::Table;
