//! The head of an HTTP request. It is read and parsed once, here, for WebSockets and for plain HTTP: two readers
//! of the same bytes could disagree about them.

use std::io;

use ::http::StatusCode;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use presence_core::protocol::error::Misplaced;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::log::start_of;
use crate::origin::is_authority;
use crate::proxy::is_proxy_header;
use crate::user_header::StatedUser;

/// The longest head, in bytes.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;
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
/// How much is read at once.
const READ_BYTES: usize = 1024;
/// What a WebSocket's key holds.
const KEY_BYTES: usize = 16;
/// Some clients write any 22 letters, whose last bits say nothing.
const KEY: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// What the gateway looks at in a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Whom the client means to talk to: the host of an absolute target, else the Host header. Only a
    /// request of HTTP/1.0 may name nobody.
    pub host: Option<Box<str>>,
    /// The Origin header; an unreadable one is kept as text that is no origin.
    pub origin: Option<Box<str>>,
    /// All X-Forwarded-For values in order, joined by commas.
    pub forwarded_for: Option<Box<str>>,
    /// The User-Agent header, cut to 256 bytes.
    pub user_agent: Option<Box<str>>,
    /// Where a client put what looks like a secret, though none is read there.
    pub misplaced: Option<Misplaced>,
    /// Whether a proxy added anything.
    pub has_proxy_headers: bool,
    /// Who the user is, as the header for it states; to be believed from a trusted proxy only.
    pub user: StatedUser,
    /// What to do with the request.
    pub upgrade: Upgrade,
}

/// Whether a request wants to become a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// It does not: plain HTTP.
    No(PlainRequest),
    /// It does; the value of `Sec-WebSocket-Accept` to answer.
    Accept(Box<str>),
    /// It tries to, but lacks what RFC 6455 wants of it: 426.
    Required(&'static str),
    /// It tries to, with what RFC 6455 does not allow: 400.
    Malformed(&'static str),
}

impl Default for Upgrade {
    fn default() -> Self {
        Self::No(PlainRequest::default())
    }
}

/// A request of plain HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlainRequest {
    /// As it was sent: methods are told apart by case.
    pub method: Box<str>,
    /// The path of its target, still percent-encoded, without the query.
    pub path: Box<str>,
    /// All If-None-Match values, joined by commas.
    pub if_none_match: Option<Box<str>>,
    /// No request follows on this connection: the client said so, speaks HTTP/1.0 or sent a body, which nobody
    /// here reads.
    pub is_last: bool,
}

/// Why there is no head.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// The client closed the connection, or it failed.
    #[error("the connection ended before a whole request: {0}")]
    Io(#[from] io::Error),
    /// The bytes are no HTTP as RFC 9112 has it.
    #[error("not an HTTP request: {0}")]
    Malformed(&'static str),
    /// The head exceeds [`MAX_HEAD_BYTES`] or has too many header lines.
    #[error("the request head is too large")]
    TooLarge,
    /// It did not come in time.
    #[error("the request took too long")]
    TooSlow,
    /// It did not come before its socket's place was needed for another.
    #[error("there are too many unauthenticated sockets, and this one was silent the longest")]
    Evicted,
}

impl HeadError {
    /// What to answer; `None` when nobody is there any more.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Io(_) => None,
            Self::Malformed(_) => Some(StatusCode::BAD_REQUEST),
            Self::TooLarge => Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
            Self::TooSlow => Some(StatusCode::REQUEST_TIMEOUT),
            Self::Evicted => Some(StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

/// Reads up to the end of a head. `bytes` is what was read before; what follows the head is left in it.
///
/// # Errors
/// [`HeadError`] when no whole head arrives.
pub async fn read_head<S: AsyncRead + Unpin>(
    stream: &mut S,
    bytes: &mut Vec<u8>,
    user_header: Option<&str>,
) -> Result<Head, HeadError> {
    let mut scan = Scan::default();
    loop {
        if let Some(len) = scan.end_of_head(bytes)? {
            let head = parse_head(&bytes[..len], user_header)?;
            *bytes = bytes.split_off(len);
            return Ok(head);
        }
        if bytes.len() >= MAX_HEAD_BYTES {
            return Err(HeadError::TooLarge);
        }
        bytes.reserve(READ_BYTES.min(MAX_HEAD_BYTES - bytes.len()));
        if stream.read_buf(bytes).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
}

/// Finds the end of a head, and looks at every byte once, however slowly they come.
#[derive(Debug, Default)]
struct Scan {
    /// Bytes looked at.
    len: usize,
    /// Bytes of the line that is not over.
    line_len: usize,
    /// A line with something in it was seen.
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
        Ok(httparse::Status::Complete(_)) => Head::new(&request, user_header).map_err(HeadError::Malformed),
        Err(httparse::Error::TooManyHeaders) => Err(HeadError::TooLarge),
        Err(httparse::Error::HeaderName) => Err(HeadError::Malformed(
            "a header line is no name with a colon right behind it",
        )),
        Err(httparse::Error::Version) => Err(HeadError::Malformed("HTTP/1.1 and HTTP/1.0 are spoken here")),
        _ => Err(HeadError::Malformed("its first line or a header cannot be read")),
    }
}

impl Head {
    fn new(request: &httparse::Request<'_, '_>, user_header: Option<&str>) -> Result<Self, &'static str> {
        let mut head = Self {
            misplaced: request.path.and_then(secret_in_query),
            ..Self::default()
        };
        let mut plain = PlainRequest::default();
        let mut forwarded_for = Vec::new();
        let mut if_none_match = Vec::new();
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
                "user-agent" => head.user_agent = Some(start_of(value, MAX_USER_AGENT_BYTES).into()),
                "authorization" if !value.is_empty() => head.misplaced = Some(Misplaced::Header),
                "x-forwarded-for" => forwarded_for.push(value),
                "if-none-match" => if_none_match.push(value),
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
        let target = Target::parse(request.path.unwrap_or(""))?;
        head.host = named_host(host.0, target.host, is_1_0)?.map(Into::into);
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
            plain.if_none_match = (!if_none_match.is_empty()).then(|| if_none_match.join(",").into());
            plain.is_last |= is_1_0 || has_body;
            Upgrade::No(plain)
        };
        Ok(head)
    }
}

/// The value of a header that may be there once.
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

/// Whom the client means: RFC 9112 3.2 and 3.2.2.
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

/// The second word of a request.
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

/// What the head says of a body.
#[derive(Default)]
struct Body<'a> {
    length: Single<'a>,
    is_encoded: bool,
}

impl Body<'_> {
    /// Whether there is one (RFC 9112 6.3). Where two readers could disagree, it is an error.
    fn exists(&self, is_1_0: bool) -> Result<bool, &'static str> {
        if self.is_encoded {
            return if is_1_0 || self.length.0.is_some() {
                Err("there is a Transfer-Encoding line, with Content-Length or in HTTP/1.0")
            } else {
                Ok(true)
            };
        }
        let digits = self.length.0.unwrap_or("0");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("its Content-Length is no number");
        }
        Ok(digits.bytes().any(|digit| digit != b'0'))
    }
}

/// What the head says of a WebSocket.
#[derive(Default)]
struct WebSocketLines<'a> {
    is_wanted: bool,
    is_connection_upgrade: bool,
    version: Single<'a>,
    key: Single<'a>,
}

impl WebSocketLines<'_> {
    /// RFC 6455 4.2.1.
    fn judge(&self, method: &str, is_1_0: bool) -> Upgrade {
        match self.key.0 {
            _ if method != "GET" => Upgrade::Malformed("a WebSocket starts with GET"),
            _ if is_1_0 => Upgrade::Malformed("a WebSocket needs HTTP/1.1"),
            _ if !self.is_connection_upgrade => {
                Upgrade::Required("the header `Connection: Upgrade` is missing")
            }
            _ if self.version.0 != Some("13") => {
                Upgrade::Required("only `Sec-WebSocket-Version: 13` is spoken here")
            }
            None => Upgrade::Malformed("the header `Sec-WebSocket-Key` is missing"),
            Some(key) if !is_key(key) => {
                Upgrade::Malformed("its `Sec-WebSocket-Key` is not base64 of 16 bytes")
            }
            Some(key) => Upgrade::Accept(derive_accept_key(key.as_bytes()).into()),
        }
    }
}

/// Whether the text is 16 bytes in base64.
fn is_key(text: &str) -> bool {
    let mut key = [0; KEY_BYTES];
    text.len() == KEY_BYTES.div_ceil(3) * 4 && KEY.decode_slice(text, &mut key) == Ok(KEY_BYTES)
}

/// Whether the query of a URL has a parameter that is called like a secret.
fn secret_in_query(path: &str) -> Option<Misplaced> {
    let (_, query) = path.split_once('?')?;
    let is_secret = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let name = name.replace(['_', '-'], "").to_ascii_lowercase();
        !value.is_empty() && SECRET_PARAMETERS.contains(&name.as_str())
    };
    query.split('&').any(is_secret).then_some(Misplaced::Query)
}

fn has_token(value: &str, token: &str) -> bool {
    value
        .split(',')
        .any(|word| word.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPGRADE: &str = "GET /any/path?x=1 HTTP/1.1\r\nHost: 127.0.0.1:18789\r\nUpgrade: WebSocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

    fn try_parse(text: &str) -> Result<Head, HeadError> {
        let len = Scan::default().end_of_head(text.as_bytes())?.unwrap();
        parse_head(&text.as_bytes()[..len], Some("x-user"))
    }

    fn parse(text: &str) -> Head {
        try_parse(text).unwrap()
    }

    fn plain(text: &str) -> PlainRequest {
        match parse(text).upgrade {
            Upgrade::No(request) => request,
            other => panic!("{other:?}"),
        }
    }

    /// Why it is no request.
    fn fault(text: &str) -> &'static str {
        match try_parse(text) {
            Err(HeadError::Malformed(why)) => why,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn the_sample_key_of_the_rfc_gets_its_answer() {
        let head = parse(&format!("{UPGRADE}Origin: http://localhost\r\n\r\n"));
        assert_eq!(
            head.upgrade,
            Upgrade::Accept("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".into())
        );
        assert_eq!(head.host.as_deref(), Some("127.0.0.1:18789"));
        assert_eq!(head.origin.as_deref(), Some("http://localhost"));
        assert!(!head.has_proxy_headers);
    }

    #[test]
    fn a_secret_where_none_is_read_is_noticed() {
        let place = |line: &str, header: &str| {
            parse(&format!("GET {line} HTTP/1.1\r\nHost: x\r\n{header}\r\n")).misplaced
        };
        assert_eq!(place("/?token=abc", ""), Some(Misplaced::Query));
        assert_eq!(place("/a?x=1&access_token=abc", ""), Some(Misplaced::Query));
        assert_eq!(
            place("/", "Authorization: Bearer abc\r\n"),
            Some(Misplaced::Header)
        );
        for line in [
            "/",
            "/token=abc",
            "/?token=",
            "/?token",
            "/?tokens=1",
            "/?x=token",
        ] {
            assert_eq!(place(line, ""), None, "{line}");
        }
    }

    #[test]
    fn what_a_websocket_lacks_is_named() {
        for (line, word, is_required) in [
            ("Connection: keep-alive, Upgrade\r\n", "Connection", true),
            ("Sec-WebSocket-Version: 13\r\n", "Version", true),
            ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "Key", false),
        ] {
            let why = match parse(&format!("{}\r\n", UPGRADE.replace(line, ""))).upgrade {
                Upgrade::Required(why) if is_required => why,
                Upgrade::Malformed(why) if !is_required => why,
                other => panic!("without {line}: {other:?}"),
            };
            assert!(why.contains(word), "{why}");
        }
        for (old, new) in [("GET", "POST"), ("HTTP/1.1", "HTTP/1.0")] {
            let head = parse(&format!("{}\r\n", UPGRADE.replace(old, new)));
            assert!(matches!(head.upgrade, Upgrade::Malformed(_)), "{head:?}");
        }
        let old = parse(&format!("{}\r\n", UPGRADE.replace("Version: 13", "Version: 8")));
        assert!(matches!(old.upgrade, Upgrade::Required(_)), "{old:?}");
    }

    #[test]
    fn a_key_is_base64_of_16_bytes() {
        let with = |key: &str| {
            parse(&format!(
                "{}\r\n",
                UPGRADE.replace("dGhlIHNhbXBsZSBub25jZQ==", key)
            ))
            .upgrade
        };
        for key in [
            "AAAAAAAAAAAAAAAAAAAAAA==",
            "/+/+/+/+/+/+/+/+/+/+/w==",
            "abcdefghijklmnopqrstuv==",
        ] {
            assert!(matches!(with(key), Upgrade::Accept(_)), "{key}");
        }
        for key in [
            "",
            "short",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "not base64 of 16 byte!==",
            "________________________",
            "dGhlIHNhbXBsZSBub25jZTE=",
            "dGhlIHNhbXBsZSBub25jZTEy",
            "dGhlIHNhbXBsZSBub25j====",
        ] {
            assert!(matches!(with(key), Upgrade::Malformed(_)), "{key}");
        }
    }

    #[test]
    fn lines_that_may_be_there_once() {
        for line in [
            "Host: a",
            "Origin: http://a",
            "Content-Length: 0",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ] {
            let (name, _) = line.split_once(':').unwrap();
            let text = format!("{UPGRADE}Origin: http://a\r\nContent-Length: 0\r\n{line}\r\n\r\n");
            assert!(fault(&text).contains(name), "{line}");
        }
        let list = format!("{}Connection: Upgrade\r\nUpgrade: other\r\n\r\n", UPGRADE);
        assert!(matches!(parse(&list).upgrade, Upgrade::Accept(_)));
    }

    #[test]
    fn requests_name_one_host() {
        for (host, why) in [
            ("", "no Host"),
            ("Host: a\r\nhost: a\r\n", "two Host"),
            ("Host:\r\n", "names no host"),
            ("Host: user@a\r\n", "names no host"),
            ("Host: a/b\r\n", "names no host"),
            ("Host: a:x\r\n", "names no host"),
            ("Host: a b\r\n", "names no host"),
            ("Host: \u{e4}\r\n", "names no host"),
        ] {
            let text = format!("GET / HTTP/1.1\r\n{host}\r\n");
            assert!(fault(&text).contains(why), "{host}");
        }
        assert_eq!(parse("GET / HTTP/1.0\r\n\r\n").host, None);
        let absolute = parse("GET HTTP://b:1/c?d HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(absolute.host.as_deref(), Some("b:1"));
        assert!(fault("GET http:///c HTTP/1.1\r\nHost: a\r\n\r\n").contains("names no host"));
    }

    #[test]
    fn the_path_of_a_target() {
        for (target, path) in [
            ("/", "/"),
            ("/a%20b?c/d", "/a%20b"),
            ("//a", "//a"),
            ("http://x", "/"),
            ("http://x?y", "/"),
            ("http://x/y?z", "/y"),
            ("*", "*"),
        ] {
            let request = plain(&format!("OPTIONS {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
            assert_eq!((&*request.method, &*request.path), ("OPTIONS", path), "{target}");
        }
        for target in ["x:443", "https://x/", "a", "?b"] {
            let text = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
            assert!(fault(&text).contains("target"), "{target}");
        }
    }

    #[test]
    fn lines_are_as_rfc_9112_has_them() {
        for text in [
            "GET / HTTP/1.1\nHost: x\n\n",
            "GET / HTTP/1.1\r\nHost: x\n\r\n",
            "GET / HTTP/1.1\rHost: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
            "GET / HTTP/1.1\r\n Host: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n",
            "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /\r\n\r\n",
        ] {
            assert!(!fault(text).is_empty(), "{text:?}");
        }
        // An empty line before the request is ignored, and blanks around a value.
        let padded = plain("\r\nGET / HTTP/1.1\r\nHost: \t x \t\r\n\r\n");
        assert_eq!(&*padded.path, "/");
    }

    #[test]
    fn bodies_are_not_read_and_never_guessed() {
        let with = |method: &str, lines: &str| format!("{method} / HTTP/1.1\r\nHost: x\r\n{lines}\r\n");
        for lines in [
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: 1, 1\r\n",
            "Content-Length: -1\r\n",
            "Content-Length:\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        ] {
            assert!(!fault(&with("POST", lines)).is_empty(), "{lines}");
        }
        assert!(!fault("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").is_empty());
        for lines in ["Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n"] {
            assert!(plain(&with("POST", lines)).is_last, "{lines}");
            assert!(fault(&with("GET", lines)).contains("no body"), "{lines}");
            assert!(
                fault(&format!("{UPGRADE}{lines}\r\n")).contains("no body"),
                "{lines}"
            );
        }
        assert!(!plain(&with("GET", "Content-Length: 00\r\n")).is_last);
    }

    #[test]
    fn the_last_request_of_a_connection() {
        assert!(!plain("GET / HTTP/1.1\r\nHost: x\r\n\r\n").is_last);
        assert!(plain("GET / HTTP/1.1\r\nHost: x\r\nConnection: a, Close\r\n\r\n").is_last);
        assert!(plain("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").is_last);
    }

    #[test]
    fn unreadable_origins_are_not_believed() {
        let bytes = b"GET / HTTP/1.1\r\nHost: a\r\nOrigin: http://\xff\r\n\r\n";
        let head = parse_head(bytes, None).unwrap();
        assert_eq!(
            crate::origin::Origin::parse(head.origin.as_deref().unwrap()),
            None
        );
    }

    #[test]
    fn forwarded_for_lines_are_joined_in_order() {
        let head = parse(
            "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1, 192.0.2.2\r\nx-forwarded-for: 192.0.2.3\r\n\r\n",
        );
        assert_eq!(
            head.forwarded_for.as_deref(),
            Some("192.0.2.1, 192.0.2.2,192.0.2.3")
        );
        assert!(head.has_proxy_headers);
        assert!(parse("GET / HTTP/1.1\r\nHost: x\r\nForwarded: for=192.0.2.1\r\n\r\n").has_proxy_headers);
    }

    #[tokio::test]
    async fn a_head_in_single_bytes_and_with_data_behind_it() {
        let text = format!("{UPGRADE}\r\nrest");
        let (mut near, mut far) = tokio::io::duplex(7);
        let writer = tokio::spawn(async move {
            tokio::io::AsyncWriteExt::write_all(&mut far, text.as_bytes())
                .await
                .unwrap();
            far
        });
        let mut bytes = Vec::new();
        let head = read_head(&mut near, &mut bytes, None).await.unwrap();
        assert!(matches!(head.upgrade, Upgrade::Accept(_)));
        assert!("rest".as_bytes().starts_with(&bytes));
        drop(near);
        drop(writer.await);
    }

    #[tokio::test]
    async fn heads_are_bounded() {
        let start = "GET / HTTP/1.1\r\nHost: x\r\n";
        let with = |bytes: usize| format!("{start}X: {}\r\n\r\n", "x".repeat(bytes - start.len() - 7));
        for (bytes, is_read) in [(MAX_HEAD_BYTES, true), (MAX_HEAD_BYTES + 1, false)] {
            let text = with(bytes);
            assert_eq!(text.len(), bytes);
            let outcome = read_head(&mut text.as_bytes(), &mut Vec::new(), None).await;
            assert_eq!(outcome.is_ok(), is_read, "{bytes}");
            assert!(is_read || matches!(outcome, Err(HeadError::TooLarge)));
        }
        for (lines, is_read) in [(MAX_HEADERS - 1, true), (MAX_HEADERS, false)] {
            let text = format!("{start}{}\r\n", "X: y\r\n".repeat(lines));
            assert_eq!(
                read_head(&mut text.as_bytes(), &mut Vec::new(), None)
                    .await
                    .is_ok(),
                is_read
            );
        }
        assert!(matches!(
            read_head(&mut &b"\x16\x03\x01\x02\x00"[..], &mut Vec::new(), None).await,
            Err(HeadError::Malformed(_))
        ));
        assert!(matches!(
            read_head(&mut &b"GET / HT"[..], &mut Vec::new(), None).await,
            Err(HeadError::Io(_))
        ));
    }

    #[test]
    fn the_header_for_the_user_is_read_by_its_name() {
        let head = parse(&format!("{UPGRADE}X-User: ana\r\nUser: bob\r\n\r\n"));
        assert_eq!(head.user, StatedUser::User("ana".into()));
        assert!(head.has_proxy_headers, "a proxy stands in between");
    }
}
