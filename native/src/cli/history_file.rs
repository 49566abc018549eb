//! The file of `serve --history`.

use std::fs::OpenOptions;
use std::path::PathBuf;

use super::Failure;
use crate::history::HistoryConfig;

/// Creates the file if there is none, and makes it one that only this user can read. Returns its folder. The path
/// becomes absolute, without links.
///
/// # Errors
/// [`Failure::Other`] if it cannot be created or is no regular file, or if its folder is the root of the file system:
/// the process could then write everywhere.
pub(super) fn create(history: &mut HistoryConfig) -> Result<PathBuf, Failure> {
    let named = history.path.display().to_string();
    let failed =
        |why: &dyn std::fmt::Display| Failure::Other(format!("--history: cannot use {named}: {why}"));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&history.path).map_err(|error| failed(&error))?;
    let metadata = file.metadata().map_err(|error| failed(&error))?;
    if !metadata.is_file() {
        return Err(failed(&"it is not a regular file"));
    }
    let path = history.path.canonicalize().map_err(|error| failed(&error))?;
    let folder = path.parent().filter(|folder| folder.parent().is_some());
    let folder = folder
        .ok_or_else(|| failed(&"give it a folder of its own"))?
        .to_owned();
    #[cfg(unix)]
    {
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        file.set_permissions(private).map_err(|error| failed(&error))?;
    }
    history.path = path;
    Ok(folder)
}
