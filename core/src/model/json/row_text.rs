//! A row of a presence list as text: what a list of hundreds is compared, merged and shown by is a few members of each.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use once_cell::race::OnceBox;

use super::{Json, floor, parse};

/// Where a row stands in the frame it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The number given to the frame.
    pub frame: u64,
    /// Which list of the frame: an index of [`Origin::PLACES`].
    pub place: u32,
    /// Which item of that list.
    pub index: u32,
}

impl Origin {
    /// Where frames have rows: lists of rows, and, from [`Self::UPSERTS`] on, lists of `{key, entry}`.
    pub const PLACES: [&'static [&'static str]; 8] = [
        &[],
        &["presence"],
        &["payload"],
        &["payload", "presence"],
        &["snapshot", "presence"],
        &["payload", "snapshot", "presence"],
        &["upserts"],
        &["payload", "upserts"],
    ];
    /// The first of the places that hold upserts.
    pub const UPSERTS: u32 = 6;
}

/// An object in exactly the text that [`Json`] writes for it: no blanks, nothing escaped.
#[derive(Debug)]
pub(crate) struct RowText {
    text: Box<str>,
    members: Box<[Span]>,
    origin: Origin,
    values: OnceBox<Vec<(Box<str>, Json)>>,
}

/// Where a member is: `"name":value`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: usize,
    /// Behind the quote that ends the name.
    pub(super) colon: usize,
    pub(super) end: usize,
}

impl RowText {
    pub(super) fn new(text: &str, members: &[Span], origin: Origin) -> Self {
        Self {
            text: text.into(),
            members: members.into(),
            origin,
            values: OnceBox::new(),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    /// Names and the texts of values, in order.
    pub(crate) fn members(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        self.members.iter().map(|span| {
            (
                self.text.get(span.start + 1..span.colon - 1).unwrap_or(""),
                self.text.get(span.colon + 1..span.end).unwrap_or(""),
            )
        })
    }

    /// The text of the value called `name`.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        // Of members with one name the last counts.
        let (text, length) = (self.text.as_bytes(), name.len() + 2);
        let span = self.members.iter().rev().find(|span| {
            span.colon - span.start == length
                && text.get(span.start + 1..span.colon - 1) == Some(name.as_bytes())
        })?;
        self.text.get(span.colon + 1..span.end)
    }

    /// The string called `name`.
    pub(crate) fn str(&self, name: &str) -> Option<&str> {
        let value = self.value(name)?;
        match value.as_bytes() {
            [b'"', text @ .., b'"'] => value.get(1..=text.len()),
            _ => None,
        }
    }

    /// The number called `name`, as [`Json::as_u64`] has it.
    pub(crate) fn integer(&self, name: &str) -> Option<u64> {
        let value = self.value(name)?;
        matches!(value.as_bytes(), [b'-' | b'0'..=b'9', ..]).then(|| floor(value))
    }

    /// All members as values.
    pub(super) fn values(&self) -> &[(Box<str>, Json)] {
        self.values.get_or_init(|| {
            Box::new(match parse::parse(&self.text, None) {
                Ok(Json::Object(members)) => members.values().to_vec(),
                // Not reached: it was read once.
                _ => Vec::new(),
            })
        })
    }

    /// Appends it to `out` as RFC 8785 says, without the members called `skipped`. Returns `false`, with nothing
    /// appended, if that cannot be had from the text.
    pub(crate) fn write_canonical(&self, out: &mut String, skipped: &[&str]) -> bool {
        let mut order: Vec<(&str, &str)> = Vec::with_capacity(self.members.len());
        for member in self.members() {
            if skipped.contains(&member.0) {
                continue;
            }
            // Other names are sorted by other units; objects inside have an order of their own.
            let is_plain = member.0.is_ascii() && !has_objects(member.1);
            if !is_plain {
                return false;
            }
            let at = order.iter().rposition(|other| other.0 <= member.0);
            order.insert(at.map_or(0, |at| at + 1), member);
        }
        let mut separator = '{';
        for (name, value) in &order {
            out.push(separator);
            out.push('"');
            out.push_str(name);
            out.push_str("\":");
            out.push_str(value);
            separator = ',';
        }
        if order.is_empty() {
            out.push('{');
        }
        out.push('}');
        true
    }
}

/// Whether a value may hold objects: a list whose strings hold a brace counts as such.
fn has_objects(value: &str) -> bool {
    match value.as_bytes() {
        [b'{', ..] => true,
        [b'[', items @ ..] => items.contains(&b'{'),
        _ => false,
    }
}
