//! The members of an object.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Json, RowText, write_members};

/// The members of an object in the order received: as values, or as the text of a row that nobody has taken apart yet.
#[derive(Debug, Default)]
pub struct Members {
    /// Empty if there is a row.
    values: Vec<(Box<str>, Json)>,
    row: Option<RowText>,
}

impl Members {
    /// All of them, as values.
    #[must_use]
    pub fn values(&self) -> &[(Box<str>, Json)] {
        match &self.row {
            Some(row) => row.values(),
            None => &self.values,
        }
    }

    /// The row they still are the text of.
    pub(crate) fn row(&self) -> Option<&RowText> {
        self.row.as_ref()
    }

    /// To change them: then they are a row's text no more.
    pub(crate) fn make_mut(this: &mut Arc<Self>) -> &mut Vec<(Box<str>, Json)> {
        if this.row.is_some() {
            *this = Arc::new(Self::clone(this));
        }
        &mut Arc::make_mut(this).values
    }

    pub(crate) fn write(&self, out: &mut String) {
        match &self.row {
            Some(row) => out.push_str(row.text()),
            None => write_members(out, &self.values),
        }
    }
}

impl From<Vec<(Box<str>, Json)>> for Members {
    fn from(values: Vec<(Box<str>, Json)>) -> Self {
        Self { values, row: None }
    }
}

impl From<RowText> for Members {
    fn from(row: RowText) -> Self {
        Self {
            values: Vec::new(),
            row: Some(row),
        }
    }
}

/// As values.
impl Clone for Members {
    fn clone(&self) -> Self {
        Self::from(self.values().to_vec())
    }
}

impl PartialEq for Members {
    fn eq(&self, other: &Self) -> bool {
        match (&self.row, &other.row) {
            // A row's text is the one text of its members.
            (Some(own), Some(other)) => own.text() == other.text(),
            _ => self.values() == other.values(),
        }
    }
}

impl Eq for Members {}
