//! JSON as the client reads and writes it: lenient readers on `serde_json`, and writers.
//!
//! Gateways of all versions are read, so an invalid member does not affect the others. Values stay the
//! received text (`&RawValue`) until they are needed: unknown members and numbers beyond `f64` are kept
//! verbatim, and of a string with half a surrogate pair only that half is replaced.

mod canonical;
mod length;
mod read;
mod text;

pub(crate) use self::canonical::{write_canonical, write_normal};
pub(crate) use self::length::{MAX_ESCAPE, escaped_len};
pub use self::read::{boolean, each_member, integer, items, members, string};
pub(crate) use self::read::{each_raw_member, first_items, inner, integer_of, string_of};
pub(crate) use self::text::json_text;
pub use self::text::{ObjectText, array_text, write_string};
