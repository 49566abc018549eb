//! The identity of this machine's beacons: made once, kept for ever, so that the roster holds one row
//! for it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Failure;

/// The longest id we believe, in characters.
const MAX_CHARS: usize = 200;

/// The kept id; makes one on the first call.
pub(super) fn id() -> Result<String, Failure> {
    let path = kept_path("instance-id").ok_or_else(|| {
        Failure::Other("there is no configuration folder (HOME is not set); give --instance-id".into())
    })?;
    kept_id(&path).map_err(|error| {
        Failure::Other(format!(
            "cannot keep the instance id in {}: {error}; give --instance-id",
            path.display()
        ))
    })
}

/// Where a file of that name is kept for this user, if there is such a place.
pub(super) fn kept_path(name: &str) -> Option<PathBuf> {
    Some(config_folder()?.join("openclaw-presence").join(name))
}

fn config_folder() -> Option<PathBuf> {
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

fn kept_id(path: &Path) -> io::Result<String> {
    if let Some(id) = read(path)? {
        return Ok(id);
    }
    let id = uuid::Uuid::new_v4().to_string();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // Written whole under another name first: nobody reads half an id.
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = fs::File::create(&draft)?;
    writeln!(file, "{id}")?;
    drop(file);
    // If somebody else was faster, theirs stands. Where hard links are unknown, the last one stands.
    let linked = fs::hard_link(&draft, path);
    if linked
        .as_ref()
        .is_err_and(|error| error.kind() != io::ErrorKind::AlreadyExists)
        || read(path)?.is_none()
    {
        fs::rename(&draft, path)?;
    } else {
        fs::remove_file(&draft)?;
    }
    read(path)?.ok_or_else(|| io::Error::other("it does not stay there"))
}

/// The id in the file; `None` when there is none, or nothing usable.
fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let id = text.trim();
            let is_usable =
                !id.is_empty() && id.chars().count() <= MAX_CHARS && !id.contains(char::is_control);
            Ok(is_usable.then(|| id.to_owned()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/instance-id");
        let first = kept_id(&path).unwrap();
        assert_eq!(kept_id(&path).unwrap(), first);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert!(uuid::Uuid::parse_str(&first).is_ok());
    }

    #[test]
    fn an_id_people_wrote_is_kept_and_a_broken_one_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instance-id");
        fs::write(&path, "my-own-id\n").unwrap();
        assert_eq!(kept_id(&path).unwrap(), "my-own-id");
        fs::write(&path, "\n").unwrap();
        let made = kept_id(&path).unwrap();
        assert_eq!(kept_id(&path).unwrap(), made);
        assert_ne!(made, "");
    }
}
