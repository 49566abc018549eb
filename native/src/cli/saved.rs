//! A presence list from a file or stdin.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use presence_core::client::{Mirror, MirrorConfig};
use presence_core::recording::Reader;
use presence_core::wire::presence::Presence;

use super::Failure;
use crate::recording::MAX_READ_BYTES;

/// The path that means stdin.
const STDIN: &str = "-";

/// Reads a saved list: the list itself, a `presence` event, `hello-ok`, a snapshot, or the response to a request for
/// one of them.
///
/// # Errors
/// [`Failure::Other`] if it cannot be read or holds no list.
pub(super) fn read(path: &Path) -> Result<Mirror, Failure> {
    let (name, text) = named_text(path)?;
    mirror(text.trim_start_matches('\u{feff}')).map_err(|why| Failure::Other(format!("{name}: {why}")))
}

/// Reads a file, or stdin.
///
/// # Errors
/// [`Failure::Other`] if it cannot be read, is too large or is not UTF-8.
pub(super) fn read_text(path: &Path) -> Result<String, Failure> {
    named_text(path).map(|(_, text)| text)
}

fn named_text(path: &Path) -> Result<(String, String), Failure> {
    let (name, text) = if path == Path::new(STDIN) {
        ("stdin".to_owned(), text(io::stdin().lock()))
    } else {
        (path.display().to_string(), File::open(path).and_then(text))
    };
    match text {
        Ok(text) => Ok((name, text)),
        Err(error) => Err(Failure::Other(format!("cannot read {name}: {error}"))),
    }
}

fn text(source: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    source.take(MAX_READ_BYTES + 1).read_to_end(&mut bytes)?;
    let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why);
    if bytes.len() as u64 > MAX_READ_BYTES {
        return Err(invalid("it is larger than 256 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| invalid("it is not UTF-8"))
}

/// The rows in a text, as a gateway lists them, without expiry.
fn mirror(text: &str) -> Result<Mirror, String> {
    let mut mirror = Mirror::new(MirrorConfig::default());
    match Presence::find(text) {
        Some(Presence::List(rows)) => mirror.apply_list(rows, 0),
        Some(Presence::Snapshot(snapshot)) => mirror.apply_snapshot(snapshot, 0),
        Some(Presence::Delta(_)) => {
            return Err("a delta has only what changed; save a list, as `list --json` prints it".to_owned());
        }
        None => {
            return Err(match serde_json::from_str::<serde::de::IgnoredAny>(text) {
                Ok(_) => "no presence list in it; expected a list, a presence event, hello-ok or a response with one".to_owned(),
                Err(_) if Reader::new(text).is_ok() => {
                    "a recording, not a presence list; `presence-gateway replay` shows its rows and findings".to_owned()
                }
                Err(error) => format!("invalid JSON: {error}"),
            });
        }
    }
    Ok(mirror)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_texts_are_named() {
        for (text, why) in [
            ("", "invalid JSON: EOF"),
            ("[{\"ts\":1}", "invalid JSON: EOF"),
            ("{}", "no presence list in it"),
            ("5", "no presence list in it"),
            (r#"{"payload":{"upserts":[]}}"#, "a delta has only what changed"),
        ] {
            let error = mirror(text).unwrap_err();
            assert!(error.starts_with(why), "{text}: {error}");
        }
    }

    #[test]
    fn nothing_is_cut_at_the_end_of_the_bytes() {
        let endless = io::repeat(b' ');
        let error = text(endless).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 256 MiB");
        assert_eq!(text(&b"\xff"[..]).unwrap_err().to_string(), "it is not UTF-8");
    }
}
