//! The digest over all that was received (README, "Digest").

use std::collections::BTreeMap;
use std::fmt::Write as _;

use regex::{Captures, Regex};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::Failure;
use super::target::{Item, Received};
use super::values::Context;

/// The messages that one script's clients received.
#[derive(Debug, Default)]
pub struct Record {
    /// By connection, in order of opening.
    conns: Vec<(String, Vec<Received>)>,
    boot_id: Option<String>,
}

impl Record {
    /// A connection was opened.
    pub fn open(&mut self, conn: &str) {
        self.conns.push((conn.to_owned(), Vec::new()));
    }

    /// Notes a received message.
    pub fn push(&mut self, received: Received) {
        if let Some((_, list)) = self.conns.iter_mut().find(|(conn, _)| *conn == received.conn) {
            list.push(received);
        }
    }

    /// The boot id was learnt from a hello.
    pub fn learn_boot_id(&mut self, boot_id: &str) {
        self.boot_id = Some(boot_id.to_owned());
    }

    /// The record as text.
    ///
    /// # Errors
    /// Never in practice: JSON values can be written.
    pub fn text(
        &self,
        name: &str,
        roster: &Value,
        version: u64,
        context: &Context<'_>,
    ) -> Result<String, Failure> {
        let mut text = format!("# {name}\n");
        for (conn, list) in &self.conns {
            for received in list {
                // Writing to a String cannot fail.
                let _ = match &received.item {
                    Item::Text(frame) => writeln!(text, "{conn} {} {frame}", received.at),
                    // A ping may overtake frames, so it has no place among them.
                    Item::Ping => Ok(()),
                    Item::Close(code, reason) => {
                        writeln!(text, "{conn} {} close {code} {reason}", received.at)
                    }
                };
            }
        }
        // Objects of serde_json are sorted by name.
        let _ = writeln!(
            text,
            "roster {}\nversion {version}",
            serde_json::to_string(roster)?
        );
        self.anonymous(&text, context)
    }

    /// The text with ids and nonces, which differ from run to run, replaced by their placeholders.
    fn anonymous(&self, text: &str, context: &Context<'_>) -> Result<String, Failure> {
        let mut names = BTreeMap::new();
        names.extend(
            context
                .conns
                .iter()
                .map(|(conn, id)| (id.as_str(), format!("$conn:{conn}"))),
        );
        names.extend(
            context
                .nonces
                .iter()
                .map(|(conn, nonce)| (nonce.as_str(), format!("$nonce:{conn}"))),
        );
        names.extend(self.boot_id.iter().map(|id| (id.as_str(), "$boot".to_owned())));
        if names.is_empty() {
            return Ok(text.to_owned());
        }
        let ids: Vec<_> = names.keys().map(|id| regex::escape(id)).collect();
        let any = Regex::new(&ids.join("|")).map_err(|error| Failure::new(error.to_string()))?;
        let placeholder = |found: &Captures<'_>| names[&found[0]].clone();
        Ok(any.replace_all(text, placeholder).into_owned())
    }
}

/// The digest of the records of all scripts.
#[must_use]
pub fn digest(text: &str) -> String {
    format!("{:016x}", xxh3_64(text.as_bytes()))
}
