//! Reads small files.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Reads a regular file of at most `max_bytes`: a device or a pipe may have no end.
///
/// # Errors
/// When the file cannot be read, or is not such a file of UTF-8 text.
pub(crate) fn read_small(path: &Path, max_bytes: u64) -> io::Result<String> {
    let unfit = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    if !fs::metadata(path)?.is_file() {
        return Err(unfit("it is not a regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(max_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(unfit(format!("it has more than {max_bytes} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| unfit("it is not UTF-8 text".to_owned()))
}
