//! The files of `serve --record`.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use presence_core::recording::HEADER_START;

use super::Failure;
use super::options::Recording;
use crate::files::{lock, open_private};
use crate::recording::RecordTo;

/// Creates the file, which only this user can read, and opens the one for the part before, whose name has `.1` added. A
/// recording that exists becomes that part; an empty file is removed. Both are locked as long as they are open.
///
/// # Errors
/// [`Failure::Other`] if one cannot be created, or if one of these names is taken by anything but a recording, or by one
/// that another gateway writes: nothing is moved then.
pub(super) fn create(recording: &Recording) -> Result<RecordTo, Failure> {
    let path = &*recording.path;
    let failed =
        |error: io::Error| Failure::Other(format!("--record: cannot create {}: {error}", path.display()));
    let mut older = path.as_os_str().to_owned();
    older.push(".1");
    let older = Path::new(&older);
    let mut replaced = Vec::new();
    for taken in [path, older] {
        replaced.extend(check_replaceable(taken).map_err(failed)?);
    }
    let moved = match std::fs::symlink_metadata(path) {
        // With `--record-last` the file is empty until the first request. The older part may be a recording.
        Ok(there) if there.len() == 0 => std::fs::remove_file(path),
        Ok(_) => std::fs::rename(path, older),
        Err(error) => Err(error),
    };
    match moved {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    // Their locks would keep this process out, too.
    drop(replaced);
    let open = |path: &Path, must_be_new| {
        let file = open_private(path, must_be_new).map_err(failed)?;
        lock(&file).map_err(failed)?;
        Ok(Arc::new(file))
    };
    Ok(RecordTo {
        file: open(path, true)?,
        older: open(older, false)?,
        max_bytes: recording.max_bytes,
        keep: recording.keep.clone(),
    })
}

/// Checks that the path is a recording, an empty file, or free. Returns the file, locked.
fn check_replaceable(path: &Path) -> io::Result<Option<File>> {
    let other = |why: &str| Err(io::Error::other(format!("{} is {why}", path.display())));
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(there) if !there.is_file() => return other("not a regular file"),
        Ok(_) => {}
    }
    let file = File::open(path)?;
    let mut start = Vec::new();
    (&file).take(HEADER_START.len() as u64).read_to_end(&mut start)?;
    if !start.is_empty() && start != HEADER_START.as_bytes() {
        return other("a file that is not a recording");
    }
    lock(&file)?;
    Ok(Some(file))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::recording::{Keep, Requests};

    #[test]
    fn an_empty_file_replaces_no_recording() {
        let folder = tempfile::tempdir().unwrap();
        let (file, older) = (folder.path().join("recording"), folder.path().join("recording.1"));
        let recording = Recording {
            path: file.clone(),
            max_bytes: 4_096,
            keep: Keep::Last(Duration::from_secs(300), Requests::default()),
        };
        std::fs::write(&file, HEADER_START).unwrap();
        // At the second start the file is still empty, because nothing was requested.
        for _ in 0..2 {
            create(&recording).unwrap();
            assert_eq!(std::fs::read_to_string(&older).unwrap(), HEADER_START);
            assert_eq!(std::fs::read_to_string(&file).unwrap(), "");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_recording_that_another_gateway_writes_is_not_replaced() {
        use std::io::Write as _;

        let folder = tempfile::tempdir().unwrap();
        let [file, older, oldest] = ["r", "r.1", "r.1.1"].map(|name| folder.path().join(name));
        let recording = |path: &Path| Recording {
            path: path.to_owned(),
            max_bytes: 4_096,
            keep: Keep::Inputs { max_age: None },
        };
        let running = create(&recording(&file)).unwrap();
        (&*running.file).write_all(HEADER_START.as_bytes()).unwrap();
        // The second name is that of the older part.
        for path in [&file, &older] {
            let refusal = create(&recording(path)).unwrap_err().to_string();
            assert!(refusal.ends_with("another gateway writes it"), "{refusal}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), HEADER_START);
            assert_eq!(std::fs::read_to_string(&older).unwrap(), "");
            assert!(!oldest.exists());
        }
        drop(running);
        create(&recording(&file)).unwrap();
        assert_eq!(std::fs::read_to_string(&older).unwrap(), HEADER_START);
    }
}
