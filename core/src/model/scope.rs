//! Scopes (reference 3.5).

/// The scope that satisfies every other.
pub const ADMIN: &str = "operator.admin";
/// The scope to write rows of other clients; implies [`READ`].
pub const WRITE: &str = "operator.write";
/// The scope to read the roster.
pub const READ: &str = "operator.read";
/// The scope to see device pairings.
pub const PAIRING: &str = "operator.pairing";

/// The scopes of a presence gateway.
pub const ALL: [&str; 4] = [ADMIN, PAIRING, READ, WRITE];

/// Whether `granted` scopes satisfy `wanted`: admin satisfies all, write satisfies read.
#[must_use]
pub fn is_satisfied<S: AsRef<str>>(granted: &[S], wanted: &str) -> bool {
    granted
        .iter()
        .map(AsRef::as_ref)
        .any(|scope| scope == wanted || scope == ADMIN || (wanted == READ && scope == WRITE))
}
