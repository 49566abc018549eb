//! The files of `serve --record`.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use presence_core::recording::HEADER_START;

use super::Failure;
use super::options::Recording;
use crate::recording::RecordTo;

/// Creates the file, which only this user can read, and opens the one for the part before, whose name has `.1` added. A
/// recording that exists becomes that part.
///
/// # Errors
/// [`Failure::Other`] if one cannot be created, or if one of these names is taken by anything but a recording: nothing is
/// moved then.
pub(super) fn create(recording: &Recording) -> Result<RecordTo, Failure> {
    let path = &*recording.path;
    let failed =
        |error: io::Error| Failure::Other(format!("--record: cannot create {}: {error}", path.display()));
    let mut older = path.as_os_str().to_owned();
    older.push(".1");
    let older = Path::new(&older);
    for taken in [path, older] {
        check_replaceable(taken).map_err(failed)?;
    }
    match std::fs::rename(path, older) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let open = |path: &Path, is_new: bool| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).create_new(is_new);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map(Arc::new).map_err(failed)
    };
    Ok(RecordTo {
        file: open(path, true)?,
        older: open(older, false)?,
        max_bytes: recording.max_bytes,
        keep: recording.keep.clone(),
    })
}

/// Checks that the path is a recording, an empty file, or free.
fn check_replaceable(path: &Path) -> io::Result<()> {
    let other = |why: &str| Err(io::Error::other(format!("{} is {why}", path.display())));
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(there) if !there.is_file() => return other("not a regular file"),
        Ok(_) => {}
    }
    let mut start = Vec::new();
    File::open(path)?
        .take(HEADER_START.len() as u64)
        .read_to_end(&mut start)?;
    if start.is_empty() || start == HEADER_START.as_bytes() {
        return Ok(());
    }
    other("a file that is not a recording")
}
