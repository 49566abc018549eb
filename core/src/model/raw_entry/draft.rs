//! A row while its members are edited.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Builder, MAX_MEMBERS, RawEntry};

/// The members of a row, to be edited. Values are JSON texts in normal form.
pub(crate) struct Draft<'a> {
    entry: &'a RawEntry,
    members: Vec<(&'a str, Cow<'a, str>)>,
    is_changed: bool,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(entry: &'a RawEntry) -> Self {
        let members = entry.members();
        Self {
            entry,
            members: members.map(|(name, value)| (name, value.into())).collect(),
            is_changed: false,
        }
    }

    /// Writes the member called `name` unless it has a value; adds none to a row with [`MAX_MEMBERS`].
    pub(crate) fn fill(&mut self, name: &'a str, value: &'a str) {
        let has_room = self.members.len() < MAX_MEMBERS;
        match self.members.iter_mut().rev().find(|(own, _)| *own == name) {
            Some((_, stored)) if stored == "null" => *stored = value.into(),
            None if has_room => self.members.push((name, value.into())),
            _ => return,
        }
        self.is_changed = true;
    }

    /// Writes the member called `name`, in its place if it is there.
    pub(crate) fn set(&mut self, name: &'a str, value: Cow<'a, str>) {
        match self.members.iter_mut().rev().find(|(own, _)| *own == name) {
            Some((_, stored)) if *stored == value => return,
            Some((_, stored)) => *stored = value,
            None => self.members.push((name, value)),
        }
        self.is_changed = true;
    }

    /// Writes a number, or removes the member.
    pub(crate) fn set_integer(&mut self, name: &'a str, value: Option<u64>) {
        match value {
            Some(value) => self.set(name, value.to_string().into()),
            None => self.remove(name),
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        let before = self.members.len();
        self.members.retain(|(own, _)| *own != name);
        self.is_changed |= self.members.len() != before;
    }

    /// The edited row; the row itself if nothing was changed.
    pub(crate) fn finish(self) -> RawEntry {
        if !self.is_changed {
            return self.entry.clone();
        }
        let mut builder = Builder::new(self.entry.as_str().len());
        for (name, value) in &self.members {
            builder.push(name, |text: &mut String| text.push_str(value));
        }
        RawEntry(Arc::new(builder.finish()))
    }
}
