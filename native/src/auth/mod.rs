//! Who may connect, and how many: origins, secrets, device keys, proxies, slots.
//!
//! Knows no other module of this crate.

pub mod admission;
pub mod device;
pub mod origin;
pub mod proxy;
pub mod secret;
pub mod slots;
pub mod throttle;
pub mod user_header;
