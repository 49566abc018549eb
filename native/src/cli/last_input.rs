//! How long ago somebody typed, where the system tells it.

/// Seconds since the last keyboard or mouse input of this user; `None` when the system does not tell.
#[cfg(target_os = "linux")]
pub(super) fn seconds() -> Option<u64> {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    use std::time::{SystemTime, UNIX_EPOCH};

    // Terminals are "accessed" when they are read from: when somebody types. This is what `w` shows.
    let user = rustix::process::getuid().as_raw();
    let terminals = [("/dev/pts", ""), ("/dev", "tty")]
        .into_iter()
        .flat_map(|(folder, prefix)| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.filter(move |entry| {
                let name = entry.file_name();
                let digits = name.to_str().and_then(|name| name.strip_prefix(prefix));
                digits.is_some_and(|digits| {
                    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
                })
            })
        });
    let newest = terminals
        .filter_map(|entry| entry.metadata().ok())
        .filter(|terminal| terminal.file_type().is_char_device() && terminal.uid() == user)
        .map(|terminal| terminal.atime())
        .max()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(now.saturating_sub(u64::try_from(newest).ok()?))
}

/// Seconds since the last keyboard or mouse input; `None` when the system does not tell.
#[cfg(target_os = "macos")]
pub(super) fn seconds() -> Option<u64> {
    let output = std::process::Command::new("ioreg")
        .args(["-c", "IOHIDSystem", "-d", "4"])
        .output()
        .ok()?;
    idle_seconds(&String::from_utf8_lossy(&output.stdout))
}

/// No such source is known here.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(super) fn seconds() -> Option<u64> {
    None
}

/// The idle time in what `ioreg` prints, which counts nanoseconds.
#[cfg(any(target_os = "macos", test))]
fn idle_seconds(text: &str) -> Option<u64> {
    let (_, after) = text.split_once("\"HIDIdleTime\" = ")?;
    let digits = &after[..after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len())];
    digits
        .parse::<u64>()
        .ok()
        .map(|nanoseconds| nanoseconds / 1_000_000_000)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_ioreg_prints() {
        assert_eq!(
            super::idle_seconds("  |   \"HIDIdleTime\" = 7123456789\n  |   \"x\" = 1"),
            Some(7)
        );
        assert_eq!(super::idle_seconds("nothing"), None);
    }
}
