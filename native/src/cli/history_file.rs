//! The file of `serve --history`.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::files::{lock, open_private};
use crate::history::HistoryConfig;

/// The place of the database. While this exists, no other gateway writes it.
#[derive(Debug)]
pub(super) struct HistoryFile {
    /// Its folder.
    pub(super) folder: PathBuf,
    _lock: File,
}

/// Creates the file if there is none, and makes it one that only this user can read. The path becomes absolute, without
/// links.
///
/// # Errors
/// [`Failure::Other`] if it cannot be created or is no regular file, if another gateway writes it, or if its folder is
/// the root of the file system: the process could then write everywhere.
pub(super) fn create(history: &mut HistoryConfig) -> Result<HistoryFile, Failure> {
    let named = history.path.display().to_string();
    let failed =
        |why: &dyn std::fmt::Display| Failure::Other(format!("--history: cannot use {named}: {why}"));
    let file = open_private(&history.path, false).map_err(|error| failed(&error))?;
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
    // Not the database itself, because closing a second handle of it would release SQLite's locks.
    let mut lock_path = path.clone().into_os_string();
    lock_path.push("-lock");
    let lock_file = open_private(Path::new(&lock_path), false).map_err(|error| failed(&error))?;
    lock(&lock_file).map_err(|error| failed(&error))?;
    history.path = path;
    Ok(HistoryFile {
        folder,
        _lock: lock_file,
    })
}
