//! Admission of clients and its limits: origins, secrets, device keys, proxies, slots.
//!
//! Uses no other module of this crate.

pub(crate) mod admission;
pub(crate) mod device;
pub(crate) mod facts;
pub(crate) mod origin;
pub(crate) mod proxy;
pub(crate) mod secret;
pub(crate) mod slots;
pub(crate) mod throttle;
pub(crate) mod tokens;
pub(crate) mod user_header;
