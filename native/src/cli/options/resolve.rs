//! Checks the options and makes a configuration of them.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::error::{OptionsError, invalid, not_blank, refused};
use super::file::has_tables;
use super::tokens::Place;
use super::{AuthWord, Observed, ServeOptions, TokensFile};
use crate::auth::origin::AllowedOrigins;
use crate::auth::secret::{AuthMode, Secret};
use crate::auth::user_header::UserHeader;
use crate::config::GatewayConfig;
use crate::recording::{self, Keep, Requests};
use crate::tls::Tls;
use crate::web::WebRoot;

/// Most bytes of a recording: some hundred thousand inputs.
const DEFAULT_RECORD_BYTES: u64 = 64 * 1024 * 1024;

/// The recording to make.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    /// The file.
    pub path: PathBuf,
    /// Most bytes.
    pub max_bytes: u64,
    /// What is written, and when.
    pub keep: Keep,
}

/// The resolved settings.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    /// The gateway's configuration. Its `auth` and `tokens` are missing while [`needs_token`](Self::needs_token).
    pub config: GatewayConfig,
    /// No secret is set: the caller creates a token if there are named tokens, or on loopback, and refuses to listen
    /// elsewhere.
    pub needs_token: bool,
    /// The gateways to observe, in the order of `config.observed`.
    pub observed: Vec<Observed>,
    /// The recording to make.
    pub record: Option<Recording>,
    /// The file of the named tokens.
    pub tokens: Option<TokensFile>,
    /// The option of a secret that is set but unused in this mode.
    pub unused_secret: Option<&'static str>,
}

impl ServeOptions {
    /// Makes a configuration of the options.
    ///
    /// # Errors
    /// [`OptionsError`] names the setting that is wrong.
    pub(crate) fn resolve(&self) -> Result<Resolved, OptionsError> {
        self.resolved().map_err(|error| self.in_file(error))
    }

    /// Names the line of a setting that the file decides.
    fn in_file(&self, error: OptionsError) -> OptionsError {
        match (error, &self.config) {
            (OptionsError::Value(option, why), Some(path)) => match self.lines.get(&*option) {
                Some(line) => OptionsError::File(path.clone(), format!("line {line}: {option}: {why}")),
                None => OptionsError::Value(option, why),
            },
            (error, _) => error,
        }
    }

    fn resolved(&self) -> Result<Resolved, OptionsError> {
        let mut config = GatewayConfig::default();
        let (auth, needs_token) = self.auth_mode()?;
        config.auth = auth;
        set(&mut config.bind, self.bind);
        set(&mut config.port, self.port);
        set(&mut config.ttl_ms, self.ttl);
        set(&mut config.max_entries, self.max_entries);
        set(&mut config.drain_ms, self.drain_ms);
        if let Some(modes) = &self.ephemeral_mode {
            config.ephemeral_modes = not_blank(modes).map(|mode| mode.as_str().into()).collect();
        }
        if let Some(origins) = &self.allowed_origin {
            config.allowed_origins =
                AllowedOrigins::parse(origins).map_err(|error| invalid("allowed-origin", &error))?;
        }
        if let Some(proxies) = &self.trusted_proxy {
            config.trusted_proxies = not_blank(proxies)
                .map(|text| parse_network(text))
                .collect::<Result<_, _>>()?;
        }
        if let Some(name) = &self.user_header {
            let header: Result<UserHeader, _> = name.parse();
            config.user_header = Some(header.map_err(|error| invalid("user-header", &error))?);
        }

        let own = match &config.auth {
            AuthMode::None => None,
            AuthMode::Token(secret) | AuthMode::Password(secret) => Some(secret),
        };
        let tokens = self.tokens_file(own)?;
        if !needs_token {
            config.tokens = tokens.as_ref().map(|file| file.tokens.clone());
        }
        config.tls = self.tls()?;
        config.hsts_s = self.hsts;

        config.web_root = match &self.web_root {
            Some(folder) => {
                let root = WebRoot::read(folder).map_err(|error| invalid("web-root", &error))?;
                Some(Arc::new(root))
            }
            #[cfg(feature = "page")]
            None => Some(Arc::new(WebRoot::embedded())),
            #[cfg(not(feature = "page"))]
            None => None,
        };

        config.metrics = self.metrics.unwrap_or(false);
        config.metrics_bind = self.metrics_bind;

        let limits = &mut config.limits;
        set(&mut limits.window_ms, self.window_ms);
        set(&mut limits.preauth_frame_bytes, self.preauth_frame_bytes);
        set(&mut limits.payload_bytes, self.payload_bytes);
        set(&mut limits.buffered_bytes, self.buffered_bytes);
        set(&mut limits.handshake_ms, self.handshake_ms);
        set(&mut limits.tick_interval_ms, self.tick_interval_ms);
        set(&mut limits.ping_interval_ms, self.ping_interval_ms);
        set(&mut limits.stall_ms, self.stall_ms);

        let slots = &mut config.slots;
        set(&mut slots.max_connections, self.max_connections);
        set(&mut slots.max_unauthenticated, self.max_unauthenticated);
        set(
            &mut slots.max_unauthenticated_per_address,
            self.max_unauthenticated_per_address,
        );

        let observed = self.others.resolve()?;
        config.observed = observed.iter().map(|other| other.name.clone()).collect();
        #[cfg(feature = "cluster")]
        {
            config.cluster = self.fleet.resolve()?;
        }
        #[cfg(feature = "history")]
        {
            config.history = self.past.resolve()?;
        }
        #[cfg(feature = "webhook")]
        {
            config.webhook = self.hook.resolve()?;
        }
        config.validate().map_err(refused)?;
        Ok(Resolved {
            unused_secret: self.unused_secret(&config.auth),
            config,
            observed,
            needs_token,
            record: self.recording()?,
            tokens,
        })
    }

    /// The named tokens: the file of an option wins over the tables of the configuration file.
    fn tokens_file(&self, own: Option<&Secret>) -> Result<Option<TokensFile>, OptionsError> {
        let (path, place) = match (&self.tokens, &self.config) {
            (Some(path), _) => (path, Place::Whole),
            (None, Some(path)) if has_tables(path) => (path, Place::Tables),
            (None, _) => return Ok(None),
        };
        TokensFile::read(path, place, own).map(Some)
    }

    /// The recording, if there is one.
    fn recording(&self) -> Result<Option<Recording>, OptionsError> {
        let (age_ms, last_ms) = (self.record_age, self.record_last);
        let Some(path) = self.record.clone() else {
            let unused = [
                ("record-bytes", self.record_bytes),
                ("record-age", age_ms),
                ("record-last", last_ms),
            ];
            return match unused.iter().find(|(_, value)| value.is_some()) {
                Some((option, _)) => Err(invalid(option, &"there is no file: add --record FILE")),
                None => Ok(None),
            };
        };
        let keep = match (age_ms, last_ms) {
            (Some(_), Some(_)) => {
                return Err(invalid(
                    "record-age",
                    &"has no meaning with --record-last: remove one",
                ));
            }
            (None, Some(_)) if !cfg!(unix) => {
                return Err(invalid("record-last", &"this system has no signal SIGUSR1"));
            }
            (None, Some(ms)) => Keep::Last(Duration::from_millis(ms), Requests::default()),
            (age_ms, None) => Keep::Inputs {
                max_age: age_ms.map(Duration::from_millis),
            },
        };
        let max_bytes = self.record_bytes.unwrap_or(DEFAULT_RECORD_BYTES);
        recording::validate(max_bytes, &keep).map_err(refused)?;
        Ok(Some(Recording {
            path,
            max_bytes,
            keep,
        }))
    }

    /// Reads the certificate and its key.
    fn tls(&self) -> Result<Option<Tls>, OptionsError> {
        match (&self.tls_cert, &self.tls_key) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(invalid(
                "tls-cert",
                &"its private key is missing: add --tls-key FILE",
            )),
            (None, Some(_)) => Err(invalid(
                "tls-key",
                &"its certificate is missing: add --tls-cert FILE",
            )),
            (Some(certificate), Some(key)) => Tls::from_files(certificate, key)
                .map(Some)
                .map_err(|error| invalid(error.option(), &error)),
        }
    }

    /// A secret for the command's clients can be in the operator's environment, so an unused one is not an error. It
    /// is worth a warning: clients that send it are refused.
    fn unused_secret(&self, auth: &AuthMode) -> Option<&'static str> {
        let token = self.token.as_ref().map(|_| "token");
        let password = self.password.as_ref().map(|_| "password");
        match auth {
            AuthMode::None => token.or(password),
            AuthMode::Token(_) => password,
            AuthMode::Password(_) => token,
        }
    }

    /// Returns the mode, and whether a token has to be created for it.
    pub(super) fn auth_mode(&self) -> Result<(AuthMode, bool), OptionsError> {
        let word = self.auth.unwrap_or(AuthWord::Token);
        let secret = |name, text: &str| Secret::new(text).map_err(|error| invalid(name, &error));
        match (word, &self.token, &self.password) {
            (AuthWord::None, ..) => Ok((AuthMode::None, false)),
            (AuthWord::Token, Some(token), _) => Ok((AuthMode::Token(secret("token", token)?), false)),
            (AuthWord::Token, None, _) => Ok((AuthMode::None, true)),
            (AuthWord::Password, _, Some(password)) => {
                Ok((AuthMode::Password(secret("password", password)?), false))
            }
            (AuthWord::Password, _, None) => Err(OptionsError::PasswordMissing),
        }
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn parse_network(text: &str) -> Result<IpNet, OptionsError> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse::<IpNet>()
        .or_else(|_| bare.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| {
            let why = format!("`{text}` is neither an address nor a network such as 10.0.0.0/8");
            invalid("trusted-proxy", &why)
        })
}
