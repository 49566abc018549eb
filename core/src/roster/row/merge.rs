//! An absent member never erases a stored one (SPEC 1.4).

use alloc::boxed::Box;

use crate::model::text::trim;

/// Writes a member that is present; returns whether the stored one changed.
pub(crate) fn overlay(stored: &mut Option<Box<str>>, new: Option<&str>) -> bool {
    match new {
        Some(new) if stored.as_deref() != Some(new) => {
            *stored = Some(new.into());
            true
        }
        _ => false,
    }
}

/// [`overlay`] for ids: a blank one identifies nothing and never erases one that does.
pub(crate) fn overlay_id(stored: &mut Option<Box<str>>, new: Option<&str>) -> bool {
    let identifies = |id: &str| !trim(id).is_empty();
    let new = new.filter(|new| identifies(new) || !stored.as_deref().is_some_and(identifies));
    overlay(stored, new)
}
