//! The head of `_Py_DebugOffsets`, with which `_PyRuntime` begins: CPython's own offer to tools.

use crate::address::Address;
use crate::error::{Error, Result};
use crate::target::Reader;

/// `_Py_Debug_Cookie` in `Include/internal/pycore_debug_offsets.h`.
const COOKIE: &[u8; 8] = b"xdebugpy";

/// The first three members: `cookie[8]`, `uint64_t version`, `uint64_t free_threaded`.
const HEAD: u64 = 24;

/// What CPython says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DebugOffsets {
    /// `PY_VERSION_HEX`.
    pub version_hex: u64,
    /// Whether it was built without the GIL.
    pub free_threaded: bool,
}

impl DebugOffsets {
    /// Reads the head of `_PyRuntime`; an error if there is no cookie (not a CPython, or not started yet).
    pub fn read(reader: Reader<'_>, runtime: Address) -> Result<DebugOffsets> {
        let bytes = reader.bytes(runtime, HEAD, "_PyRuntime")?;
        let word = |index: usize| {
            let start = index * 8;
            let bytes = bytes.get(start..start + 8)?;
            Some(u64::from_le_bytes(bytes.try_into().ok()?))
        };
        match (word(1), word(2)) {
            (Some(version_hex), Some(free_threaded)) if bytes.starts_with(COOKIE) => Ok(DebugOffsets {
                version_hex,
                free_threaded: free_threaded != 0,
            }),
            _ => Err(Error::Inconsistent {
                what: "_PyRuntime".to_owned(),
                address: runtime,
                reason: "it does not begin with the cookie of _Py_DebugOffsets (CPython 3.13 and newer have one)"
                    .to_owned(),
            }),
        }
    }

    /// The version as `sys.version` begins: `3.15.2`, `3.16.0a1`.
    pub fn version(self) -> String {
        let byte = |shift: u32| (self.version_hex >> shift) & 0xff;
        let plain = format!("{}.{}.{}", byte(24), byte(16), byte(8));
        let serial = self.version_hex & 0xf;
        match (self.version_hex >> 4) & 0xf {
            0xa => format!("{plain}a{serial}"),
            0xb => format!("{plain}b{serial}"),
            0xc => format!("{plain}rc{serial}"),
            _ => plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_versions_as_python_does() {
        let version = |version_hex| {
            DebugOffsets {
                version_hex,
                free_threaded: false,
            }
            .version()
        };
        assert_eq!(version(0x030f_02f0), "3.15.2");
        assert_eq!(version(0x0310_00a1), "3.16.0a1");
        assert_eq!(version(0x030e_00c3), "3.14.0rc3");
    }
}
