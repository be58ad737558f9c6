//! The settings: what a user chooses once for a session. `set jit NAME VALUE` in GDB, `jit-set NAME VALUE` in LLDB.
//!
//! The front-ends register this table and send the chosen values with each call.

use crate::control::symbols::Mode;

/// A setting, as the front-ends register it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setting {
    /// One word.
    pub name: &'static str,
    /// What it can be.
    pub values: &'static [&'static str],
    /// What it is unless the user says otherwise.
    pub default: &'static str,
    /// One line, without the values.
    pub summary: &'static str,
    /// What each value means.
    pub help: &'static str,
}

/// All settings, in the order in which they are listed.
pub const SETTINGS: [Setting; 4] = [
    Setting {
        name: "notes",
        values: NoteLevel::WORDS,
        default: "some",
        summary: "what the debugger's own disassembly says of JIT code",
        help: "\
none: nothing, as without cpyjit.
some: the uop at its first instruction, and the best remark on each instruction.
all: every remark, and at the first instruction of a uop also its bytecode and source line.
This is about the debugger's own commands (in GDB x/i, disassemble, display/i, layout asm). jit-dis has options.",
    },
    Setting {
        name: "frames",
        values: &["off", "on"],
        default: "on",
        summary: "whether backtraces name the Python function and the uop of JIT code",
        help: "\
on: frames of JIT code read `f [uop 12 _GUARD_TOS_INT] at loop.py:8`; with symbols their uop is named, too.
off: they read as without cpyjit.",
    },
    Setting {
        name: "stop",
        values: StopText::WORDS,
        default: "stack",
        summary: "what a stop at a uop shows",
        help: "\
none: only what the debugger itself prints.
uop: also the uop with its bytecode instruction and source line.
stack: also the top of Python's evaluation stack.",
    },
    Setting {
        name: "symbols",
        values: Mode::WORDS,
        default: "auto",
        summary: "which executors the debugger has symbols of",
        help: "\
off: none. LLDB then finds no way from JIT code to its callers.
on: all, from before their code runs for the first time: breakpoints by uop or line of Python find those to come.
auto: those that run when the program stops and those with breakpoints at uops, from then on; all as soon as a breakpoint
names a line of Python, a listing or a uop. In LLDB that is seen when a program is launched or attached to (LLDB 21 and
newer), or stops next: on is for breakpoints that are set after that, and for editors.
With symbols break, next, step, bt, info locals and list understand JIT code; see jit-symbols.",
    },
];

/// How much the debugger's own disassembly says of JIT code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum NoteLevel {
    /// Nothing.
    None,
    /// Uops, and the best remark of each instruction.
    #[default]
    Some,
    /// Uops with their place, and all remarks.
    All,
}

impl NoteLevel {
    const WORDS: &'static [&'static str] = &["none", "some", "all"];
}

/// What a stop at a uop shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StopText {
    /// Nothing of ours.
    None,
    /// The uop and its place.
    Uop,
    /// The same, and the top of the evaluation stack.
    #[default]
    Stack,
}

impl StopText {
    const WORDS: &'static [&'static str] = &["none", "uop", "stack"];
}

/// The values that are chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// `notes`.
    pub notes: NoteLevel,
    /// `frames`.
    pub frames: bool,
    /// `stop`.
    pub stop: StopText,
    /// `symbols`.
    pub symbols: Mode,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            notes: NoteLevel::default(),
            frames: true,
            stop: StopText::default(),
            symbols: Mode::Auto,
        }
    }
}

impl Settings {
    /// Chooses a value. An error says which there are.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match (name, value) {
            ("notes", "none") => self.notes = NoteLevel::None,
            ("notes", "some") => self.notes = NoteLevel::Some,
            ("notes", "all") => self.notes = NoteLevel::All,
            ("frames", "off") => self.frames = false,
            ("frames", "on") => self.frames = true,
            ("stop", "none") => self.stop = StopText::None,
            ("stop", "uop") => self.stop = StopText::Uop,
            ("stop", "stack") => self.stop = StopText::Stack,
            ("symbols", "off") => self.symbols = Mode::Off,
            ("symbols", "on") => self.symbols = Mode::On,
            ("symbols", "auto") => self.symbols = Mode::Auto,
            _ => return Err(refusal(name, value)),
        }
        Ok(())
    }
}

fn refusal(name: &str, value: &str) -> String {
    match SETTINGS.iter().find(|setting| setting.name == name) {
        Some(setting) => format!(
            "'{value}' is no value of '{name}'; it can be {}",
            setting.values.join(", ")
        ),
        None => format!(
            "there is no setting '{name}'; there are {}",
            SETTINGS.map(|setting| setting.name).join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_of_the_table_can_be_set_and_differs_from_the_others() {
        for setting in SETTINGS {
            let chosen: Vec<Settings> = setting
                .values
                .iter()
                .map(|value| {
                    let mut settings = Settings::default();
                    settings.set(setting.name, value).unwrap();
                    settings
                })
                .collect();
            for (index, one) in chosen.iter().enumerate() {
                assert!(!chosen[..index].contains(one), "{}", setting.name);
            }
        }
    }

    #[test]
    fn defaults_are_those_of_the_table() {
        let mut settings = Settings::default();
        for setting in SETTINGS {
            settings.set(setting.name, setting.default).unwrap();
        }
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn refusals_say_what_there_is() {
        let mut settings = Settings::default();
        assert_eq!(
            settings.set("notes", "few"),
            Err("'few' is no value of 'notes'; it can be none, some, all".to_owned())
        );
        assert_eq!(
            settings.set("note", "all"),
            Err("there is no setting 'note'; there are notes, frames, stop, symbols".to_owned())
        );
    }
}
