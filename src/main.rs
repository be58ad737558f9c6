//! The program `cpyjit`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(cpyjit::command_line::run(std::env::args_os()))
}
