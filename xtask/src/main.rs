//! `cargo xtask`: builds, runs and tests everything in this repository.
//!
//! Few and small dependencies, so that the first `cargo xtask` on a fresh machine starts within seconds.
//! Tools beyond Rust are downloaded to `target/tools` and the `node_modules` of the project; only cargo itself
//! writes to the user's home.

mod bench;
mod commands;
mod failure;
mod process;
mod project;
mod steps;
mod tally;
mod tools;

use std::process::ExitCode;

use failure::Failure;
use project::Project;

const HELP: &str = "\
cargo xtask <command>

  run [gateway options]   build the gateway (release) and start it in the foreground; options go to
                          `presence-gateway serve`, e.g. `cargo xtask run --port 0 --token secret`
  test                    run all tests, cheap ones first
      --only NAME         run only this step and the steps it requires (may be repeated)
      --with-openclaw     also run the tests with the real OpenClaw command lines (large downloads)
      --list              list the steps and exit
  bench                   measure the gateway beside bare TCP, the core and the npm package; write BENCHMARKS.md
      --peers             also the real gateways, openclaw@2026.9.6 and openclaw@2026.2.12 (large downloads)
      --quick             the same in a shorter time, into target/bench-quick
      --only NAME         only this measurement (may be repeated); figures of the others are kept
  simulate                run many seeds of the simulations of gateways and clients, for example overnight
      --world NAME        only this one: pair (one gateway) or fleet (several that observe each other)
      --from N            the first seed (default: 1000)
      --seeds N           number of seeds (default: 10000 and 2000); prints the command that repeats a failed seed
  soak                    let clients connect, disconnect and misbehave for a long time; memory must not grow
      --minutes N         duration (default: 60)
  autobahn                run the Autobahn suite's cases against the gateway, through an echo relay; needs Python
  fuzz [TARGET]..         run the fuzz targets (all, or these) on one core; needs a nightly Rust
      --seconds N         time for each target (default: 60)
  supply                  check dependencies and release builds: licences, advisories, the same bytes from two folders,
                          bills of materials, Linux on ARM and with musl; results in target/supply
      --only NAME         run only this step and the steps it requires (may be repeated)
      --list              list the steps and exit
  build                   build everything in release: the npm package, and the gateway with the demo page, as one
                          static program on Linux
  deb                     build a Debian package of that program, in target/deb
  docs                    build a searchable site of the documentation, in target/docs/site
  help                    print this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\n{failure}");
            if let Some(last) = failure.last_line() {
                println!("{last}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<(), Failure> {
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    // Arguments after `run` belong to the gateway, which has its own help.
    if command != "run" && rest.iter().any(|option| option == "--help" || option == "-h") {
        print!("{HELP}");
        return Ok(());
    }
    match command {
        "run" => commands::run(&Project::locate()?, rest),
        "test" => commands::test(&Project::locate()?, rest),
        "bench" => commands::bench(&Project::locate()?, rest),
        "simulate" => commands::simulate(&Project::locate()?, rest),
        "soak" => commands::soak(&Project::locate()?, rest),
        "autobahn" => commands::autobahn(&Project::locate()?, rest),
        "fuzz" => commands::fuzz(&Project::locate()?, rest),
        "supply" => commands::supply(&Project::locate()?, rest),
        "docs" => commands::docs(&Project::locate()?, rest),
        "build" => commands::build(&Project::locate()?, rest),
        "deb" => commands::deb(&Project::locate()?, rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(Failure::usage(format!("there is no command `{other}`\n\n{HELP}"))),
    }
}
