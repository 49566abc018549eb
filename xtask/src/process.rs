//! Starting other programs.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::project::Project;

/// A program to run; it can be printed as the command line that a user would type.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// Whether the environment of this process is not inherited.
    is_bare: bool,
    folder: PathBuf,
    /// Whether the printed command line names `folder`; it does not name the project's root.
    elsewhere: bool,
}

impl Program {
    /// `name` is looked up on PATH unless it is a path; it runs in the root of the project.
    pub(crate) fn new(project: &Project, name: impl AsRef<OsStr>) -> Self {
        Self {
            name: name.as_ref().to_string_lossy().into_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            is_bare: false,
            folder: project.path("."),
            elsewhere: false,
        }
    }

    /// The cargo that started this program.
    pub(crate) fn cargo(project: &Project) -> Self {
        Self::new(
            project,
            std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
        )
    }

    /// Adds arguments.
    pub(crate) fn with<I: AsRef<str>>(mut self, arguments: impl IntoIterator<Item = I>) -> Self {
        self.arguments
            .extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.to_owned(), value.as_ref().to_string_lossy().into_owned()));
        self
    }

    /// Does not inherit the environment of this process.
    pub(crate) fn without_environment(mut self) -> Self {
        self.is_bare = true;
        self
    }

    /// Runs in this folder.
    pub(crate) fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = folder.as_ref().to_path_buf();
        self.elsewhere = true;
        self
    }

    /// Returns the command line that a user would type.
    pub(crate) fn shown(&self) -> String {
        let mut words = Vec::new();
        if self.elsewhere {
            words.push(format!("cd {} &&", quoted(&self.folder.to_string_lossy())));
        }
        if self.is_bare {
            words.extend(["env".to_owned(), "-i".to_owned()]);
        }
        words.extend(
            self.environment
                .iter()
                .map(|(name, value)| format!("{name}={}", quoted(value))),
        );
        words.push(quoted(&self.typed_name()));
        words.extend(self.arguments.iter().map(|argument| quoted(argument)));
        words.join(" ")
    }

    /// Runs it with its output shown.
    ///
    /// # Errors
    /// When it cannot be started or ends with an error.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        self.run_reading(|_| {})
    }

    /// Runs it with its output shown, and hands every line of its standard output to `line`.
    ///
    /// # Errors
    /// When it cannot be started or ends with an error.
    pub(crate) fn run_reading(&self, mut line: impl FnMut(&str)) -> Result<(), Failure> {
        let mut child = self
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| self.failed(error))?;
        if let Some(output) = child.stdout.take() {
            let mut reader = BufReader::new(output);
            let mut bytes = Vec::new();
            // Bytes, not `lines()`: output that is not UTF-8 must not stop the program.
            while reader
                .read_until(b'\n', &mut bytes)
                .map_err(|error| self.failed(error))?
                > 0
            {
                line(String::from_utf8_lossy(&bytes).trim_end());
                // Counting continues after the pipe is closed (`| head`).
                let _ = std::io::stdout().lock().write_all(&bytes);
                bytes.clear();
            }
        }
        let status = child.wait().map_err(|error| self.failed(error))?;
        if status.success() {
            Ok(())
        } else {
            Err(self.failed(status))
        }
    }

    /// Its standard output, if it can be started and succeeds.
    pub(crate) fn output(&self) -> Option<String> {
        let output = self
            .command()
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Its standard output, however it ends.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn any_output(&self) -> Result<String, Failure> {
        let output = self
            .command()
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .map_err(|error| self.failed(error))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Replaces this process with the program, so that signals and the exit code are those of the program.
    ///
    /// # Errors
    /// When it cannot be started, or (where this process must wait for it) ends with an error.
    #[cfg(unix)]
    pub(crate) fn become_it(&self) -> Result<(), Failure> {
        use std::os::unix::process::CommandExt;
        Err(self.failed(self.command().exec()))
    }

    /// Runs it to its end: other systems cannot replace a process.
    ///
    /// # Errors
    /// When it cannot be started or ends with an error.
    #[cfg(not(unix))]
    pub(crate) fn become_it(&self) -> Result<(), Failure> {
        let status = self.command().status().map_err(|error| self.failed(error))?;
        if status.success() {
            Ok(())
        } else {
            Err(self.failed(status))
        }
    }

    /// Returns the name without the path at which this toolchain keeps its cargo.
    fn typed_name(&self) -> String {
        let path = Path::new(&self.name);
        if path.file_stem().is_some_and(|stem| stem == "cargo") {
            "cargo".to_owned()
        } else {
            self.name.clone()
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.name);
        command.args(&self.arguments).current_dir(&self.folder);
        if self.is_bare {
            command.env_clear();
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn failed(&self, why: impl std::fmt::Display) -> Failure {
        Failure::Program {
            what: format!("{}: {why}", self.typed_name()),
            repeat: self.shown(),
        }
    }
}

fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,@+".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_a_person_would_type_it() {
        let project = Project::locate().expect("project");
        let cargo = Program::cargo(&project)
            .with(["doc", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(cargo.shown(), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
        assert_eq!(
            Program::new(&project, "npm").folder("/a b").with(["ci"]).shown(),
            "cd '/a b' && npm ci"
        );
    }

    #[test]
    fn a_program_that_fails_is_a_failure_and_its_lines_are_read() {
        let project = Project::locate().expect("project");
        let mut lines = Vec::new();
        let version = Program::cargo(&project).with(["--version"]);
        version
            .run_reading(|line| lines.push(line.to_owned()))
            .expect("cargo runs");
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with("cargo "), "{lines:?}");
        assert!(
            Program::cargo(&project)
                .with(["no-such-subcommand"])
                .run()
                .is_err()
        );
        assert!(Program::new(&project, "no-such-program").run().is_err());
    }

    #[test]
    fn words_with_shell_signs_are_quoted() {
        assert_eq!(quoted("--token=abc"), "--token=abc");
        assert_eq!(quoted("two words"), "'two words'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
