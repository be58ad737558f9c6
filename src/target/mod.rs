//! Bytes at an address: the target as the outside world shows it.

mod cache;
pub mod core;
mod description;
mod dump;
mod file_mapping;
pub mod files;
mod finding;
mod habit;
mod lasting;
mod memory;
#[cfg(target_os = "linux")]
mod process;
mod reader;
mod registers;
#[cfg(target_os = "linux")]
mod started;
mod threads;
mod transfer;

pub use cache::CachedMemory;
pub use core::Core;
pub use description::{Description, Kind, LoadedFile, Stop};
pub use dump::Dump;
pub use file_mapping::FileMapping;
pub use files::{FileSearch, Files};
pub use finding::Finding;
pub use memory::{Evaluate, Memory, NoExpressions};
#[cfg(target_os = "linux")]
pub use process::{Process, current_thread};
pub use reader::{Reader, Record};
pub use registers::{FrameRegisters, Registers};
#[cfg(target_os = "linux")]
pub use started::started;
pub use threads::ThreadRegisters;
