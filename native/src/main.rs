//! The gateway and its command line as a program.

use std::process::ExitCode;

#[cfg(all(feature = "mimalloc", target_env = "musl"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    presence_gateway::cli::main()
}
