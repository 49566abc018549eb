//! Shell completions and manual pages, generated from the definition of the command line.

use std::io::Write;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use super::options::Cli;
use super::output::print;
use super::{Failure, PROGRAM};

/// Prints the completions for a shell.
pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), PROGRAM, &mut text);
    print(&String::from_utf8_lossy(&text))
}

/// Writes a manual page for the program and one for each command, and prints their paths.
///
/// # Errors
/// [`Failure::Other`] names the file that cannot be written.
pub(super) fn man(folder: &Path) -> Result<(), Failure> {
    let failed = |path: &Path, error: &std::io::Error| {
        Failure::Other(format!("cannot write {}: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let program = Cli::command().disable_help_subcommand(true);
    for (name, command) in pages(program) {
        let path = folder.join(format!("{name}.1"));
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .and_then(|()| std::fs::File::create(&path)?.write_all(&page))
            .map_err(|error| failed(&path, &error))?;
        print(&format!("{}\n", path.display()))?;
    }
    Ok(())
}

/// The program and its commands, each with the name of its page: `presence-gateway-list` for `list`.
fn pages(mut program: clap::Command) -> Vec<(String, clap::Command)> {
    program.build();
    let commands = program.get_subcommands().filter(|command| !command.is_hide_set());
    let mut pages: Vec<_> = commands
        .map(|command| {
            let name = format!("{PROGRAM}-{}", command.get_name());
            (name.clone(), command.clone().name(name))
        })
        .collect();
    pages.insert(0, (PROGRAM.to_owned(), program));
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let names: Vec<String> = pages(Cli::command()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names[0], PROGRAM);
        for command in Cli::command().get_subcommands() {
            assert!(
                names.contains(&format!("{PROGRAM}-{}", command.get_name())),
                "{names:?}"
            );
        }
    }
}
