//! Text with several owners.

use alloc::string::String;
use alloc::sync::Arc;

/// Text that many frames share. Sharing the `String` avoids the copy that an `Arc<str>` would need.
pub type SharedText = Arc<String>;
