//! The program `cpyjit`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let own_file = std::env::current_exe().ok();
    ExitCode::from(cpyjit::command_line::run(
        std::env::args_os(),
        own_file.as_deref(),
    ))
}
