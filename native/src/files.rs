//! Reads small files, and opens files that only this process writes and only this user reads.

use std::fs::File;
#[cfg(feature = "cli")]
use std::fs::{OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::Path;

/// Reads a regular file of at most `max_bytes`: a device or a pipe may have no end.
///
/// # Errors
/// When the file cannot be read, or is not such a file of UTF-8 text.
pub(crate) fn read_small(path: &Path, max_bytes: u64) -> io::Result<String> {
    let unfit = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let file = open_regular(path)?;
    let mut bytes = Vec::new();
    file.take(max_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(unfit(format!("it has more than {max_bytes} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| unfit("it is not UTF-8 text".to_owned()))
}

/// Opens a regular file to read it.
///
/// # Errors
/// When it cannot be opened, or is a folder, a pipe or a device.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let file = open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    let why = "it is not a regular file";
    Err(io::Error::new(io::ErrorKind::InvalidData, why))
}

/// Opens a file to read and write it, and creates it with mode 0600 if there is none.
///
/// # Errors
/// When it cannot be opened, or `must_be_new` and there is one.
#[cfg(feature = "cli")]
pub(crate) fn open_private(path: &Path, must_be_new: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .create_new(must_be_new);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Locks a file until it is closed.
///
/// # Errors
/// When another process has locked it.
#[cfg(feature = "cli")]
pub(crate) fn lock(file: &File) -> io::Result<()> {
    // On Windows a lock would keep readers out.
    if cfg!(unix) && matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(io::Error::other("another gateway writes it"));
    }
    // Some file systems have no locks.
    Ok(())
}

/// Opens the file without waiting: opening a pipe waits for its writer.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};

    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_no_small_file_is_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let text = folder.path().join("text");
        std::fs::write(&text, "12345").unwrap();
        let (report, outcome) = mpsc::channel();
        // Opening a pipe may wait for ever.
        std::thread::spawn(move || {
            let why = |path: &Path, max_bytes| read_small(path, max_bytes).unwrap_err().to_string();
            let wrong = [&*pipe, folder.path(), Path::new("/dev/zero")].map(|path| why(path, 10));
            report.send((wrong, why(&text, 4), read_small(&text, 5).unwrap()))
        });
        let (wrong, long, read) = outcome.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(wrong, ["it is not a regular file"; 3]);
        assert_eq!(long, "it has more than 4 bytes");
        assert_eq!(read, "12345");
    }
}
