//! Who a client is.

use alloc::boxed::Box;

/// What a client says of itself in `connect.client`. Strings are verbatim and non-empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// Which program this is ("cli", "openclaw-macos"); any non-empty string is accepted.
    pub id: Box<str>,
    /// Its version.
    pub version: Box<str>,
    /// Its operating system.
    pub platform: Box<str>,
    /// What it is for ("ui", "webchat", "node"); any non-empty string is accepted.
    pub mode: Box<str>,
    /// Human-readable name of the machine or tab.
    pub display_name: Option<Box<str>>,
    /// Hardware family.
    pub device_family: Option<Box<str>>,
    /// Hardware model.
    pub model_identifier: Option<Box<str>>,
    /// Stable identity of the client.
    pub instance_id: Option<Box<str>>,
    /// IANA time zone.
    pub time_zone: Option<Box<str>>,
}
