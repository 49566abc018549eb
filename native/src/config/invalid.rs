//! Why a configuration is refused.

use ipnet::IpNet;
use presence_core::model::setting::InvalidSetting;

/// A configuration that no gateway starts with. [`name`](Self::name) names the setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// A number is out of bounds.
    #[error(transparent)]
    Number(#[from] InvalidSetting),
    /// The network of a trusted proxy.
    #[error("trusted_proxies: `{network}` {why}")]
    Network {
        /// The network.
        network: IpNet,
        /// The reason.
        why: &'static str,
    },
    /// A setting has no effect without another one.
    #[error("{name}: {why}: set {needs}")]
    NoEffect {
        /// The name of the field.
        name: &'static str,
        /// The reason.
        why: &'static str,
        /// The name of the other field.
        needs: &'static str,
    },
}

impl InvalidConfig {
    /// The setting, as the field is called: `ttl_ms`, `limits.tick_interval_ms`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Number(error) => error.name(),
            Self::Network { .. } => "trusted_proxies",
            Self::NoEffect { name, .. } => name,
        }
    }
}
