//! The commands: one file each, whose head comment is the manual. All front-ends run these.

mod all;
mod arguments;
mod backtrace;
mod behaviour;
mod break_exit;
mod break_uop;
mod bytecode;
mod catch;
mod completion;
mod control;
mod dis;
mod executor;
mod exits;
mod filter;
mod function;
mod graph;
mod info;
mod list;
mod output;
mod page;
mod place;
mod raw;
mod reply;
mod selection;
mod settings;
mod snapshot;
mod spelling;
mod stack;
mod step;
mod subject;
mod symbols;
mod trace;
mod verify;
mod views;

pub use crate::render::{TextStyle, Window, harmless};
pub use all::{Manual, manuals, refuse, run, run_inside, run_matches, subcommands, tell};
pub use completion::complete;
pub use control::{
    breakpoint_deleted, caught, control_manuals, hook, misplaced, process_gone, refresh, resume,
    run_in_debugger, stop_text,
};
pub use executor::find_executor;
pub use raw::{RawOptions, run_raw};
pub use reply::{Action, Failure, Reply};
pub use settings::{NoteLevel, SETTINGS, Setting, Settings, StopText};
pub use snapshot::{Snapshot, in_python};
pub use views::{Frame, Notes, describe, frame, notes, window};
