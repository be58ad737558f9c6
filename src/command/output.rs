//! The options that every command has.

use clap::Args;

/// Where the report goes and in which form.
#[derive(Args, Clone, Debug, Default)]
pub struct Output {
    /// Print one JSON document instead of text
    #[arg(long, help_heading = "Output")]
    pub json: bool,

    /// Write the report to FILE instead of the terminal
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<String>,
}

impl Output {
    /// What can be told of a call that could not be parsed: whether it asked for JSON.
    pub fn in_vain(arguments: &[String]) -> Output {
        Output {
            json: arguments.iter().any(|argument| argument == "--json"),
            output: None,
        }
    }
}
