//! Small files of a user: written atomically, created once even by concurrent processes, readable by their owner only.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::files::read_small;

/// Most bytes of such a file.
const MAX_BYTES: u64 = 16 * 1024;

/// The state of a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Usable.
    Whole,
    /// Empty or truncated: the writer was interrupted.
    Broken,
    /// Written by another program; must not be replaced.
    Foreign,
}

/// The path of a file of that name in this user's configuration folder, if there is one.
pub(super) fn path(name: &str) -> Option<PathBuf> {
    Some(config_folder()?.join("openclaw-presence").join(name))
}

/// The configuration folder of this user, if there is one.
pub(super) fn config_folder() -> Option<PathBuf> {
    let from = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if cfg!(windows) {
        from("APPDATA")
    } else if cfg!(target_os = "macos") {
        from("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        from("XDG_CONFIG_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| from("HOME").map(|home| home.join(".config")))
    }
}

/// Returns the text in the file. If the file is absent or broken, writes the text that `make` returns. Concurrent
/// calls return the same text. A file that other users can read is restricted to its owner.
///
/// # Errors
/// When the file can neither be read nor written, or is [`State::Foreign`].
pub(super) fn text(
    path: &Path,
    state: fn(&str) -> State,
    make: impl FnOnce() -> io::Result<String>,
) -> io::Result<String> {
    if let Some(text) = usable(path, state)? {
        return Ok(text);
    }
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    let lock = lock(folder);
    // Another process may have written it during the wait for the lock.
    if let Some(text) = usable(path, state)? {
        return Ok(text);
    }
    let made = Zeroizing::new(make()?);
    // Readable by its owner only, and in the same folder, so that it can be renamed.
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    draft.write_all(made.as_bytes())?;
    draft.as_file().sync_all()?;
    if path.exists() {
        draft.persist(path).map_err(|error| error.error)?;
    } else if let Err(error) = draft.persist_noclobber(path)
        && error.error.kind() != io::ErrorKind::AlreadyExists
    {
        // File systems without an atomic create replace the file.
        error.file.persist(path).map_err(|error| error.error)?;
    }
    // The rename is durable only after a sync of the folder, which some systems do not support.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    drop(lock);
    usable(path, state)?
        .ok_or_else(|| io::Error::other("the file is gone or damaged right after it was written"))
}

fn usable(path: &Path, state: fn(&str) -> State) -> io::Result<Option<String>> {
    let text = match read_small(path, MAX_BYTES) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match state(&text) {
        State::Whole => {
            narrow(path);
            Ok(Some(text))
        }
        State::Broken => Ok(None),
        State::Foreign => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is not what this program writes there; move it away",
        )),
    }
}

/// Restricts access to the owner.
#[cfg(unix)]
fn narrow(path: &Path) {
    use std::os::unix::fs::PermissionsExt;

    use super::stderr::print_note;

    let is_wide = fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
    if is_wide && let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(0o600)) {
        print_note(&format!(
            "other users can read {}, and its mode cannot be changed: {error}",
            path.display()
        ));
    }
}

#[cfg(not(unix))]
fn narrow(_: &Path) {}

/// Locks the folder until the result is dropped. `None` where folders have no locks: then the first process makes a new
/// file, and the last one replaces a broken file.
fn lock(folder: &Path) -> Option<File> {
    let folder = File::open(folder).ok()?;
    folder.lock().ok()?;
    Some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole texts end in a full stop.
    fn state(text: &str) -> State {
        match text.trim_end() {
            text if text.ends_with('.') => State::Whole,
            text if text.contains('!') => State::Foreign,
            _ => State::Broken,
        }
    }

    fn kept(path: &Path, made: &str) -> io::Result<String> {
        text(path, state, || Ok(made.to_owned()))
    }

    #[test]
    fn a_text_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/text");
        assert_eq!(kept(&path, "one.").unwrap(), "one.");
        assert_eq!(kept(&path, "two.").unwrap(), "one.");
        assert_eq!(
            fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "no draft is left behind"
        );
    }

    #[test]
    fn empty_and_cut_off_files_are_healed_and_others_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        for broken in ["", "\n", "on"] {
            fs::write(&path, broken).unwrap();
            assert_eq!(kept(&path, "one.").unwrap(), "one.", "{broken:?}");
        }
        for foreign in [&b"notes!"[..], &[0xff, 0xfe]] {
            fs::write(&path, foreign).unwrap();
            assert_eq!(
                kept(&path, "one.").unwrap_err().kind(),
                io::ErrorKind::InvalidData
            );
            assert_eq!(fs::read(&path).unwrap(), foreign);
        }
    }

    #[test]
    fn several_that_start_at_once_agree() {
        for begins in [None, Some(""), Some("cut")] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a/text");
            if let Some(text) = begins {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, text).unwrap();
            }
            let texts: Vec<String> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..8)
                    .map(|number| {
                        let path = &path;
                        scope.spawn(move || kept(path, &format!("{number}.")).unwrap())
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), texts[0]);
        }
    }

    #[test]
    fn without_a_writable_folder_an_existing_file_is_used_or_the_error_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "one.").unwrap();
        assert!(kept(&file.join("text"), "two.").is_err(), "a file is no folder");

        // An administrator may write to a folder that is read-only, so making fails by itself.
        let found = |file: &Path| text(file, state, || Err(io::Error::other("nothing can be made")));
        let mode = |is_read_only| {
            let mut permissions = fs::metadata(folder.path()).unwrap().permissions();
            permissions.set_readonly(is_read_only);
            fs::set_permissions(folder.path(), permissions).unwrap();
        };
        mode(true);
        let (whole, absent) = (found(&file), found(&folder.path().join("other")));
        mode(false);
        assert_eq!(whole.unwrap(), "one.");
        assert!(absent.is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is made");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        kept(&path, "one.").unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        kept(&path, "two.").unwrap();
        assert_eq!(mode(&path), 0o600);
    }
}
