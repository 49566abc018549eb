//! The steps of an installation.

use std::fmt;
use std::path::{Path, PathBuf};

use super::check::Service;
use super::unit;

/// The path of programs that the administrator installs.
const SYSTEM_PROGRAM: &str = "/usr/local/bin/presence-gateway";
const SYSTEM_UNIT: &str = "/etc/systemd/system/presence-gateway.service";
const SYSTEM_SETTINGS: &str = "/etc/presence-gateway.env";

/// The files of an installation.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// The program that the service runs.
    pub program: PathBuf,
    /// The program to copy there, if it is elsewhere.
    pub copied_from: Option<PathBuf>,
    /// The unit.
    pub unit: PathBuf,
    /// The secret, and settings of the administrator.
    pub settings: PathBuf,
}

impl Places {
    /// Those of a machine. The user of its service cannot read home folders, so a program in one of them is
    /// copied.
    pub(super) fn of_system(program: PathBuf) -> Self {
        let is_system = program.starts_with("/usr") || program.starts_with("/opt");
        let (program, copied_from) = if is_system {
            (program, None)
        } else {
            (SYSTEM_PROGRAM.into(), Some(program))
        };
        Self {
            program,
            copied_from,
            unit: SYSTEM_UNIT.into(),
            settings: SYSTEM_SETTINGS.into(),
        }
    }
}

/// A step of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Copies the program.
    Copy { from: PathBuf, to: PathBuf },
    /// Writes the settings with a new token, unless they exist.
    Secret { path: PathBuf },
    /// Writes the unit.
    Unit { path: PathBuf, text: String },
    /// Runs a command.
    Run(Vec<String>),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Copy { from, to } => write!(f, "copy {} to {}", from.display(), to.display()),
            Self::Secret { path } => write!(f, "write {} (mode 0600)", path.display()),
            Self::Unit { path, .. } => write!(f, "write {}", path.display()),
            Self::Run(words) => write!(f, "run {}", words.join(" ")),
        }
    }
}

/// The steps of an installation, in order.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The command that fails if there is no service manager.
    pub probe: Vec<String>,
    /// The steps.
    pub actions: Vec<Action>,
    /// What to do next.
    pub epilogue: String,
}

impl Plan {
    pub(super) fn new(places: &Places, is_system: bool, service: &Service<'_>) -> Self {
        let systemctl = |words: &[&str]| {
            let scope: &[&str] = if is_system { &[] } else { &["--user"] };
            let words = [&["systemctl"], scope, words].concat();
            words.into_iter().map(str::to_owned).collect()
        };
        let mut actions = Vec::new();
        if let Some(from) = &places.copied_from {
            actions.push(Action::Copy {
                from: from.clone(),
                to: places.program.clone(),
            });
        }
        actions.extend([
            Action::Unit {
                path: places.unit.clone(),
                text: unit::text(is_system, &places.program, &places.settings, service),
            },
            Action::Secret {
                path: places.settings.clone(),
            },
            Action::Run(systemctl(&["daemon-reload"])),
            Action::Run(systemctl(&["enable", "presence-gateway.service"])),
            // Not `start`, which would leave an older version running.
            Action::Run(systemctl(&["restart", "presence-gateway.service"])),
        ]);
        Self {
            probe: systemctl(&["--quiet", "show-environment"]),
            actions,
            epilogue: epilogue(&places.settings, is_system),
        }
    }
}

fn epilogue(settings: &Path, is_system: bool) -> String {
    let (scope, log, lingers) = if is_system {
        ("", "journalctl -u presence-gateway", "")
    } else {
        (
            " --user",
            "journalctl --user -u presence-gateway",
            "  logout   loginctl enable-linger keeps it running without a login\n",
        )
    };
    format!(
        "the service is installed\n  secret   {}\n  state    systemctl{scope} status presence-gateway\n  log      {log}\n{lingers}",
        settings.display()
    )
}

/// The settings of a new installation.
pub(super) fn settings(token: &str) -> String {
    format!(
        "# Settings of presence-gateway, one per line: `presence-gateway serve --help` has their names.\n\
         OPENCLAW_GATEWAY_TOKEN={token}\n"
    )
}

/// For people, and for `--dry-run`.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for action in &self.actions {
            writeln!(f, "{action}")?;
            let text = match action {
                Action::Secret { .. } => settings("(a new random token; a file that is there is kept)"),
                Action::Unit { text, .. } => text.clone(),
                Action::Copy { .. } | Action::Run(_) => continue,
            };
            for line in text.lines() {
                writeln!(f, "{}", format!("    {line}").trim_end())?;
            }
        }
        Ok(())
    }
}
