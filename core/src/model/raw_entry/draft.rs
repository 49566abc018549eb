//! A row while its members are edited.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Builder, MAX_MEMBERS, RawEntry};

/// The members of a row, to be edited. Values are JSON texts in normal form.
pub(crate) struct Draft<'a> {
    entry: &'a RawEntry,
    /// `None` until something changes: most rows stay as they are.
    members: Option<Members<'a>>,
}

type Members<'a> = Vec<(&'a str, Cow<'a, str>)>;

impl<'a> Draft<'a> {
    pub(crate) fn new(entry: &'a RawEntry) -> Self {
        Self { entry, members: None }
    }

    /// The text of the member called `name`; of several the last counts.
    fn value(&self, name: &str) -> Option<&str> {
        match &self.members {
            Some(members) => members
                .iter()
                .rev()
                .find(|(own, _)| *own == name)
                .map(|(_, value)| &**value),
            None => self.entry.value(name),
        }
    }

    fn edited(&mut self) -> &mut Members<'a> {
        let members = || {
            self.entry
                .members()
                .map(|(name, value)| (name, value.into()))
                .collect()
        };
        self.members.get_or_insert_with(members)
    }

    /// Writes the member called `name` unless it has a value; adds none to a row with [`MAX_MEMBERS`].
    pub(crate) fn fill(&mut self, name: &'a str, value: &'a str) {
        let is_missing = match self.value(name) {
            Some(stored) => stored == "null",
            None => self.len() < MAX_MEMBERS,
        };
        if is_missing {
            self.set(name, value.into());
        }
    }

    fn len(&self) -> usize {
        self.members.as_ref().map_or(self.entry.0.members.len(), Vec::len)
    }

    /// Writes the member called `name`, in its place if it is there.
    pub(crate) fn set(&mut self, name: &'a str, value: Cow<'a, str>) {
        if self.value(name) == Some(&*value) {
            return;
        }
        let members = self.edited();
        match members.iter_mut().rev().find(|(own, _)| *own == name) {
            Some((_, stored)) => *stored = value,
            None => members.push((name, value)),
        }
    }

    /// Writes a number, or removes the member.
    pub(crate) fn set_integer(&mut self, name: &'a str, value: Option<u64>) {
        match value {
            Some(value) => self.set(name, value.to_string().into()),
            None => self.remove(name),
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        if self.value(name).is_some() {
            self.edited().retain(|(own, _)| *own != name);
        }
    }

    /// The edited row; the row itself if nothing was changed.
    pub(crate) fn finish(self) -> RawEntry {
        let Some(members) = &self.members else {
            return self.entry.clone();
        };
        let mut builder = Builder::new(self.entry.as_str().len());
        for (name, value) in members {
            builder.push(name, |text: &mut String| text.push_str(value));
        }
        RawEntry(Arc::new(builder.finish()))
    }
}
