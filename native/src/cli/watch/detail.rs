//! The explanation of the selected row by its gateway, which knows more about it than the list.

use presence_core::client::Mirror;
use serde_json::value::{RawValue, to_raw_value};

use crate::cli::client::Link;
use crate::cli::doctor::{EXPLAIN, has_explain};
use crate::cli::{explain, explanation, finding};

/// Columns at which explanations are wrapped; the panel wraps longer lines.
pub(super) const COLUMNS: usize = 76;
/// Age of an answer at which the gateway is asked again, in ms.
const AGAIN_MS: u64 = 5_000;

/// The last answer, and the request that waits for one. Both are about one connection.
#[derive(Debug, Default)]
pub(super) struct Detail {
    asked: Option<(u64, Box<str>)>,
    known: Option<Known>,
}

/// An answer.
#[derive(Debug)]
struct Known {
    key: Box<str>,
    /// `None` where the gateway has no explanation.
    text: Option<String>,
    at_ms: u64,
}

impl Detail {
    /// Requests the explanation of this row, unless it was requested already or the answer is recent.
    pub(super) fn request(&mut self, key: &str, link: &mut Link) {
        let now = link.now();
        if !self.is_due(key, now.age_ms) || !has_explain(link) {
            return;
        }
        let machine = link.machine();
        let params = self.params(key, machine.mirror(), now.age_ms, machine.server_ms(now));
        if let Some(id) = params.and_then(|params| link.request(EXPLAIN, &params)) {
            self.asked = Some((id, key.into()));
        }
    }

    /// The parameters of a request about this row. If there are none, notes that, so that the row is not looked up
    /// again for [`AGAIN_MS`].
    fn params(&mut self, key: &str, mirror: &Mirror, now_ms: u64, server_ms: u64) -> Option<Box<RawValue>> {
        let params = params(key, mirror, server_ms);
        if params.is_none() {
            self.known = Some(Known {
                key: key.into(),
                text: None,
                at_ms: now_ms,
            });
        }
        params
    }

    fn is_due(&self, key: &str, now_ms: u64) -> bool {
        let is_recent = |known: &Known| &*known.key == key && now_ms.saturating_sub(known.at_ms) < AGAIN_MS;
        self.asked.is_none() && !self.known.as_ref().is_some_and(is_recent)
    }

    /// Handles a response.
    pub(super) fn answered(&mut self, id: u64, answer: Option<&str>, now_ms: u64) {
        let Some((_, key)) = self.asked.take_if(|(asked, _)| *asked == id) else {
            return;
        };
        let answer = answer.and_then(|answer| finding::read(answer).ok());
        self.known = Some(Known {
            key,
            text: answer.map(|answer| explanation::text(&answer, COLUMNS)),
            at_ms: now_ms,
        });
    }

    /// Removes everything, because the connection is another one.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The gateway's explanation of this row.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        let known = self.known.as_ref().filter(|known| &*known.key == key)?;
        known.text.as_deref()
    }
}

/// The parameters that name the gateway's row of an instance. `None` for an instance with several rows: a gateway
/// explains one row, and the list explains them all.
fn params(key: &str, mirror: &Mirror, now_ms: u64) -> Option<Box<RawValue>> {
    let listed = mirror.explain_json(key, now_ms)?;
    let listed: serde_json::Value = finding::read(&listed).ok()?;
    match listed["rows"].as_array().map(Vec::as_slice) {
        Some([row]) => to_raw_value(&serde_json::json!({ "row": row })).ok(),
        _ => None,
    }
}

/// The explanation from the list, or the reason why there is none.
pub(super) fn of_list(link: &Link, key: &str) -> String {
    let machine = link.machine();
    explain::of_row(key, machine.mirror(), machine.server_ms(link.now()))
        .and_then(|answer| finding::read(&answer))
        .map_or_else(
            |failure| failure.to_string(),
            |answer| explanation::text(&answer, COLUMNS),
        )
}

#[cfg(test)]
mod tests {
    use presence_core::client::MirrorConfig;
    use presence_core::model::RawEntry;

    use super::*;

    const ANSWER: &str = r#"{"row":{"key":"mac-1","why":"Why."}}"#;

    fn asked(id: u64, key: &str) -> Detail {
        Detail {
            asked: Some((id, key.into())),
            known: None,
        }
    }

    #[test]
    fn an_answer_is_shown_for_its_row_and_its_connection() {
        let mut detail = asked(7, "mac-1");
        detail.answered(6, Some(ANSWER), 100);
        assert!(detail.text("mac-1").is_none() && !detail.is_due("mac-1", 100));
        detail.answered(7, Some(ANSWER), 100);
        assert!(detail.text("mac-1").unwrap().starts_with("mac-1\nWhy.\n"));
        assert_eq!(detail.text("pi"), None);
        // A later answer that nothing waits for.
        detail.answered(7, None, 200);
        assert!(detail.text("mac-1").is_some());
        detail.clear();
        assert_eq!(detail.text("mac-1"), None);
        // The answer of the connection before.
        let mut detail = asked(7, "mac-1");
        detail.clear();
        detail.answered(7, Some(ANSWER), 100);
        assert_eq!(detail.text("mac-1"), None);
    }

    #[test]
    fn explanations_are_requested_one_at_a_time_and_repeated() {
        let mut detail = Detail::default();
        assert!(detail.is_due("mac-1", 0));
        detail = asked(1, "mac-1");
        assert!(!detail.is_due("pi", AGAIN_MS));
        // The row is gone.
        detail.answered(1, None, 10);
        assert_eq!(detail.text("mac-1"), None);
        assert!(detail.is_due("pi", 10));
        assert!(!detail.is_due("mac-1", 9 + AGAIN_MS));
        assert!(detail.is_due("mac-1", 10 + AGAIN_MS));
    }

    #[test]
    fn an_instance_of_several_rows_is_explained_by_the_list() {
        let list = r#"[
            {"instanceId":"tab-1","host":"tab","reason":"connect","ts":2000},
            {"instanceId":"tab-1","ip":"10.0.0.7","reason":"disconnect","ts":1000},
            {"instanceId":"mac-1","host":"studio","ts":500}
        ]"#;
        let mut mirror = Mirror::new(MirrorConfig::default());
        mirror.apply_list(RawEntry::parse_list(list).unwrap(), 2_000);
        let mut detail = Detail::default();
        let mut params = |key: &str, now_ms| {
            let params = detail.params(key, &mirror, now_ms, 2_000);
            let is_due = [now_ms, now_ms + AGAIN_MS].map(|now_ms| detail.is_due(key, now_ms));
            (params.map(|params| params.get().to_owned()), is_due)
        };
        // It is not read from the list again for each screen.
        assert_eq!(params("instance:tab-1", 100), (None, [false, true]));
        let row = Some(r#"{"row":"2"}"#.to_owned());
        assert_eq!(params("instance:mac-1", 200), (row, [true, true]));
    }
}
