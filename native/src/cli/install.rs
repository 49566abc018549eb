//! `install-service`: the gateway as a service of systemd.

mod check;
mod plan;
mod unit;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use self::plan::{Action, Places, Plan};
use super::Failure;
use super::kept;
use super::options::InstallOptions;
use super::output::print;
use crate::auth::secret::Secret;

/// Installs and starts the service, or prints the steps.
///
/// # Errors
/// [`Failure::Usage`]: options of `serve` that are wrong, or belong in the settings file. [`Failure::Other`] names the
/// file or command that failed, and the steps done before.
pub(super) fn install(options: &InstallOptions) -> Result<(), Failure> {
    let service = check::service(&options.serve)?;
    let places = places(options.system)?;
    let plan = Plan::new(&places, options.system, &service);
    if options.dry_run {
        return print(&plan.to_string());
    }
    check_unit(&places.unit)?;
    run(&plan.probe)?;
    for action in &plan.actions {
        perform(action)?;
    }
    print(&plan.epilogue)
}

/// Checks that the unit at this path, if any, was written by this command.
fn check_unit(path: &Path) -> Result<(), Failure> {
    let why = match fs::read_to_string(path) {
        Ok(present) if unit::is_ours(&present) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Ok(_) => "install-service did not write this file; move it away first".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(Failure::Other(format!("{}: {why}", path.display())))
}

fn places(is_system: bool) -> Result<Places, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::Other(format!("cannot find this program: {error}")))?;
    if is_system {
        return Ok(Places::of_system(program));
    }
    let missing = || Failure::Other("there is no configuration folder (HOME is not set)".to_owned());
    let settings = kept::path("gateway.env").ok_or_else(missing)?;
    let folder = kept::config_folder().ok_or_else(missing)?;
    Ok(Places {
        unit: folder.join("systemd/user/presence-gateway.service"),
        settings,
        copied_from: None,
        program,
    })
}

fn perform(action: &Action) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Other(format!("{action}: {error}"));
    match action {
        Action::Copy { from, to } => {
            let program = fs::read(from).map_err(failed)?;
            replace(to, &program, 0o755).map_err(failed)?;
        }
        Action::Secret { path } => {
            if fs::symlink_metadata(path).is_ok() {
                let path = path.display();
                return print(&format!(
                    "kept {path}: make sure that it sets OPENCLAW_GATEWAY_TOKEN or OPENCLAW_GATEWAY_PASSWORD\n"
                ));
            }
            let token = Secret::random().map_err(|error| Failure::Other(error.to_string()))?;
            let text = plan::settings(token.reveal());
            replace(path, text.as_bytes(), 0o600).map_err(failed)?;
        }
        Action::Unit { path, text } => {
            replace(path, text.as_bytes(), 0o644).map_err(failed)?;
        }
        Action::Run(words) => run(words)?,
    }
    print(&format!("{action}\n"))
}

/// Replaces the file atomically.
fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    draft.write_all(bytes)?;
    #[cfg(unix)]
    draft
        .as_file()
        .set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    #[cfg(not(unix))]
    let _ = mode;
    draft.as_file().sync_all()?;
    draft.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn run(words: &[String]) -> Result<(), Failure> {
    let line = words.join(" ");
    let Some((program, arguments)) = words.split_first() else {
        return Ok(());
    };
    match Command::new(program).args(arguments).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::Other(format!("`{line}` failed: {status}"))),
        Err(error) => Err(Failure::Other(format!("`{line}` cannot be run: {error}"))),
    }
}
