//! The gateways that `serve` observes.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use presence_core::fleet::validate_names;
use zeroize::Zeroizing;

use super::{ClientOptions, OptionsError};
use crate::cli::options::Target;
use crate::files::read_small;

/// Help heading of these options.
const OTHER_GATEWAYS: &str = "Other gateways";
/// Time limit for a handshake.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Most bytes of a file with a secret.
const MAX_SECRET_BYTES: u64 = 4_096;

/// The gateways to observe, with their secrets.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = OTHER_GATEWAYS)]
pub(crate) struct ObserveOptions {
    /// Gateway whose clients are listed too, for example home=ws://127.0.0.1:18790; it can be one of OpenClaw, and
    /// needs no change (may be repeated, at most 8)
    #[arg(
        long,
        env = "OPENCLAW_GATEWAY_OBSERVE",
        value_name = "NAME=URL",
        value_delimiter = ','
    )]
    pub observe: Option<Vec<String>>,
    /// Token of an observed gateway, for example home=SECRET (may be repeated)
    #[arg(
        long,
        env = "OPENCLAW_GATEWAY_OBSERVE_TOKEN",
        value_name = "NAME=TOKEN",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub observe_token: Option<Vec<String>>,
    /// File with the token of an observed gateway, for example home=home.token; read at the start (may be repeated)
    #[arg(
        long,
        env = "OPENCLAW_GATEWAY_OBSERVE_TOKEN_FILE",
        value_name = "NAME=FILE",
        value_delimiter = ','
    )]
    pub observe_token_file: Option<Vec<String>>,
    /// Password of an observed gateway (may be repeated)
    #[arg(
        long,
        env = "OPENCLAW_GATEWAY_OBSERVE_PASSWORD",
        value_name = "NAME=PASSWORD",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub observe_password: Option<Vec<String>>,
    /// Certificates, in PEM, of the authorities to trust for observed gateways with a wss:// URL
    /// [default: those of this system]
    #[arg(long, env = "OPENCLAW_GATEWAY_OBSERVE_TLS_CA", value_name = "FILE")]
    pub observe_tls_ca: Option<PathBuf>,
    /// SHA-256 of the certificate of an observed gateway, which that gateway logs at its start; any other certificate
    /// is refused (may be repeated)
    #[arg(
        long,
        env = "OPENCLAW_GATEWAY_OBSERVE_TLS_FINGERPRINT",
        value_name = "NAME=sha256:HEX",
        value_delimiter = ','
    )]
    pub observe_tls_fingerprint: Option<Vec<String>>,
}

/// A gateway to observe.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    /// Value of the member `gateway` in its rows.
    pub name: Box<str>,
    /// Its address and secrets.
    pub target: Target,
}

impl ObserveOptions {
    /// The files with tokens.
    pub(super) fn token_files(&self) -> impl Iterator<Item = &Path> {
        let items = pairs("observe-token-file", self.observe_token_file.as_deref());
        // `resolve` refuses items of another form.
        items
            .unwrap_or_default()
            .into_iter()
            .map(|(_, file)| Path::new(file))
    }

    /// Checks the options, and reads the files that they name.
    ///
    /// # Errors
    /// [`OptionsError::Value`] names the option that is wrong.
    pub(super) fn resolve(&self) -> Result<Vec<Observed>, OptionsError> {
        let urls = pairs("observe", self.observe.as_deref())?;
        let names: Vec<Box<str>> = urls.iter().map(|(name, _)| (*name).into()).collect();
        validate_names(&names).map_err(|error| super::invalid("observe", &error))?;
        let named = |option: &'static str, items: &Option<Vec<String>>| {
            let items = pairs(option, items.as_deref())?;
            let stranger = items
                .iter()
                .find(|(name, _)| !names.iter().any(|known| **known == **name));
            if let Some((name, _)) = stranger {
                let why = match option {
                    // Without NAME= the part before a `=` is the secret itself.
                    "observe-token" | "observe-password" => format!(
                        "write NAME=VALUE, with the name of an observed gateway: {}",
                        names.join(", ")
                    ),
                    _ => format!("no gateway called '{name}' is observed: add --observe {name}=URL"),
                };
                return Err(super::invalid(option, &why));
            }
            let repeated = (1..items.len()).find(|&at| items[..at].iter().any(|item| item.0 == items[at].0));
            if let Some(at) = repeated {
                let why = format!("'{}' has more than one value", items[at].0);
                return Err(super::invalid(option, &why));
            }
            let items = items.into_iter();
            Ok(items
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect::<Vec<_>>())
        };
        let tokens = named("observe-token", &self.observe_token)?;
        let files = named("observe-token-file", &self.observe_token_file)?;
        let passwords = named("observe-password", &self.observe_password)?;
        let fingerprints = named("observe-tls-fingerprint", &self.observe_tls_fingerprint)?;
        let of = |name: &str, items: &[(String, String)]| {
            let item = items.iter().find(|(other, _)| other == name);
            item.map(|(_, value)| value.clone())
        };
        let observed = |(name, url): &(&str, &str)| {
            let mut token = of(name, &tokens).map(Zeroizing::new);
            if let Some(file) = of(name, &files) {
                if token.is_some() {
                    let why = format!("'{name}' has a token in --observe-token too: use one of them");
                    return Err(super::invalid("observe-token-file", &why));
                }
                token = Some(read_secret(Path::new(&file))?);
            }
            let fingerprint = of(name, &fingerprints).map(|text| text.parse()).transpose();
            let is_encrypted = ["wss:", "https:"].iter().any(|scheme| {
                url.get(..scheme.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            });
            let options = ClientOptions {
                url: Some((*url).to_owned()),
                port: 0,
                token: token.as_deref().cloned(),
                password: of(name, &passwords),
                tls_ca: self.observe_tls_ca.clone().filter(|_| is_encrypted),
                tls_fingerprint: fingerprint
                    .map_err(|error| super::invalid("observe-tls-fingerprint", &error))?,
                // Set for observed gateways, in the environment and the file too.
                has_tls_argument: true,
                timeout: u64::try_from(TIMEOUT.as_millis()).unwrap_or(u64::MAX),
            };
            let target = Target::named("observe", &options);
            Ok(Observed {
                name: (*name).into(),
                target: target.map_err(OptionsError::Observed)?,
            })
        };
        urls.iter().map(observed).collect()
    }
}

/// Splits items of the form NAME=VALUE; blank items are ignored.
fn pairs<'a>(
    option: &'static str,
    items: Option<&'a [String]>,
) -> Result<Vec<(&'a str, &'a str)>, OptionsError> {
    let form = match option {
        "observe" => "write NAME=URL, for example home=ws://127.0.0.1:18790",
        _ => "write NAME=VALUE, with the name of an observed gateway",
    };
    let items = items.unwrap_or_default().iter().map(|item| item.trim());
    let pairs = items.filter(|item| !item.is_empty()).map(|item| {
        let pair = item
            .split_once('=')
            // A colon: a URL without a name, which may hold a password.
            .filter(|(name, value)| !name.is_empty() && !name.contains(':') && !value.is_empty());
        // The item itself may be a secret, so no error shows it.
        pair.ok_or_else(|| super::invalid(option, &form))
    });
    pairs.collect()
}

fn read_secret(file: &Path) -> Result<Zeroizing<String>, OptionsError> {
    let invalid =
        |why: &dyn Display| super::invalid("observe-token-file", &format!("{}: {why}", file.display()));
    match read_small(file, MAX_SECRET_BYTES).map(Zeroizing::new) {
        Ok(secret) if secret.is_empty() => Err(invalid(&"it is empty")),
        Ok(secret) => Ok(secret),
        Err(error) => Err(invalid(&error)),
    }
}
