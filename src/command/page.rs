//! How much a page of `jit-dis` shows, and how it is drawn.

use crate::listing::Level;
use clap::{Args, ValueEnum};

/// Options that change how a listing looks, not what it is of.
#[derive(Args, Clone, Debug)]
pub struct Page {
    /// Every remark on an instruction, the obvious ones too
    #[arg(long, conflicts_with_all = ["quiet", "no_notes"])]
    all_notes: bool,

    /// Leave out remarks on instructions
    #[arg(long)]
    no_notes: bool,

    /// Only uops and their machine code: no source, bytecode, remarks, arrows or exits
    #[arg(long)]
    pub quiet: bool,

    /// Arrows of jumps inside the code
    #[arg(long, value_enum, value_name = "WHEN", default_value = "on")]
    arrows: Arrows,

    /// Nothing but ASCII, apart from names and source of the program
    #[arg(long)]
    pub ascii: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Arrows {
    /// Draw them
    On,
    /// Leave them out
    Off,
}

impl Page {
    /// How much is said.
    pub fn level(&self) -> Level {
        match (self.quiet, self.all_notes) {
            (true, _) => Level::Quiet,
            (false, true) => Level::All,
            (false, false) => Level::Readable,
        }
    }

    /// Whether remarks are to be made; JSON has them also where text is to be quiet.
    pub fn has_notes(&self, json: bool) -> bool {
        !self.no_notes && (json || !self.quiet)
    }

    /// Whether arrows are drawn.
    pub fn has_arrows(&self) -> bool {
        self.arrows == Arrows::On && !self.quiet
    }
}
