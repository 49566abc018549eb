//! The client's half of the protocol, without IO (SPEC 3).

pub mod backoff;
pub mod clock;
pub mod json;
pub mod raw;

pub use json::Json;
pub use raw::RawEntry;
