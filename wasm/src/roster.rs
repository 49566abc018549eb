//! A roster without a gateway: for lists that somebody pasted.

use alloc::string::String;

use presence_core::client::json::array_text;
use presence_core::client::mirror::DeltaOutcome;
use presence_core::client::{Mirror, MirrorConfig, ObjectText};
use wasm_bindgen::prelude::*;

use crate::clock::{integer, number};
use crate::error::invalid;
use crate::options::{self, Options};

/// A roster that keeps itself: TTL and cap are applied as a gateway would. Times are ms since the Unix
/// epoch on one wall clock, that of the list.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Roster {
    mirror: Mirror,
}

#[wasm_bindgen]
impl Roster {
    /// An empty roster. `options` is the JSON of `{ttlMs, maxRows, thresholds: {activeMs, idleMs}}`, all
    /// optional.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` names the bad member.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str) -> Result<Self, JsValue> {
        let json = options::parse(options, "options")?;
        let config = mirror_config(&Options::new(&json, "options")?, MirrorConfig::standalone())?;
        Ok(Self {
            mirror: Mirror::standalone(config),
        })
    }

    /// Takes in anything a gateway sends that holds a list: the list itself, a `presence` event, `hello-ok`,
    /// the answer to a request, or a payload of these; keyed lists count as such. Or a `presence.delta`
    /// event: then this tells whether it followed on what is there.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if there is no list in it.
    pub fn apply(&mut self, text: &str, now_ms: f64) -> Result<bool, JsValue> {
        const KEYED: [&[&str]; 4] = [&[], &["payload"], &["snapshot"], &["payload", "snapshot"]];
        let now_ms = integer(now_ms);
        let json = options::parse(text, "list")?;
        let delta = [json.get("payload"), Some(&json)]
            .into_iter()
            .flatten()
            .find(|json| json.get("upserts").is_some());
        if let Some(delta) = delta {
            return Ok(self.mirror.apply_delta(delta, now_ms) != DeltaOutcome::Gap);
        }
        if KEYED
            .iter()
            .filter_map(|path| json.at(path))
            .any(|json| self.mirror.apply_keyed(json, now_ms))
        {
            return Ok(true);
        }
        let list = presence_core::client::RawEntry::find_list(&json);
        self.mirror.apply_list(
            list.ok_or_else(|| invalid("list", "holds no presence list"))?,
            now_ms,
        );
        Ok(true)
    }

    /// Brings statuses and removals to a moment.
    pub fn settle(&mut self, now_ms: f64) {
        self.mirror.settle(integer(now_ms));
    }

    /// When a status changes or a row goes next; nothing: never.
    #[wasm_bindgen(js_name = nextChange)]
    #[must_use]
    pub fn next_change(&self) -> Option<f64> {
        self.mirror.next_change_ms().map(number)
    }

    /// The rows as they are to be shown at a moment, as JSON: `[{key, status, isSelf, ageMs, ageText,
    /// reasonLabel?, lastInputMs?, entry, raw?}]`; without `raw` it is the entry alone.
    #[must_use]
    pub fn views(&self, now_ms: f64) -> String {
        self.mirror.views_json(integer(now_ms))
    }

    /// What looks like one client under two rows, as JSON: `[{code, title, rows, confidence, evidence, fix}]`;
    /// `rows` are indexes of [`entries`](Self::entries).
    #[must_use]
    pub fn findings(&self) -> String {
        self.mirror.findings_json()
    }

    /// The rows as they were listed, as JSON.
    #[must_use]
    pub fn entries(&self) -> String {
        self.mirror.raw_list_json()
    }

    /// What became different since this was last asked, as JSON: `{removed, rows}`, the keys of rows that are
    /// gone, and the others as [`views`](Self::views) has them; nothing if nothing did.
    pub fn news(&mut self, now_ms: f64) -> Option<String> {
        let now_ms = integer(now_ms);
        let diff = self.mirror.take_diff()?;
        let mut json = ObjectText::new();
        json.texts("removed", &mut diff.removed.iter().map(|key| &**key));
        let told = [diff.added, diff.changed, diff.status, diff.touched];
        let mut rows = told.iter().flatten().filter_map(|key| {
            let row = self.mirror.row(key)?;
            Some(self.mirror.view(row, now_ms).to_json())
        });
        let rows = array_text(&mut rows);
        json.raw("rows", &rows);
        Some(json.end())
    }

    /// Number of rows.
    #[must_use]
    pub fn size(&self) -> usize {
        self.mirror.len()
    }
}

/// Reads the bounds of a mirror.
pub(crate) fn mirror_config(options: &Options<'_>, default: MirrorConfig) -> Result<MirrorConfig, JsValue> {
    let thresholds = options.object("thresholds")?;
    let mut config = MirrorConfig {
        ttl_ms: options.integer("ttlMs", default.ttl_ms)?,
        max_rows: options.integer("maxRows", default.max_rows as u64)? as usize,
        ..default
    };
    config.thresholds.active_ms = thresholds.integer("activeMs", default.thresholds.active_ms)?;
    config.thresholds.idle_ms = thresholds.integer("idleMs", default.thresholds.idle_ms)?;
    Ok(config)
}
