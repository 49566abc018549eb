//! The head of an HTTP request, read by us so that a WebSocket connection costs no HTTP state.

use std::io;

use presence_core::protocol::error::Misplaced;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::log::start_of;
use crate::proxy::is_proxy_header;

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

/// What the gateway looks at in a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The Host header; `None` when absent or repeated.
    pub host: Option<Box<str>>,
    /// The Origin header; a repeated or unreadable one is kept as text that is no origin.
    pub origin: Option<Box<str>>,
    /// All X-Forwarded-For values in order, joined by commas.
    pub forwarded_for: Option<Box<str>>,
    /// The User-Agent header, cut to 256 bytes.
    pub user_agent: Option<Box<str>>,
    /// Where a client put what looks like a secret, though none is read there.
    pub misplaced: Option<Misplaced>,
    /// Whether a proxy added anything.
    pub has_proxy_headers: bool,
    /// What to do with the request.
    pub upgrade: Upgrade,
}

/// Whether a request wants to become a WebSocket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Upgrade {
    /// It does not: plain HTTP.
    #[default]
    No,
    /// It does; the value of `Sec-WebSocket-Accept` to answer.
    Accept(Box<str>),
    /// It tries to, but not as RFC 6455 says.
    Malformed(&'static str),
}

/// Why there is no head.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// The client closed the connection, or it failed.
    #[error("the connection ended before a whole request: {0}")]
    Io(#[from] io::Error),
    /// The bytes are no HTTP.
    #[error("not an HTTP request")]
    Malformed,
    /// The head exceeds [`MAX_HEAD_BYTES`] or has too many header lines.
    #[error("the request head is too large")]
    TooLarge,
}

/// Reads up to the end of the head. Returns it with everything read so far: for plain HTTP the whole
/// of it is parsed again; for a WebSocket what follows the head (`head_len` bytes) is its first data.
///
/// # Errors
/// [`HeadError`] when no whole head arrives.
pub async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> Result<(Head, usize, Vec<u8>), HeadError> {
    let mut bytes = Vec::with_capacity(READ_BYTES);
    loop {
        if bytes.len() >= MAX_HEAD_BYTES {
            return Err(HeadError::TooLarge);
        }
        bytes.reserve(READ_BYTES.min(MAX_HEAD_BYTES - bytes.len()));
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if let Some((head, len)) = parse_head(&bytes)? {
            return Ok((head, len, bytes));
        }
    }
}

/// Parses a head; `None` while it is incomplete.
fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, HeadError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => Ok(Some((Head::new(&request), len))),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => Err(HeadError::TooLarge),
        Err(_) => Err(HeadError::Malformed),
    }
}

impl Head {
    fn new(request: &httparse::Request<'_, '_>) -> Self {
        let mut head = Self {
            misplaced: request.path.and_then(secret_in_query),
            ..Self::default()
        };
        let mut hosts = 0;
        let mut forwarded_for = Vec::new();
        let (mut is_websocket, mut is_connection_upgrade, mut is_version_13) = (false, false, false);
        let mut key = None;
        for header in request.headers.iter() {
            let name = header.name.to_ascii_lowercase();
            let value = std::str::from_utf8(header.value).unwrap_or("\u{fffd}").trim();
            head.has_proxy_headers |= is_proxy_header(&name);
            match name.as_str() {
                "host" => {
                    hosts += 1;
                    head.host = (hosts == 1).then(|| value.into());
                }
                "origin" => {
                    head.origin = Some(if head.origin.is_some() {
                        "repeated".into()
                    } else {
                        value.into()
                    });
                }
                "user-agent" => head.user_agent = Some(start_of(value, MAX_USER_AGENT_BYTES).into()),
                "authorization" if !value.is_empty() => head.misplaced = Some(Misplaced::Header),
                "x-forwarded-for" => forwarded_for.push(value),
                "upgrade" => is_websocket |= has_token(value, "websocket"),
                "connection" => is_connection_upgrade |= has_token(value, "upgrade"),
                "sec-websocket-version" => is_version_13 |= value == "13",
                "sec-websocket-key" => key = Some(value),
                _ => {}
            }
        }
        if !forwarded_for.is_empty() {
            head.forwarded_for = Some(forwarded_for.join(",").into());
        }
        if is_websocket {
            head.upgrade = match key {
                _ if request.method != Some("GET") => Upgrade::Malformed("a WebSocket starts with GET"),
                _ if request.version != Some(1) => Upgrade::Malformed("a WebSocket needs HTTP/1.1"),
                _ if !is_connection_upgrade => {
                    Upgrade::Malformed("the header `Connection: Upgrade` is missing")
                }
                _ if !is_version_13 => Upgrade::Malformed("only `Sec-WebSocket-Version: 13` is spoken here"),
                Some(key) if key.len() == 24 => Upgrade::Accept(derive_accept_key(key.as_bytes()).into()),
                _ => Upgrade::Malformed("the header `Sec-WebSocket-Key` is missing or wrong"),
            };
        }
        head
    }
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

    fn parse(text: &str) -> Head {
        parse_head(text.as_bytes()).unwrap().unwrap().0
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
    fn what_is_missing_is_named() {
        for (line, word) in [
            ("Connection: keep-alive, Upgrade\r\n", "Connection"),
            ("Sec-WebSocket-Version: 13\r\n", "Version"),
            ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "Key"),
        ] {
            let Upgrade::Malformed(why) = parse(&format!("{}\r\n", UPGRADE.replace(line, ""))).upgrade else {
                panic!("accepted without {line}");
            };
            assert!(why.contains(word), "{why}");
        }
        assert!(matches!(
            parse(&format!("{}\r\n", UPGRADE.replace("GET", "POST"))).upgrade,
            Upgrade::Malformed(_)
        ));
        assert_eq!(parse("GET / HTTP/1.1\r\nHost: x\r\n\r\n").upgrade, Upgrade::No);
    }

    #[test]
    fn repeated_and_unreadable_headers_are_not_believed() {
        let head =
            parse("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nOrigin: http://a\r\nOrigin: http://b\r\n\r\n");
        assert_eq!(head.host, None);
        assert_eq!(
            crate::origin::Origin::parse(head.origin.as_deref().unwrap()),
            None
        );
    }

    #[test]
    fn forwarded_for_lines_are_joined_in_order() {
        let head = parse(
            "GET / HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1, 192.0.2.2\r\nx-forwarded-for: 192.0.2.3\r\n\r\n",
        );
        assert_eq!(
            head.forwarded_for.as_deref(),
            Some("192.0.2.1, 192.0.2.2,192.0.2.3")
        );
        assert!(head.has_proxy_headers);
        assert!(parse("GET / HTTP/1.1\r\nForwarded: for=192.0.2.1\r\n\r\n").has_proxy_headers);
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
        let (head, len, bytes) = read_head(&mut near).await.unwrap();
        assert!(matches!(head.upgrade, Upgrade::Accept(_)));
        assert!("rest".as_bytes().starts_with(&bytes[len..]));
        drop(near);
        drop(writer.await);
    }

    #[tokio::test]
    async fn heads_are_bounded() {
        let long = format!("GET / HTTP/1.1\r\nX: {}\r\n", "x".repeat(2 * MAX_HEAD_BYTES));
        assert!(matches!(
            read_head(&mut long.as_bytes()).await,
            Err(HeadError::TooLarge)
        ));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(MAX_HEADERS + 1));
        assert!(matches!(
            read_head(&mut many.as_bytes()).await,
            Err(HeadError::TooLarge)
        ));
        assert!(matches!(
            read_head(&mut &b"\x16\x03\x01\x02\x00"[..]).await,
            Err(HeadError::Malformed)
        ));
        assert!(matches!(
            read_head(&mut &b"GET / HT"[..]).await,
            Err(HeadError::Io(_))
        ));
    }
}
