//! Whether a request becomes a WebSocket.

use ::http::StatusCode;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{PlainRequest, Single};

/// Length of a WebSocket's key.
const KEY_BYTES: usize = 16;
/// Some clients send any 22 characters, whose last bits are unused.
const KEY: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Whether a request starts a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Upgrade {
    /// No: plain HTTP.
    No(PlainRequest),
    /// Yes; the value of `Sec-WebSocket-Accept` for the response.
    Accept(Box<str>),
    /// Yes, but against RFC 6455; the status of the response and the reason.
    Refuse(StatusCode, &'static str),
}

impl Default for Upgrade {
    fn default() -> Self {
        Self::No(PlainRequest::default())
    }
}

/// The headers about a WebSocket.
#[derive(Default)]
pub(super) struct WebSocketLines<'a> {
    pub(super) is_wanted: bool,
    pub(super) is_connection_upgrade: bool,
    pub(super) version: Single<'a>,
    pub(super) key: Single<'a>,
}

impl WebSocketLines<'_> {
    /// RFC 6455 4.2.1.
    pub(super) fn judge(&self, method: &str, is_1_0: bool) -> Upgrade {
        let malformed = |why| Upgrade::Refuse(StatusCode::BAD_REQUEST, why);
        let required = |why| Upgrade::Refuse(StatusCode::UPGRADE_REQUIRED, why);
        match self.key.0 {
            _ if method != "GET" => malformed("a WebSocket starts with GET"),
            _ if is_1_0 => malformed("a WebSocket needs HTTP/1.1"),
            _ if !self.is_connection_upgrade => required("the header `Connection: Upgrade` is missing"),
            _ if self.version.0 != Some("13") => required("only `Sec-WebSocket-Version: 13` is spoken here"),
            None => malformed("the header `Sec-WebSocket-Key` is missing"),
            Some(key) if !is_key(key) => malformed("its `Sec-WebSocket-Key` is not base64 of 16 bytes"),
            Some(key) => Upgrade::Accept(derive_accept_key(key.as_bytes()).into()),
        }
    }
}

/// Whether the text is 16 bytes in base64.
fn is_key(text: &str) -> bool {
    let mut key = [0; KEY_BYTES];
    text.len() == KEY_BYTES.div_ceil(3) * 4 && KEY.decode_slice(text, &mut key) == Ok(KEY_BYTES)
}

/// Whether a comma-separated list has this token, in any case.
pub(super) fn has_token(value: &str, token: &str) -> bool {
    value
        .split(',')
        .any(|word| word.trim().eq_ignore_ascii_case(token))
}
