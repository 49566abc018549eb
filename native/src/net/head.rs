//! Reads and validates the head of an HTTP request, for WebSockets and plain HTTP alike. hyper gets a head only after
//! that, and no byte beyond its request, so that a disagreement of the two parsers can affect that request only.

mod body;
mod plain;
#[cfg(test)]
mod tests;
mod upgrade;

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Poll, ready};

use ::http::{StatusCode, Uri};
use presence_core::model::text::prefix_bytes;
use presence_core::wire::error::Misplaced;
use tokio::io::{AsyncRead, ReadBuf};

use crate::auth::facts::Facts;
use crate::auth::origin::is_authority;
use crate::auth::proxy::{Client, is_proxy_header};
use crate::auth::user_header::StatedUser;
use crate::tls::HANDSHAKE_RECORD;

use body::{Body, MAX_BODY_BYTES};
use plain::bearer;

pub(crate) use plain::{PlainRequest, begins_api};
pub(crate) use upgrade::Upgrade;
use upgrade::{WebSocketLines, has_token};

/// The longest head, in bytes.
pub(crate) const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Most header lines.
const MAX_HEADERS: usize = 64;
/// Most bytes of the User-Agent header that are kept.
const MAX_USER_AGENT_BYTES: usize = 256;
/// Names of query parameters that carry secrets elsewhere, without `_` and `-`.
const SECRET_PARAMETERS: [&str; 9] = [
    "token",
    "accesstoken",
    "authtoken",
    "gatewaytoken",
    "auth",
    "password",
    "secret",
    "apikey",
    "key",
];
/// Bytes of one read.
const READ_BYTES: usize = 1024;
/// The parts of a request that the gateway uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The requested host: that of an absolute target, else the Host header. Only HTTP/1.0 may omit it.
    pub host: Option<Box<str>>,
    /// The Origin header; one that is not UTF-8 is kept as an invalid origin.
    pub origin: Option<Box<str>>,
    /// All X-Forwarded-For values in order, joined by commas.
    pub forwarded_for: Option<Box<str>>,
    /// The User-Agent header, cut to 256 bytes.
    pub user_agent: Option<Box<str>>,
    /// A place that is not read, in which the client put a value that looks like a secret.
    pub misplaced: Option<Misplaced>,
    /// Whether any header comes from a proxy.
    pub has_proxy_headers: bool,
    /// The user that the header for it states; to be trusted from trusted proxies only.
    pub user: StatedUser,
    /// What to do with the request.
    pub upgrade: Upgrade,
}

/// Why no head could be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HeadError {
    /// The client closed the connection, or it failed.
    #[error("the connection ended before a whole request: {0}")]
    Io(#[from] io::Error),
    /// A client speaks TLS on a port without.
    #[error(
        "this is a TLS handshake, and this port speaks plain HTTP: use http:// and ws://, or set --tls-cert"
    )]
    Tls,
    /// The bytes are not HTTP by RFC 9112.
    #[error("not an HTTP request: {0}")]
    Malformed(&'static str),
    /// The head exceeds [`MAX_HEAD_BYTES`] or has too many header lines.
    #[error("the request head is too large")]
    TooLarge,
    /// The body exceeds [`MAX_BODY_BYTES`].
    #[error("the body is too large")]
    BodyTooLarge,
    /// The deadline passed.
    #[error("the request took too long")]
    TooSlow,
    /// Another socket needed the slot first.
    #[error("there are too many unauthenticated sockets, and this one was silent the longest")]
    Evicted,
}

impl HeadError {
    /// The status to answer; `None` when the connection is gone.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Io(_) => None,
            Self::Tls | Self::Malformed(_) => Some(StatusCode::BAD_REQUEST),
            Self::TooLarge => Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
            Self::BodyTooLarge => Some(StatusCode::PAYLOAD_TOO_LARGE),
            Self::TooSlow => Some(StatusCode::REQUEST_TIMEOUT),
            Self::Evicted => Some(StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

/// Reads up to the end of a head. `bytes` holds what was read before, and afterwards what follows the head.
///
/// # Errors
/// [`HeadError`] when no whole head arrives.
pub(crate) async fn read_head<S: AsyncRead + Unpin>(
    stream: &mut S,
    bytes: &mut Vec<u8>,
    user_header: Option<&str>,
) -> Result<Head, HeadError> {
    let mut scan = Scan::default();
    loop {
        // The first bytes of a record that carries a handshake.
        if bytes.starts_with(&[HANDSHAKE_RECORD, 3]) {
            return Err(HeadError::Tls);
        }
        if let Some(len) = scan.end_of_head(bytes)? {
            let mut head = parse_head(&bytes[..len], user_header)?;
            let rest = bytes.split_off(len);
            let read = std::mem::replace(bytes, rest);
            if let Upgrade::No(request) = &mut head.upgrade {
                request.bytes = read;
            }
            return Ok(head);
        }
        if bytes.len() >= MAX_HEAD_BYTES {
            return Err(HeadError::TooLarge);
        }
        if read_more(stream, bytes).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
}

/// Reads once, and returns the number of bytes read. A socket that waits for its request keeps no buffer for it.
async fn read_more<S: AsyncRead + Unpin>(stream: &mut S, bytes: &mut Vec<u8>) -> io::Result<usize> {
    poll_fn(|cx| {
        let mut room = [MaybeUninit::uninit(); READ_BYTES];
        let most = READ_BYTES.min(MAX_HEAD_BYTES - bytes.len());
        let mut read = ReadBuf::uninit(&mut room[..most]);
        ready!(Pin::new(&mut *stream).poll_read(cx, &mut read))?;
        bytes.extend_from_slice(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    })
    .await
}

/// Finds the end of a head. It looks at each byte once, however small the reads are.
#[derive(Debug, Default)]
struct Scan {
    /// Bytes looked at.
    len: usize,
    /// Bytes of the current line.
    line_len: usize,
    /// A line that is not empty was seen.
    has_begun: bool,
    is_after_cr: bool,
}

impl Scan {
    /// The length of the head; `None` while it is incomplete.
    fn end_of_head(&mut self, bytes: &[u8]) -> Result<Option<usize>, HeadError> {
        for &byte in bytes.iter().take(MAX_HEAD_BYTES).skip(self.len) {
            self.len += 1;
            match (self.is_after_cr, byte) {
                (true, b'\n') if self.line_len == 0 && self.has_begun => return Ok(Some(self.len)),
                (true, b'\n') => {
                    // An empty line before the request is ignored (RFC 9112 2.2).
                    self.has_begun |= self.line_len > 0;
                    self.line_len = 0;
                    self.is_after_cr = false;
                }
                (false, b'\r') => self.is_after_cr = true,
                (true, _) | (false, b'\n') => {
                    return Err(HeadError::Malformed(
                        "a line ends with CR LF, and has neither inside",
                    ));
                }
                (false, 0..=8 | 11..=31 | 127) => {
                    return Err(HeadError::Malformed("there is a control character in it"));
                }
                (false, _) => self.line_len += 1,
            }
        }
        Ok(None)
    }
}

/// Parses a whole head.
fn parse_head(bytes: &[u8], user_header: Option<&str>) -> Result<Head, HeadError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {
            let head = Head::new(&request, user_header).map_err(HeadError::Malformed)?;
            match &head.upgrade {
                Upgrade::No(plain) if plain.content_length > Some(MAX_BODY_BYTES) => {
                    Err(HeadError::BodyTooLarge)
                }
                _ => Ok(head),
            }
        }
        Err(httparse::Error::TooManyHeaders) => Err(HeadError::TooLarge),
        Err(httparse::Error::HeaderName) => Err(HeadError::Malformed(
            "a header line is no name with a colon right behind it",
        )),
        Err(httparse::Error::Version) => Err(HeadError::Malformed("HTTP/1.1 and HTTP/1.0 are spoken here")),
        _ => Err(HeadError::Malformed("its first line or a header cannot be read")),
    }
}

impl Head {
    /// Returns the facts that decide about a `connect` on this connection.
    pub(crate) fn into_facts(self, client: Client, user: Option<Box<str>>) -> Facts {
        Facts {
            client,
            origin: self.origin,
            host: self.host,
            user_agent: self.user_agent,
            misplaced: self.misplaced,
            user,
        }
    }

    /// Whether it is a plain request about the API.
    pub(crate) fn asks_api(&self) -> bool {
        matches!(&self.upgrade, Upgrade::No(request) if request.asks_api())
    }

    /// Returns the facts that decide about a request of plain HTTP, which may state its secret in a header.
    pub(crate) fn facts(&self, client: Client) -> Facts {
        let misplaced = self.misplaced.filter(|place| *place != Misplaced::Header);
        let head = Self {
            misplaced,
            upgrade: Upgrade::default(),
            ..self.clone()
        };
        head.into_facts(client, None)
    }

    fn new(request: &httparse::Request<'_, '_>, user_header: Option<&str>) -> Result<Self, &'static str> {
        let mut head = Self {
            misplaced: request.path.and_then(secret_in_query),
            ..Self::default()
        };
        let mut plain = PlainRequest::default();
        let mut forwarded_for = Vec::new();
        let mut host = Single::default();
        let mut users = 0;
        let mut body = Body::default();
        let mut socket = WebSocketLines::default();
        for header in request.headers.iter() {
            let name = header.name.to_ascii_lowercase();
            let value = std::str::from_utf8(header.value).unwrap_or("\u{fffd}").trim();
            head.has_proxy_headers |= is_proxy_header(&name);
            if user_header == Some(&name) {
                head.has_proxy_headers = true;
                users += 1;
                head.user.add(header.value, users == 1);
            }
            match name.as_str() {
                "host" => host.set(value, "there are two Host lines")?,
                "origin" if head.origin.is_some() => return Err("there are two Origin lines"),
                "origin" => head.origin = Some(value.into()),
                "user-agent" => head.user_agent = Some(prefix_bytes(value, MAX_USER_AGENT_BYTES).into()),
                "authorization" if plain.auth.is_some() => return Err("there are two Authorization lines"),
                "authorization" if !value.is_empty() => {
                    head.misplaced = Some(Misplaced::Header);
                    plain.auth = Some(Box::new(bearer(value)));
                }
                "x-forwarded-for" => forwarded_for.push(value),
                "content-length" => body.length.set(value, "there are two Content-Length lines")?,
                "transfer-encoding" => body.is_encoded = true,
                "upgrade" => socket.is_wanted |= has_token(value, "websocket"),
                "connection" => {
                    socket.is_connection_upgrade |= has_token(value, "upgrade");
                    plain.is_last |= has_token(value, "close");
                }
                "sec-websocket-version" => {
                    socket
                        .version
                        .set(value, "there are two Sec-WebSocket-Version lines")?;
                }
                "sec-websocket-key" => socket.key.set(value, "there are two Sec-WebSocket-Key lines")?,
                _ => {}
            }
        }
        if !forwarded_for.is_empty() {
            head.forwarded_for = Some(forwarded_for.join(",").into());
        }
        let is_1_0 = request.version == Some(0);
        let text = request.path.unwrap_or("");
        let target = Target::parse(text)?;
        head.host = named_host(host.0, target.host, is_1_0)?.map(Into::into);
        // A target that hyper would refuse must not reach it. Uri also accepts fragments and other alphabets.
        if text.parse::<Uri>().is_err() || !text.is_ascii() || text.contains('#') {
            return Err("its target has characters that no URL has");
        }
        let method = request.method.unwrap_or("");
        let has_body = body.exists(is_1_0)?;
        if has_body && (socket.is_wanted || matches!(method, "GET" | "HEAD")) {
            return Err("a GET, a HEAD and the start of a WebSocket have no body");
        }
        head.upgrade = if socket.is_wanted {
            socket.judge(method, is_1_0)
        } else {
            plain.method = method.into();
            plain.path = target.path.into();
            plain.content_length = body.stated_bytes();
            plain.is_last |= is_1_0 || has_body;
            Upgrade::No(plain)
        };
        Ok(head)
    }
}

/// The value of a header that may occur once.
#[derive(Default)]
struct Single<'a>(Option<&'a str>);

impl<'a> Single<'a> {
    fn set(&mut self, value: &'a str, repeated: &'static str) -> Result<(), &'static str> {
        if self.0.replace(value).is_some() {
            return Err(repeated);
        }
        Ok(())
    }
}

/// Returns the requested host, by RFC 9112 3.2 and 3.2.2.
fn named_host<'a>(
    header: Option<&'a str>,
    target: Option<&'a str>,
    is_1_0: bool,
) -> Result<Option<&'a str>, &'static str> {
    match header {
        None if !is_1_0 => return Err("there is no Host line"),
        Some(value) if !is_authority(value) => return Err("its Host line names no host"),
        _ => {}
    }
    match target {
        Some(value) if !is_authority(value) => Err("its target names no host"),
        Some(value) => Ok(Some(value)),
        None => Ok(header),
    }
}

/// The target of a request.
struct Target<'a> {
    /// Only an absolute target names a host.
    host: Option<&'a str>,
    path: &'a str,
}

impl<'a> Target<'a> {
    fn parse(text: &'a str) -> Result<Self, &'static str> {
        let (host, rest) = match text.split_at_checked("http://".len()) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http://") => {
                let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
                (Some(host), path)
            }
            _ if text.starts_with('/') || text == "*" => (None, text),
            _ => return Err("its target is neither a path nor an http URL"),
        };
        let path = rest.split('?').next().unwrap_or("");
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self { host, path })
    }
}

/// Whether the query of a URL has a parameter with the name of a secret.
fn secret_in_query(path: &str) -> Option<Misplaced> {
    let (_, query) = path.split_once('?')?;
    let is_secret = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let name = name.replace(['_', '-'], "").to_ascii_lowercase();
        !value.is_empty() && SECRET_PARAMETERS.contains(&name.as_str())
    };
    query.split('&').any(is_secret).then_some(Misplaced::Query)
}
