//! Errors of options, which name the option.

use std::borrow::Cow;
use std::path::PathBuf;

use presence_core::model::setting::InvalidSetting;

use super::duration::duration_text;
use crate::config::InvalidConfig;

/// Invalid configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OptionsError {
    /// Wrong arguments or a wrong variable, in the words of clap.
    #[error(transparent)]
    Arguments(#[from] clap::Error),
    /// The file cannot be read or understood.
    #[error("configuration file {0}: {1}")]
    File(PathBuf, String),
    /// A mode without its secret.
    #[error("--auth password needs --password (or OPENCLAW_GATEWAY_PASSWORD)")]
    PasswordMissing,
    /// A removed option.
    #[error(
        "--{0} exists no more: wrong secrets are throttled (per address ten at once, then one per 3 s), and no address \
         is locked out or delayed; remove it from the flags, the environment (OPENCLAW_GATEWAY_AUTH_...) and the file"
    )]
    Removed(&'static str),
    /// A gateway cannot be observed; names the option.
    #[error("{0}")]
    Observed(String),
    /// Invalid value.
    #[error("--{0}: {1}")]
    Value(Cow<'static, str>, String),
}

pub(super) fn invalid(option: &'static str, why: &impl ToString) -> OptionsError {
    OptionsError::Value(option.into(), why.to_string())
}

/// The library names fields: `limits.stall_ms` is `--stall-ms`.
pub(crate) fn refused(error: impl Into<InvalidConfig>) -> OptionsError {
    let error = error.into();
    let option = match error.name() {
        "ttl_ms" => "ttl".to_owned(),
        "hsts_s" => "hsts".to_owned(),
        "trusted_proxies" => "trusted-proxy".to_owned(),
        "record.max_bytes" => "record-bytes".to_owned(),
        "record.keep.max_age_ms" => "record-age".to_owned(),
        "record.keep.last_ms" => "record-last".to_owned(),
        "history.max_age_ms" => "history-age".to_owned(),
        "history.max_bytes" => "history-bytes".to_owned(),
        "webhook.grace_ms" => "webhook-grace".to_owned(),
        "every_ms" => "every".to_owned(),
        name => name.rsplit('.').next().unwrap_or(name).replace('_', "-"),
    };
    // Where the option takes a unit, the refusal states it.
    let is_duration = error.name().ends_with("_ms") && !option.ends_with("-ms");
    let number = |number: u64| match is_duration {
        true => duration_text(number),
        false => number.to_string(),
    };
    let why = match error {
        InvalidConfig::Number(InvalidSetting::TooSmall { value, least, .. }) => {
            format!("{} is less than {}", number(value), number(least))
        }
        InvalidConfig::Number(InvalidSetting::TooLarge { value, most, .. }) => {
            format!("{} is more than {}", number(value), number(most))
        }
        InvalidConfig::Network { network, why } => format!("`{network}` {why}"),
        InvalidConfig::NoEffect { why, needs, .. } => {
            let remedy = match needs {
                "trusted_proxies" => "add --trusted-proxy",
                "tls" => "add --tls-cert and --tls-key",
                "auth" => "remove --auth none",
                other => other,
            };
            format!("{why}: {remedy}")
        }
        InvalidConfig::Number(other) => other.to_string(),
    };
    OptionsError::Value(option.into(), why)
}

/// The items that are not blank: an empty variable is an empty list.
pub(super) fn not_blank(items: &[String]) -> impl Iterator<Item = &String> {
    items.iter().filter(|item| !item.trim().is_empty())
}
