//! The fleet of the gateway.

use std::path::PathBuf;

use clap::Args;

use super::OptionsError;
use crate::config::ClusterConfig;
use crate::identity;

/// Help heading of these options.
const FLEET: &str = "A fleet of gateways";
/// The name if that of the host has no usable character.
const FALLBACK_NAME: &str = "gateway";
/// Longest name.
const MAX_NAME: usize = presence_core::fleet::MAX_NAME_BYTES;

/// The NATS servers, and this gateway's name there.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = FLEET)]
pub(crate) struct ClusterOptions {
    /// NATS server with JetStream through which gateways share one roster, for example nats://10.0.0.5:4222; the URL
    /// may hold a user and a password, and tls:// encrypts (may be repeated: servers of one NATS cluster)
    #[arg(
        long,
        env = "OPENCLAW_GATEWAY_CLUSTER",
        value_name = "URL",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub cluster: Option<Vec<String>>,
    /// Name of this gateway in the fleet; no other one may have it [default: the name of the host]
    #[arg(long, env = "OPENCLAW_GATEWAY_CLUSTER_NAME", value_name = "NAME")]
    pub cluster_name: Option<String>,
    /// Credentials file of NATS (.creds)
    #[arg(long, env = "OPENCLAW_GATEWAY_CLUSTER_CREDS", value_name = "FILE")]
    pub cluster_creds: Option<PathBuf>,
    /// Certificates, in PEM, of the authorities to trust for a tls:// URL [default: those of this system]
    #[arg(long, env = "OPENCLAW_GATEWAY_CLUSTER_TLS_CA", value_name = "FILE")]
    pub cluster_tls_ca: Option<PathBuf>,
}

impl ClusterOptions {
    /// Checks the options, and reads the files that they name.
    ///
    /// # Errors
    /// [`OptionsError::Value`] names the option that is wrong.
    pub(super) fn resolve(&self) -> Result<Option<ClusterConfig>, OptionsError> {
        let servers: Vec<&str> = super::error::not_blank(self.cluster.as_deref().unwrap_or_default())
            .map(String::as_str)
            .collect();
        if servers.is_empty() {
            let unused = [
                ("cluster-name", self.cluster_name.is_some()),
                ("cluster-creds", self.cluster_creds.is_some()),
                ("cluster-tls-ca", self.cluster_tls_ca.is_some()),
            ];
            return match unused.iter().find(|(_, is_set)| *is_set) {
                Some((option, _)) => Err(super::invalid(
                    option,
                    &"it needs a fleet: add --cluster nats://HOST:4222",
                )),
                None => Ok(None),
            };
        }
        let name = self
            .cluster_name
            .clone()
            .unwrap_or_else(|| name_of(&identity::hostname()));
        let invalid = |error: crate::config::InvalidCluster| super::invalid(error.option(), &error);
        let mut config = ClusterConfig::new(&servers, &name).map_err(invalid)?;
        if let Some(path) = &self.cluster_creds {
            config = config.with_credentials(path).map_err(invalid)?;
        }
        if let Some(path) = &self.cluster_tls_ca {
            config = config.with_authorities(path).map_err(invalid)?;
        }
        Ok(Some(config))
    }
}

/// The name of a host in the form of gateways' names.
fn name_of(host: &str) -> String {
    let host = host.split('.').next().unwrap_or_default().to_lowercase();
    let plain = host
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    let name: String = plain.take(MAX_NAME).collect();
    let name = name.trim_matches('-');
    if name.is_empty() {
        FALLBACK_NAME.to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_give_names() {
        for (host, name) in [
            ("Studio.local", "studio"),
            ("Zo\u{e9}_s Mac", "zo--s-mac"),
            ("", "gateway"),
            ("\u{7535}\u{8111}", "gateway"),
        ] {
            assert_eq!(name_of(host), name, "{host}");
        }
        assert_eq!(name_of(&"x".repeat(64)).len(), MAX_NAME);
    }

    #[test]
    fn options_without_a_fleet_are_refused() {
        let options = ClusterOptions {
            cluster_name: Some("a".into()),
            ..ClusterOptions::default()
        };
        let error = options.resolve().unwrap_err().to_string();
        assert!(error.starts_with("--cluster-name: "), "{error}");
        assert!(ClusterOptions::default().resolve().unwrap().is_none());
    }
}
