//! A roster without a gateway, for pasted lists.

use alloc::string::String;

use presence_core::client::mirror::DeltaOutcome;
use presence_core::client::{Mirror, MirrorConfig};
use presence_core::wire::presence::Presence;
use wasm_bindgen::prelude::*;

use crate::clock::{integer, number};
use crate::error::invalid;
use crate::options::{self, Options};

/// A roster that applies TTL and cap like a gateway. Times are ms since the Unix epoch, by the wall clock of
/// the list.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Roster {
    mirror: Mirror,
}

#[wasm_bindgen]
impl Roster {
    /// Returns an empty roster. `options` is the JSON of `{ttlMs, maxRows, thresholds: {activeMs, idleMs}}`, all
    /// optional.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` names the bad member.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str) -> Result<Self, JsValue> {
        let json = options::parse(options, "options")?;
        let config = mirror_config(&Options::new(json, "options")?, MirrorConfig::standalone())?;
        Ok(Self {
            mirror: Mirror::standalone(config),
        })
    }

    /// Applies a text that contains a list: the list itself, a `presence` event, `hello-ok`, the answer to a
    /// request, or a payload of these, keyed lists included. Also applies a `presence.delta` event; returns
    /// `false` if the delta does not follow the current state.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if there is no list in it.
    pub fn apply(&mut self, text: &str, now_ms: f64) -> Result<bool, JsValue> {
        let now_ms = integer(now_ms);
        match Presence::find(text) {
            Some(Presence::List(rows)) => self.mirror.apply_list(rows, now_ms),
            Some(Presence::Snapshot(snapshot)) => self.mirror.apply_snapshot(snapshot, now_ms),
            Some(Presence::Delta(delta)) => {
                let outcome = delta.map(|delta| self.mirror.apply_delta(delta, now_ms));
                return Ok(outcome.is_some_and(|outcome| outcome != DeltaOutcome::Gap));
            }
            None => {
                options::parse(text, "list")?;
                return Err(invalid("list", "holds no presence list"));
            }
        }
        Ok(true)
    }

    /// Updates statuses and removes expired rows, as of this time.
    pub fn settle(&mut self, now_ms: f64) {
        self.mirror.settle(integer(now_ms));
    }

    /// Returns when a status changes or a row expires next; `undefined` for never.
    #[wasm_bindgen(js_name = nextChange)]
    #[must_use]
    pub fn next_change(&self) -> Option<f64> {
        self.mirror.next_change_ms().map(number)
    }

    /// Returns the findings in the list, in the form of the core's `Mirror::findings_json`. Indexes are those of
    /// [`entries`](Self::entries).
    #[must_use]
    pub fn findings(&self) -> String {
        self.mirror.findings_json()
    }

    /// Explains the row with this key, in the form of the core's `Mirror::explain_json`; `undefined` if it is absent.
    #[must_use]
    pub fn explain(&self, key: &str, now_ms: f64) -> Option<String> {
        self.mirror.explain_json(key, integer(now_ms))
    }

    /// Returns the rows in the list's order, as JSON.
    #[must_use]
    pub fn entries(&self) -> String {
        self.mirror.raw_list_json()
    }

    /// Returns the changes since the last call, in the form of the core's `Mirror::diff_json`, or `undefined`.
    #[wasm_bindgen(js_name = takeChange)]
    pub fn take_change(&mut self) -> Option<String> {
        let diff = self.mirror.take_whole_diff()?;
        Some(self.mirror.diff_json(&diff))
    }

    /// Returns the number of rows.
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
        max_rows: options::size(options.integer("maxRows", default.max_rows as u64)?),
        ..default
    };
    config.thresholds.active_ms = thresholds.integer("activeMs", default.thresholds.active_ms)?;
    config.thresholds.idle_ms = thresholds.integer("idleMs", default.thresholds.idle_ms)?;
    config.validate().map_err(options::out_of_bounds)?;
    Ok(config)
}
