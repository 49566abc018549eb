//! Failures of commands, each with the next step for the user.

use std::fmt;

/// What stopped a command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line was not understood.
    Usage(String),
    /// The machine lacks something that cannot be fetched for the user.
    Missing(String),
    /// A program ended with an error, or could not be started.
    Program {
        /// What went wrong.
        what: String,
        /// The command line that repeats it.
        repeat: String,
    },
    /// A step of `cargo xtask test` or `supply` failed.
    Step {
        /// The command.
        command: &'static str,
        /// The step's name.
        name: &'static str,
        /// Why.
        cause: Box<Self>,
        /// The summary line: `N passed, N failed`.
        totals: String,
    },
}

impl Failure {
    /// The command line was not understood.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// The machine lacks something that cannot be fetched for the user.
    pub(crate) fn missing(text: impl Into<String>) -> Self {
        Self::Missing(text.into())
    }

    /// The last line of the output, if the failure has one.
    pub(crate) fn last_line(&self) -> Option<&str> {
        match self {
            Self::Step { totals, .. } => Some(totals),
            Self::Usage(_) | Self::Missing(_) | Self::Program { .. } => None,
        }
    }

    /// 2 for a wrong command line, as is usual; else 1.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Missing(_) | Self::Program { .. } | Self::Step { .. } => 1,
        }
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(format!("{error} (see `cargo xtask help`)"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Missing(text) => write!(out, "xtask: {text}"),
            Self::Program { what, repeat } => write!(out, "xtask: {what}\n  to repeat it: {repeat}"),
            Self::Step {
                command, name, cause, ..
            } => {
                write!(
                    out,
                    "xtask: step `{name}` failed\n{cause}\n  this step alone: cargo xtask {command} --only {name}"
                )
            }
        }
    }
}
