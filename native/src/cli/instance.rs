//! The instance id of this machine's beacons: created once and kept, so that the roster has one row for the machine.

use std::io;
use std::path::Path;

use presence_core::model::placeholder::Kind;

use super::kept::{self, State};
use super::stderr::print_note;

/// The longest accepted id, in characters.
const MAX_CHARS: usize = 200;
/// Length of the ids that this program makes.
const UUID_CHARS: usize = 36;

/// Returns the kept id; creates one on the first call. Where files cannot be kept it returns a new id and prints a
/// warning.
pub(super) fn id() -> String {
    let why = match kept::path("instance-id") {
        Some(path) => match kept_id(&path) {
            Ok(id) => return id,
            Err(error) => format!("{}: {error}", path.display()),
        },
        None => "there is no configuration folder (HOME is not set)".to_owned(),
    };
    print_note(&format!(
        "the instance id cannot be kept: {why}; this run uses a new id and gets a row of \
         its own. Set one with --instance-id"
    ));
    new_id()
}

fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn kept_id(path: &Path) -> io::Result<String> {
    let text = kept::text(path, state, || Ok(format!("{}\n", new_id())))?;
    Ok(text.trim().to_owned())
}

/// Users may write ids of their own, so any line is valid except placeholders, which gateways ignore.
fn state(text: &str) -> State {
    let id = text.trim();
    let is_usable = !id.is_empty()
        && id.chars().count() <= MAX_CHARS
        && !id.contains(char::is_control)
        && !Kind::Id.is_placeholder(id);
    let is_damaged = is_cut_off(text)
        || text
            .trim_matches(|c: char| c == '\0' || c.is_whitespace())
            .is_empty();
    match (is_damaged, is_usable) {
        (true, _) => State::Broken,
        (false, true) => State::Whole,
        // Written by a user: kept.
        (false, false) => State::Foreign,
    }
}

/// Whether the text is the truncated beginning, past the first dash, of an id that this program made.
fn is_cut_off(text: &str) -> bool {
    let is_like_uuid = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    (9..UUID_CHARS).contains(&text.len()) && text.bytes().enumerate().all(is_like_uuid)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_id_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/instance-id");
        let first = kept_id(&path).unwrap();
        assert_eq!(kept_id(&path).unwrap(), first);
        assert!(uuid::Uuid::parse_str(&first).is_ok());
    }

    #[test]
    fn an_id_people_wrote_is_kept_and_a_damaged_one_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instance-id");
        let uuid = new_id();
        for own in ["my-own-id\n", "deadbeef", "1", "café", &uuid] {
            fs::write(&path, own).unwrap();
            assert_eq!(kept_id(&path).unwrap(), own.trim());
        }
        for broken in ["", "\n", &uuid[..9], &uuid[..35], "\0\0"] {
            fs::write(&path, broken).unwrap();
            let made = kept_id(&path).unwrap();
            assert!(uuid::Uuid::parse_str(&made).is_ok(), "{broken:?}");
            assert_eq!(kept_id(&path).unwrap(), made);
        }
        let long = "x".repeat(MAX_CHARS + 1);
        for unusable in ["a\u{1b}b", "one\ntwo", &long, "null\n", "Undefined"] {
            fs::write(&path, unusable).unwrap();
            assert!(kept_id(&path).is_err(), "{unusable:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), unusable);
        }
    }
}
