//! Recordings of a hub's inputs, and their replay (SPEC 6.2).
//!
//! A [`Recorder`] gets the inputs of the hub. It writes JSON Lines: a [`Header`], the inputs that change rows, and
//! every [`INPUTS_PER_DIGEST`] inputs, but at most once a second, a digest of the rows. Names, addresses and ids are
//! replaced by pseudonyms ([`Redactor`]) that keep the properties on which the rules depend. [`Reader`] reads the
//! lines, and [`Replay`] feeds them to a hub in virtual time: deadlines are handled exactly when they are due, so the
//! rows do not depend on late timers of the recorded gateway.

mod answers;
mod changes;
mod input;
mod line;
mod params;
mod reader;
mod recorder;
mod redact;
mod replay;
mod seek;
mod shrink;
mod state;
mod step_error;

#[cfg(test)]
mod secret_tests;
#[cfg(test)]
mod tests;

pub use self::changes::{Change, MAX_CHANGES};
pub use self::input::{Input, Joined};
pub use self::line::{Expected, HEADER_START, Header, Line, Step};
pub use self::params::Params;
pub use self::reader::{Place, ReadError, Reader};
pub use self::recorder::Recorder;
pub use self::redact::Redactor;
pub use self::replay::Replay;
pub use self::seek::{Bounds, MAX_COPIES, Moment, Recording};
pub use self::shrink::{Shrunk, shrink};
pub use self::state::State;
pub use self::step_error::StepError;

/// The version of the format.
pub const FORMAT: u32 = 1;
/// The digest of the vectors that this version passes: recordings of versions with other rules have another one.
pub const VECTORS: &str = "e623e62fff4a6bc2";
/// Inputs between two digests; more if they come within [`DIGEST_INTERVAL_MS`].
pub const INPUTS_PER_DIGEST: u64 = 256;
/// The shortest time between two digests of a recording, in ms: each costs the encoding of all rows that changed.
pub const DIGEST_INTERVAL_MS: u64 = 1_000;
/// Inputs between two checkpoints; more if a checkpoint has many lines.
pub const INPUTS_PER_CHECKPOINT: u64 = 8_192;
/// Inputs between two checkpoints for each line that a checkpoint has.
pub const INPUTS_PER_CHECKPOINT_LINE: u64 = 2;
/// The longest line that is read, in bytes: a beacon with all members at their bounds is far shorter.
pub const MAX_LINE_BYTES: usize = 1024 * 1024;
