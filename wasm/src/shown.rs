//! Rows for JavaScript: a few numbers each, and texts only of what it cannot know.
//!
//! JavaScript parses the frames it passes in faster than it parses what would be written here. So a row that is just
//! as its frame has it is told by where it is in there; and what was told once is told by its stamp alone.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use presence_core::Status;
use presence_core::client::Row;
use presence_core::model::json::{array_text, write_string};

use crate::clock::number;

/// In the second number of a row, beside its status: it is the gateway itself.
const IS_SELF: u32 = 4;
/// Its stamp is new: its key follows, and where its entry is.
const IS_NEW: u32 = 8;
/// Its entry is in a frame; else it is among the texts.
const IS_IN_FRAME: u32 = 16;

/// What was not told in numbers.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    keys: String,
    texts: Vec<String>,
}

/// What JavaScript knows already.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    /// Rows up to this stamp.
    pub(crate) stamp: f64,
    /// The frames.
    pub(crate) has_frames: bool,
}

impl Shown {
    /// Seven numbers for each of the rows: its stamp, what it is, its age in ms, the time since its last input in ms
    /// or -1; if its stamp is new also the frame, place and index of its entry.
    pub(crate) fn tell(
        &mut self,
        rows: &mut dyn Iterator<Item = &Row>,
        now_ms: u64,
        known: Known,
    ) -> Vec<f64> {
        *self = Self::default();
        let mut numbers = Vec::with_capacity(7 * rows.size_hint().0.max(1));
        for row in rows {
            let stamp = number(row.stamp());
            let mut kind = match row.status() {
                Status::Active => 0,
                Status::Idle => 1,
                Status::Stale => 2,
                Status::Left => 3,
            };
            if row.is_self() {
                kind += IS_SELF;
            }
            let mut place = [0.0; 3];
            if stamp > known.stamp {
                kind += IS_NEW;
                self.keys.push(if self.keys.is_empty() { '[' } else { ',' });
                write_string(&mut self.keys, row.key());
                let mut raws = row.raw();
                let first = raws.next().filter(|raw| *raw == row.entry());
                let is_alone = first.is_some() && raws.next().is_none();
                match row.entry().origin() {
                    Some(origin) if is_alone && known.has_frames => {
                        kind += IS_IN_FRAME;
                        place = [number(origin.frame), origin.list.into(), origin.index.into()];
                    }
                    _ => self.texts.push(text_of(row, is_alone)),
                }
            }
            let input_ms = row
                .last_input_at_ms()
                .map_or(-1.0, |at_ms| number(now_ms.saturating_sub(at_ms)));
            numbers.extend([stamp, kind.into(), number(row.age_ms(now_ms)), input_ms]);
            numbers.extend(place);
        }
        numbers
    }

    /// The keys of the rows with new stamps, as JSON.
    pub(crate) fn keys(&mut self) -> String {
        let mut keys = core::mem::take(&mut self.keys);
        keys.push_str(if keys.is_empty() { "[]" } else { "]" });
        keys
    }

    /// The rows with new stamps that are in no frame, as JSON: `[[entry, raw?]]`.
    pub(crate) fn texts(&mut self) -> String {
        array_text(&mut core::mem::take(&mut self.texts).into_iter())
    }
}

fn text_of(row: &Row, is_alone: bool) -> String {
    let mut parts = Vec::from([row.entry().to_string()]);
    if !is_alone {
        parts.push(array_text(&mut row.raw().map(ToString::to_string)));
    }
    array_text(&mut parts.into_iter())
}
