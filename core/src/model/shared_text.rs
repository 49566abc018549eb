//! Text with several owners.

use alloc::string::String;
use alloc::sync::Arc;

/// Text that many frames share. It is shared as it was written; an `Arc<str>` would have to be a copy of it.
pub type SharedText = Arc<String>;
