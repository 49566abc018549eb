//! The errors of a replay.

/// Why a replay cannot continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The rows are not those of the recording.
    #[error("the digest differs: an input before it was changed")]
    Digest,
    /// The same, in a recording of a program with other rules.
    #[error("the digest differs: the program that recorded has other rules than this one")]
    Rules,
    /// The expected finding is missing.
    #[error("the inputs before it do not give the expected finding in this version")]
    Finding,
    /// A connection joins that is connected already: each has one handshake.
    #[error("connection {0} joins twice, which no gateway can have recorded")]
    JoinedTwice(u64),
    /// A checkpoint holds an impossible state.
    #[error("the checkpoint has {0} that no gateway can have")]
    State(&'static str),
    /// A checkpoint has more or fewer parts of this kind than its first line states.
    #[error("the checkpoint has another number of {0} than its first line states")]
    Count(&'static str),
}

impl StepError {
    /// Whether the replay only differs from the recording, as it does under other bounds ("what if").
    #[must_use]
    pub fn is_difference(self) -> bool {
        matches!(self, Self::Digest | Self::Rules | Self::Finding)
    }
}
