//! The file of `serve --record`.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;

use super::Failure;
use crate::recording::RecordTo;

/// Creates the file, which only this user can read. One that exists is kept under its name with `.1`.
///
/// # Errors
/// [`Failure::Other`] if it cannot be created, or if there is a folder, device, pipe or link: nothing is moved then.
pub(super) fn create(path: &Path, max_bytes: u64) -> Result<RecordTo, Failure> {
    let failed = |error: std::io::Error| {
        Failure::Other(format!("--record: cannot create {}: {error}", path.display()))
    };
    match std::fs::symlink_metadata(path) {
        Ok(there) if !there.is_file() => {
            return Err(failed(std::io::Error::other(
                "what is there is not a regular file",
            )));
        }
        _ => {}
    }
    let mut older = path.as_os_str().to_owned();
    older.push(".1");
    match std::fs::rename(path, older) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = Arc::new(options.open(path).map_err(failed)?);
    Ok(RecordTo { file, max_bytes })
}
