//! The gateway and its command line as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    presence_gateway::cli::main()
}
