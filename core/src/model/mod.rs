//! The data types: rows, keys, beacons, statuses, clients and time. Uses no other module.

#[cfg(feature = "server")]
pub mod addresses_in_text;
pub mod beacon;
pub mod client_info;
pub mod entry;
pub mod ip;
pub mod json;
pub mod key;
pub mod lower;
pub mod placeholder;
pub(crate) mod ranked;
pub mod raw_entry;
pub mod role;
pub mod scope;
pub mod setting;
pub mod shared_text;
pub mod status;
pub mod text;
pub mod time;

pub use beacon::Beacon;
pub use client_info::ClientInfo;
pub use entry::PresenceEntry;
pub use json::ObjectText;
pub use key::PresenceKey;
pub use raw_entry::RawEntry;
pub use role::Role;
pub use shared_text::SharedText;
pub use status::Status;
pub use time::Now;
