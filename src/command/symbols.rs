//! `jit-symbols`.

use super::control::Steer;
use super::reply::Failure;
use crate::control::symbols::{Mode, Way};
use crate::control::{Action, Control, Told, View};
use crate::session::Session;
use clap::{Parser, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  jit-symbols on                  then break loop.py:8, break _BINARY_OP_ADD_INT, next, bt, info locals, list
  jit-symbols on --view py        steps are lines of Python
  jit-symbols auto                only executors that run when the program stops (the default)
  jit-symbols status              which executors have symbols, and the names of their listings
  jit-symbols off";

const VIEW_HELP: &str = "\
Views:
  frames   a uop is a line of its executor's listing; inlined Python functions are frames, with arguments and locals
  py       lines are those of the Python source
  both     uops are frames, too, which are called from lines of the Python source";

/// Give the debugger's own commands symbols, lines, frames and variables of JIT code
///
/// Makes an object file with debug information for each executor and has the debugger load it: break, tbreak, next, step,
/// finish, until, bt, up, info locals, list, x/i, and whatever else reads symbols, then understand JIT code. Files come
/// before the code runs for the first time and go before its memory is freed; breakpoints in it are pending then, as those
/// in a library that is not loaded. The program is not changed.
#[derive(Parser, Debug)]
#[command(name = "jit-symbols", after_help = EXAMPLES, after_long_help = format!("{VIEW_HELP}\n\n{EXAMPLES}"))]
pub struct Symbols {
    /// Which executors have symbols: all, none, those that run at a stop (the default); or what there is now
    #[arg(
        value_name = "on|off|auto|status",
        value_enum,
        default_value = "status",
        hide_default_value = true,
        hide_possible_values = true
    )]
    what: What,

    /// What a line is, and what a frame
    #[arg(long, value_enum)]
    view: Option<Shown>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum What {
    On,
    Off,
    Auto,
    Status,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Shown {
    Frames,
    Py,
    Both,
}

impl Shown {
    fn view(self) -> View {
        match self {
            Shown::Frames => View::Frames,
            Shown::Py => View::Python,
            Shown::Both => View::Both,
        }
    }
}

impl Steer for Symbols {
    fn steer(&self, session: &Session, control: &mut Control) -> Result<Told, Failure> {
        if !control.symbols.has_carrier() {
            return Err(Failure::new("this front-end cannot load symbol files"));
        }
        let mode = match self.what {
            What::On => Mode::On,
            What::Off => Mode::Off,
            What::Auto => Mode::Auto,
            What::Status => return Ok(control.symbols.status()),
        };
        let before = control.symbols.way();
        let view = self.view.map_or(before.view, Shown::view);
        let mut told = control.choose_symbols(session, Way { mode, view });
        told.lines.push(control.symbols.summary());
        told.actions.push(Action::Choose {
            name: "symbols",
            value: mode.word(),
        });
        Ok(told)
    }
}
