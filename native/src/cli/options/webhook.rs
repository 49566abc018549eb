//! The webhook of `serve`.

use std::path::PathBuf;

use clap::Args;

use super::duration::duration_ms;
use super::error::refused;
use super::{OptionsError, invalid};
use crate::config::{InvalidWebhook, WebhookConfig};

/// Help heading of these options.
const WEBHOOK: &str = "Webhook";

/// The receiver of joins and leaves.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = WEBHOOK)]
pub(crate) struct WebhookOptions {
    /// URL to which each join and leave is posted, signed with --webhook-secret-file; http:// or https://
    #[arg(
        long,
        env = "OPENCLAW_GATEWAY_WEBHOOK",
        value_name = "URL",
        hide_env_values = true
    )]
    pub webhook: Option<String>,
    /// File with the secret of the signatures (HMAC-SHA256), of at least 16 bytes; read at the start
    #[arg(long, env = "OPENCLAW_GATEWAY_WEBHOOK_SECRET_FILE", value_name = "FILE")]
    pub webhook_secret_file: Option<PathBuf>,
    /// Time within which a reconnect is not reported as a leave and a join, such as 30s [default: 0s]
    #[arg(long, env = "OPENCLAW_GATEWAY_WEBHOOK_GRACE", value_name = "TIME", value_parser = duration_ms)]
    pub webhook_grace: Option<u64>,
    /// Certificates, in PEM, of the authorities to trust for an https:// URL [default: those of this system]
    #[arg(long, env = "OPENCLAW_GATEWAY_WEBHOOK_TLS_CA", value_name = "FILE")]
    pub webhook_tls_ca: Option<PathBuf>,
}

impl WebhookOptions {
    /// Checks the options, and reads the files that they name.
    ///
    /// # Errors
    /// [`OptionsError::Value`] names the option that is wrong.
    pub(super) fn resolve(&self) -> Result<Option<WebhookConfig>, OptionsError> {
        let Some(url) = &self.webhook else {
            let unused = [
                ("webhook-secret-file", self.webhook_secret_file.is_some()),
                ("webhook-grace", self.webhook_grace.is_some()),
                ("webhook-tls-ca", self.webhook_tls_ca.is_some()),
            ];
            return match unused.iter().find(|(_, is_set)| *is_set) {
                Some((option, _)) => Err(invalid(option, &"there is no webhook: add --webhook URL")),
                None => Ok(None),
            };
        };
        let Some(file) = &self.webhook_secret_file else {
            return Err(invalid(
                "webhook",
                &"the secret of its signatures is missing: add --webhook-secret-file FILE",
            ));
        };
        let wrong = |error: InvalidWebhook| invalid(error.option(), &error);
        let secret = WebhookConfig::read_secret(file).map_err(wrong)?;
        let mut config = WebhookConfig::new(url, &secret, self.webhook_tls_ca.as_deref()).map_err(wrong)?;
        config.grace_ms = self.webhook_grace.unwrap_or(0);
        config.validate().map_err(refused)?;
        Ok(Some(config))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(secret: Option<&std::path::Path>) -> WebhookOptions {
        WebhookOptions {
            webhook: Some("http://127.0.0.1:9/s3cret".to_owned()),
            webhook_secret_file: secret.map(Into::into),
            ..WebhookOptions::default()
        }
    }

    fn refusal(options: &WebhookOptions) -> String {
        options.resolve().unwrap_err().to_string()
    }

    #[test]
    fn what_is_missing_or_wrong_has_its_option() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a secret of some length\n").unwrap();
        let good = options(Some(file.path()));
        assert_eq!(good.resolve().unwrap().unwrap().address(), ("127.0.0.1", 9));
        assert!(WebhookOptions::default().resolve().unwrap().is_none());

        let refused = refusal(&options(None));
        assert!(
            refused.starts_with("--webhook: the secret") && !refused.contains("s3cret"),
            "{refused}"
        );
        let missing = file.path().with_extension("missing");
        assert!(refusal(&options(Some(&missing))).starts_with("--webhook-secret-file: "));
        for (options, wanted) in [
            (
                WebhookOptions {
                    webhook: None,
                    ..good.clone()
                },
                "--webhook-secret-file: there is no webhook",
            ),
            (
                WebhookOptions {
                    webhook_grace: Some(25 * 3_600_000),
                    ..good.clone()
                },
                "--webhook-grace: 25h is more than 24h",
            ),
            (
                WebhookOptions {
                    webhook_tls_ca: Some(missing),
                    ..good
                },
                "--webhook: --webhook-tls-ca requires an https:// URL",
            ),
        ] {
            let refused = refusal(&options);
            assert!(refused.starts_with(wanted), "{refused}");
        }
        std::fs::write(file.path(), "short").unwrap();
        let refused = refusal(&options(Some(file.path())));
        assert!(refused.contains("fewer than 16 bytes"), "{refused}");
    }
}
