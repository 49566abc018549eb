//! Reads small files.

use std::fs::File;
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
