//! The configuration of a client.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::backoff::BackoffConfig;
use super::mirror::MirrorConfig;
use crate::model::setting::{InvalidSetting, MAX_SPAN_MS, within};
use crate::model::{ClientInfo, scope};

/// The configuration of a [`Client`](super::Client).
#[derive(Clone)]
pub struct ClientConfig {
    /// The client's metadata. Real gateways accept only `id`s and `mode`s of their own lists (reference 2.3).
    /// `time_zone` is not sent, because gateways of protocol 3 refuse it.
    pub client: ClientInfo,
    /// The gateway's token, if it requires one.
    pub token: Option<Box<str>>,
    /// The gateway's password, if it requires one.
    pub password: Option<Box<str>>,
    /// The device key, if there is one. Without it real gateways of protocol 4 remove all scopes.
    pub device: Option<DeviceKey>,
    /// The requested scopes; `None` requests `operator.read`. OpenClaw's own gateways require
    /// `operator.admin` for beacons.
    pub scopes: Option<Vec<Box<str>>>,
    /// The client's own address for its beacons, if known.
    pub ip: Option<Box<str>>,
    /// The mode in beacons; `None` for that of the handshake. A command line is admitted as `cli`, whatever
    /// it reports.
    pub beacon_mode: Option<Box<str>>,
    /// When to send beacons.
    pub beacons: BeaconPolicy,
    /// The delays between connection attempts.
    pub backoff: BackoffConfig,
    /// The bounds and thresholds of the mirror.
    pub mirror: MirrorConfig,
    /// Whether to request deltas (SPEC 2.1); gateways without them send full lists.
    pub deltas: bool,
    /// Whether to request the gateway's own rows, without those of gateways that it observes (SPEC 7).
    pub own_rows: bool,
    /// The time limit for the socket to open, and again for the handshake, in ms.
    pub handshake_ms: u64,
    /// The seed of the reconnect jitter; different for each client.
    pub seed: u64,
}

impl ClientConfig {
    /// Returns the defaults for a client with this metadata.
    #[must_use]
    pub fn new(client: ClientInfo) -> Self {
        Self {
            client,
            token: None,
            password: None,
            device: None,
            scopes: None,
            ip: None,
            beacon_mode: None,
            beacons: BeaconPolicy::Off,
            backoff: BackoffConfig::default(),
            mirror: MirrorConfig::default(),
            deltas: true,
            own_rows: false,
            handshake_ms: 15_000,
            seed: 0,
        }
    }

    /// Checks every number: the mirror's, the backoff's, a handshake of 1 ms to [`MAX_SPAN_MS`], and
    /// occasions of beacons of at most [`MAX_SPAN_MS`], periodic ones at least [`BeaconPolicy::MIN_GAP_MS`]
    /// apart.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the first setting that is out of bounds.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        within("handshake_ms", self.handshake_ms, 1..=MAX_SPAN_MS)?;
        self.mirror.validate()?;
        self.backoff.validate()?;
        if let BeaconPolicy::On(occasions) = self.beacons {
            let every_ms = occasions.every_ms.unwrap_or(MAX_SPAN_MS);
            within(
                "beacons.every_ms",
                every_ms,
                BeaconPolicy::MIN_GAP_MS..=MAX_SPAN_MS,
            )?;
            within("beacons.idle_ms", occasions.idle_ms, 0..=MAX_SPAN_MS)?;
        }
        Ok(())
    }

    pub(super) fn requested_scopes(&self) -> Vec<Box<str>> {
        self.scopes.clone().unwrap_or_else(|| vec![scope::READ.into()])
    }
}

/// Omits secrets.
impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("client", &self.client)
            .field("token", &self.token.is_some())
            .field("password", &self.password.is_some())
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

/// The public half of a device's Ed25519 key. The shell has the private half and signs (reference 3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceKey {
    /// Lower-hex SHA-256 of the raw public key.
    pub id: Box<str>,
    /// The raw public key, base64url without padding.
    pub public_key: Box<str>,
}

/// When a client sends beacons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeaconPolicy {
    /// Only on request of the application.
    Off,
    /// After every handshake, and at these occasions.
    On(BeaconOccasions),
}

impl BeaconPolicy {
    /// The minimum time between two beacons of the policy, in ms.
    pub const MIN_GAP_MS: u64 = 5_000;

    /// Returns the policy of a beacon after every handshake, and then every `every_ms`.
    #[must_use]
    pub fn every(every_ms: u64) -> Self {
        Self::On(BeaconOccasions {
            every_ms: Some(every_ms),
            on_activity: false,
            on_visibility: false,
            ..BeaconOccasions::default()
        })
    }
}

/// The occasions of beacons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeaconOccasions {
    /// The maximum time without a beacon, in ms; at least [`BeaconPolicy::MIN_GAP_MS`].
    pub every_ms: Option<u64>,
    /// Whether to send one when the user is back after `idle_ms` without input.
    pub on_activity: bool,
    /// Whether to send one when the page is shown or hidden.
    pub on_visibility: bool,
    /// The time without input after which the user counts as away, in ms.
    pub idle_ms: u64,
}

impl Default for BeaconOccasions {
    fn default() -> Self {
        Self {
            every_ms: Some(60_000),
            on_activity: true,
            on_visibility: true,
            idle_ms: 120_000,
        }
    }
}
