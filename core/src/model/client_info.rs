//! The identity of a client.

use alloc::boxed::Box;

/// The members of `connect.client`. Strings are verbatim and non-empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// The program ("cli", "openclaw-macos"); any non-empty string is accepted.
    pub id: Box<str>,
    /// Its version.
    pub version: Box<str>,
    /// Its operating system.
    pub platform: Box<str>,
    /// Its purpose ("ui", "webchat", "node"); any non-empty string is accepted.
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

impl ClientInfo {
    /// Returns all of its texts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        // Without `..`, so that a new member is a compile error here.
        let Self {
            id,
            version,
            platform,
            mode,
            display_name,
            device_family,
            model_identifier,
            instance_id,
            time_zone,
        } = self;
        let optional = [
            display_name,
            device_family,
            model_identifier,
            instance_id,
            time_zone,
        ];
        let optional = optional.into_iter().flatten();
        [id, version, platform, mode]
            .into_iter()
            .chain(optional)
            .map(|text| &**text)
    }
}
