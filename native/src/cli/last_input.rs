//! Time since the last keyboard or mouse input, where the system knows it.

/// Seconds since the last keyboard or mouse input of this user; `None` when it is unknown: the user is not logged in,
/// or there was no input since the machine started `uptime_seconds` ago.
#[cfg(target_os = "linux")]
pub(super) fn seconds(uptime_seconds: u64) -> Option<u64> {
    use std::time::{SystemTime, UNIX_EPOCH};

    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    newest(&linux::facts(now, uptime_seconds))
}

/// Seconds since the last keyboard or mouse input; `None` when this user is not at the console, or there was no input
/// since the machine started.
#[cfg(target_os = "macos")]
pub(super) fn seconds(uptime_seconds: u64) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;

    let console = std::fs::metadata("/dev/console").ok()?;
    if console.uid() != rustix::process::getuid().as_raw() {
        return None;
    }
    let output = std::process::Command::new("ioreg")
        .args(["-c", "IOHIDSystem", "-d", "4"])
        .output()
        .ok()?;
    idle_seconds(&String::from_utf8_lossy(&output.stdout), uptime_seconds)
}

/// Unknown on other systems.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(super) fn seconds(_uptime_seconds: u64) -> Option<u64> {
    None
}

/// Parses the idle time from the output of `ioreg`, in nanoseconds. One as long as the uptime means no input.
#[cfg(any(target_os = "macos", test))]
fn idle_seconds(text: &str, uptime_seconds: u64) -> Option<u64> {
    let (_, after) = text.split_once("\"HIDIdleTime\" = ")?;
    let digits = &after[..after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len())];
    digits
        .parse::<u64>()
        .ok()
        .map(|nanoseconds| nanoseconds / 1_000_000_000)
        .filter(|seconds| *seconds < uptime_seconds)
}

/// Facts about terminals and sessions on Linux.
#[cfg(any(target_os = "linux", test))]
#[derive(Clone, Debug, Default)]
struct Facts {
    /// Seconds since the Unix epoch.
    now: i64,
    uptime: i64,
    /// The user's terminals.
    terminals: Vec<Terminal>,
    /// The terminals of the user's login sessions, where a session has one; `None` where sessions are not tracked, as
    /// in containers.
    sessions: Option<Vec<Option<String>>>,
}

/// A terminal, which is "accessed" when its input is read. `w` shows the same.
#[cfg(any(target_os = "linux", test))]
#[derive(Clone, Debug)]
struct Terminal {
    /// `pts/0`, `tty1`.
    name: String,
    accessed: i64,
}

/// Returns the seconds since the newest input that counts. A console (`tty1`) exists even while nobody is logged in,
/// with an access time that is not an input, so it counts only if it has a login session. A pseudo terminal exists only
/// while it is in use.
#[cfg(any(target_os = "linux", test))]
fn newest(facts: &Facts) -> Option<u64> {
    if facts.sessions.as_ref().is_some_and(Vec::is_empty) {
        return None;
    }
    let has_session = |name: &str| {
        let mut names = facts.sessions.iter().flatten().flatten();
        names.any(|session| session == name)
    };
    let started = facts.now.saturating_sub(facts.uptime);
    facts
        .terminals
        .iter()
        .filter(|terminal| terminal.name.starts_with("pts/") || has_session(&terminal.name))
        .map(|terminal| terminal.accessed)
        // Times before the boot, or after now because the clock was set back, are meaningless.
        .filter(|accessed| (started..=facts.now.saturating_add(1)).contains(accessed))
        .max()
        .and_then(|accessed| u64::try_from(facts.now.saturating_sub(accessed).max(0)).ok())
}

#[cfg(target_os = "linux")]
fn whole(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

/// Parses a session file of systemd-logind: returns the session's terminal if the session is a login of that user.
#[cfg(any(target_os = "linux", test))]
fn session_of(text: &str, user: u32) -> Option<Option<String>> {
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .filter(|value| !value.is_empty())
    };
    let is_login = value("CLASS").is_none_or(|class| class == "user" || class == "user-early");
    let is_own = value("UID").and_then(|uid| uid.parse().ok()) == Some(user);
    (is_own && is_login).then(|| value("TTY").map(str::to_owned))
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    use super::{Facts, Terminal, session_of, whole};

    pub(super) fn facts(now: u64, uptime: u64) -> Facts {
        let user = rustix::process::getuid().as_raw();
        Facts {
            now: whole(now),
            uptime: whole(uptime),
            terminals: terminals(user),
            sessions: sessions(user),
        }
    }

    fn terminals(user: u32) -> Vec<Terminal> {
        [("/dev/pts", "", "pts/"), ("/dev", "tty", "tty")]
            .into_iter()
            .flat_map(|(folder, start, shown)| {
                let entries = fs::read_dir(folder).into_iter().flatten().flatten();
                entries.filter_map(move |entry| {
                    let name = entry.file_name();
                    let digits = name.to_str()?.strip_prefix(start)?;
                    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                    let metadata = entry.metadata().ok().filter(|_| is_number)?;
                    let is_own = metadata.file_type().is_char_device() && metadata.uid() == user;
                    is_own.then(|| Terminal {
                        name: format!("{shown}{digits}"),
                        accessed: metadata.atime(),
                    })
                })
            })
            .collect()
    }

    fn sessions(user: u32) -> Option<Vec<Option<String>>> {
        // The folder of sessions also exists in images of containers; only a running logind creates a seat.
        fs::metadata("/run/systemd/seats/seat0").ok()?;
        let entries = fs::read_dir("/run/systemd/sessions").ok()?;
        let texts = entries
            .flatten()
            // The folder also holds pipes, whose reads would block.
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
            .filter_map(|entry| fs::read_to_string(entry.path()).ok());
        Some(texts.filter_map(|text| session_of(&text, user)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn facts(terminals: &[(&str, i64)], sessions: Option<&[Option<&str>]>) -> Facts {
        Facts {
            now: NOW,
            uptime: 1_806,
            terminals: terminals
                .iter()
                .map(|&(name, age)| Terminal {
                    name: name.to_owned(),
                    accessed: NOW - age,
                })
                .collect(),
            sessions: sessions.map(|names| names.iter().map(|name| name.map(str::to_owned)).collect()),
        }
    }

    #[test]
    fn input_at_a_terminal_since_the_boot_counts() {
        // A headless machine: consoles as their image has them, nobody logged in.
        assert_eq!(
            newest(&facts(&[("tty1", 493_347), ("tty2", 493_347)], None)),
            None
        );
        assert_eq!(newest(&facts(&[("tty1", 5), ("pts/0", 5)], Some(&[]))), None);
        // A console with a session, and one without.
        assert_eq!(
            newest(&facts(&[("tty1", 9), ("tty2", 3)], Some(&[Some("tty1")]))),
            Some(9)
        );
        assert_eq!(newest(&facts(&[("tty1", 9)], Some(&[None]))), None);
        // A desktop session without a terminal, and terminal windows in it.
        assert_eq!(
            newest(&facts(&[("pts/0", 70), ("pts/1", 40)], Some(&[None]))),
            Some(40)
        );
        // A container with a terminal; without one.
        assert_eq!(newest(&facts(&[("pts/0", 12)], None)), Some(12));
        assert_eq!(newest(&facts(&[], None)), None);
        // The boundary is the boot.
        assert_eq!(newest(&facts(&[("pts/0", 1_806)], None)), Some(1_806));
        assert_eq!(newest(&facts(&[("pts/0", 1_807)], None)), None);
        // The clock was set back, or starts at 1970.
        assert_eq!(newest(&facts(&[("pts/0", -600)], None)), None);
        assert_eq!(
            newest(&Facts {
                now: 100,
                ..facts(&[("pts/0", 10)], None)
            }),
            None
        );
    }

    #[test]
    fn sessions_are_those_of_the_user() {
        let text = "# This is private data.\nUID=1000\nUSER=ada\nCLASS=user\nTTY=tty2\n";
        assert_eq!(session_of(text, 1_000), Some(Some("tty2".to_owned())));
        assert_eq!(session_of(text, 0), None);
        assert_eq!(session_of("UID=1000\nCLASS=user\n", 1_000), Some(None));
        for class in ["greeter", "manager", "background", "lock-screen"] {
            assert_eq!(session_of(&format!("UID=0\nCLASS={class}\nTTY=tty1\n"), 0), None);
        }
    }

    #[test]
    fn what_ioreg_prints() {
        let text = "  |   \"HIDIdleTime\" = 7123456789\n  |   \"x\" = 1";
        assert_eq!(idle_seconds(text, 100), Some(7));
        assert_eq!(idle_seconds(text, 7), None, "nothing since the boot");
        assert_eq!(idle_seconds("nothing", 100), None);
    }
}
