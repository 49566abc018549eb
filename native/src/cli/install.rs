//! `install-service`: the gateway as a service of systemd.

mod plan;
mod unit;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use self::plan::{Action, Places, Plan};
use super::kept;
use super::options::{Cli, Command as Parsed, InstallOptions};
use super::output::print;
use super::{Failure, PROGRAM};
use crate::auth::secret::Secret;

/// Installs and starts the service, or prints the steps.
///
/// # Errors
/// [`Failure::Usage`]: options of `serve` that are wrong, or belong in the settings file. [`Failure::Other`] names the
/// file or command that failed, and the steps done before.
pub(super) fn install(options: &InstallOptions) -> Result<(), Failure> {
    check(&options.serve)?;
    let places = places(options.system)?;
    let plan = Plan::new(&places, options.system, &options.serve);
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

/// Options that contain a secret.
const SECRETS: [&str; 4] = ["--token", "--password", "--observe-token", "--observe-password"];

/// Checks the options of `serve` as `serve` does. A service's command line is public, and its folder differs.
fn check(serve: &[String]) -> Result<(), Failure> {
    let names = serve.iter().map(|word| word.split('=').next().unwrap_or(word));
    if let Some(name) = names.into_iter().find(|name| SECRETS.contains(name)) {
        return Err(Failure::Usage(format!(
            "{name}: other users can read the command line of a service; put the secret into the settings file, whose \
             path --dry-run prints"
        )));
    }
    let words = [PROGRAM, "serve"]
        .into_iter()
        .chain(serve.iter().map(String::as_str));
    let parsed = Cli::of(words).map_err(|error| Failure::Usage(error.to_string()))?;
    let Parsed::Serve(options) = parsed.command else {
        return Err(Failure::Usage(
            "only options of `serve` can follow `--`".to_owned(),
        ));
    };
    options
        .resolve()
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let paths = [
        ("config", &options.config),
        #[cfg(feature = "history")]
        ("history", &options.past.history),
        ("record", &options.record),
        ("tls-cert", &options.tls_cert),
        ("tls-key", &options.tls_key),
        ("tokens", &options.tokens),
        ("web-root", &options.web_root),
        #[cfg(feature = "webhook")]
        ("webhook-secret-file", &options.hook.webhook_secret_file),
        #[cfg(feature = "webhook")]
        ("webhook-tls-ca", &options.hook.webhook_tls_ca),
    ];
    for (name, path) in paths {
        if let Some(path) = path.as_ref().filter(|path| path.is_relative()) {
            let path = path.display();
            return Err(Failure::Usage(format!(
                "--{name} {path}: a service needs the whole path, from / on"
            )));
        }
    }
    Ok(())
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
                return print(&format!("kept {}\n", path.display()));
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
