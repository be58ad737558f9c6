//! The functions of other libraries that emitters call: they are carried out, not run.

use std::collections::HashMap;

/// A function of the C library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Builtin {
    /// `memcpy` or `memmove`.
    Copy,
    /// `memset`.
    Fill,
    /// `__stack_chk_fail`.
    StackCheckFailed,
}

impl Builtin {
    /// Each name that calls one.
    pub const NAMES: [(&'static str, Builtin); 4] = [
        ("memcpy", Builtin::Copy),
        ("memmove", Builtin::Copy),
        ("memset", Builtin::Fill),
        ("__stack_chk_fail", Builtin::StackCheckFailed),
    ];
}

/// By the address of their entries in the procedure linkage table.
pub type Builtins = HashMap<u64, Builtin>;
