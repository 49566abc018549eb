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
    for (line, word, wanted) in [
        ("Connection: keep-alive, Upgrade\r\n", "Connection", 426),
        ("Sec-WebSocket-Version: 13\r\n", "Version", 426),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "Key", 400),
    ] {
        let Upgrade::Refuse(status, why) = parse(&format!("{}\r\n", UPGRADE.replace(line, ""))).upgrade
        else {
            panic!("without {line}");
        };
        assert!(status == wanted && why.contains(word), "{status}: {why}");
    }
    for (old, new) in [("GET", "POST"), ("HTTP/1.1", "HTTP/1.0")] {
        let head = parse(&format!("{}\r\n", UPGRADE.replace(old, new)));
        assert!(
            matches!(head.upgrade, Upgrade::Refuse(StatusCode::BAD_REQUEST, _)),
            "{head:?}"
        );
    }
    let old = parse(&format!("{}\r\n", UPGRADE.replace("Version: 13", "Version: 8")));
    assert!(
        matches!(old.upgrade, Upgrade::Refuse(StatusCode::UPGRADE_REQUIRED, _)),
        "{old:?}"
    );
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
        assert!(
            matches!(with(key), Upgrade::Refuse(StatusCode::BAD_REQUEST, _)),
            "{key}"
        );
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
    // A fragment is not sent, and other characters are percent-encoded.
    let unsent = ["/#b", "/a?b#c", "http://x/#", "/\u{e9}", "/a?\u{e9}", "/\u{2028}"];
    for target in ["x:443", "https://x/", "a", "?b"].into_iter().chain(unsent) {
        let text = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(fault(&text).contains("target"), "{target}");
    }
}

#[test]
fn lines_follow_rfc_9112() {
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
fn unreadable_origins_are_refused() {
    let bytes = b"GET / HTTP/1.1\r\nHost: a\r\nOrigin: http://\xff\r\n\r\n";
    let head = parse_head(bytes, None).unwrap();
    assert_eq!(
        crate::auth::origin::Origin::parse(head.origin.as_deref().unwrap()),
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
async fn a_socket_that_sends_nothing_has_no_buffer() {
    let (mut near, _far) = tokio::io::duplex(7);
    let mut bytes = Vec::new();
    tokio::select! {
        biased;
        _ = read_head(&mut near, &mut bytes, None) => panic!("there is no head"),
        () = std::future::ready(()) => {}
    }
    assert_eq!(bytes.capacity(), 0);
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
        Err(HeadError::Tls)
    ));
    assert!(matches!(
        read_head(&mut &b"\x16\x02"[..], &mut Vec::new(), None).await,
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
