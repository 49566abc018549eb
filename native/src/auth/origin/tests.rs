use super::*;

fn allowed(list: &[&str]) -> AllowedOrigins {
    AllowedOrigins::parse(list).unwrap()
}

#[test]
fn origins_are_compared_by_scheme_host_and_port() {
    assert_eq!(
        Origin::parse("HTTPS://Dash.Example.org"),
        Origin::parse("https://dash.example.org:443/")
    );
    assert_ne!(
        Origin::parse("https://dash.example.org"),
        Origin::parse("http://dash.example.org")
    );
    assert_ne!(
        Origin::parse("https://dash.example.org"),
        Origin::parse("https://dash.example.org:444")
    );
    for text in [
        "null",
        "",
        "dash.example.org",
        "https://",
        "https://a b",
        "https://u@h",
        "://x",
        "https://h:99999",
    ] {
        assert_eq!(Origin::parse(text), None, "{text}");
    }
}

#[test]
fn the_table_of_same_hosts() {
    // origin, host header, direct local, local peer, wanted
    let table = [
        (
            "http://localhost:18789",
            Some("127.0.0.1:18789"),
            true,
            true,
            true,
        ),
        ("http://127.0.0.1:5173", Some("127.0.0.1:18789"), true, true, true),
        ("http://[::1]:5173", Some("[::1]:18789"), true, true, true),
        // A proxy stands in between: loopback only when it is the same host.
        (
            "http://localhost:5173",
            Some("localhost:18789"),
            false,
            true,
            false,
        ),
        (
            "http://localhost:18789",
            Some("localhost:18789"),
            false,
            true,
            true,
        ),
        (
            "http://localhost:18789",
            Some("localhost:18789"),
            false,
            false,
            false,
        ),
        (
            "http://192.168.1.5:18789",
            Some("192.168.1.5:18789"),
            false,
            false,
            true,
        ),
        (
            "http://192.168.1.5:18789",
            Some("192.168.1.6:18789"),
            false,
            false,
            false,
        ),
        (
            "http://192.168.1.5",
            Some("192.168.1.5:18789"),
            false,
            false,
            false,
        ),
        ("http://192.168.1.5", Some("192.168.1.5"), false, false, true),
        (
            "http://[fd00::5]:18789",
            Some("[fd00::5]:18789"),
            false,
            false,
            true,
        ),
        (
            "http://studio.local:18789",
            Some("STUDIO.local:18789"),
            false,
            false,
            true,
        ),
        (
            "https://gw.tail1.ts.net",
            Some("gw.tail1.ts.net"),
            false,
            false,
            true,
        ),
        (
            "http://100.100.1.2:18789",
            Some("100.100.1.2:18789"),
            false,
            false,
            true,
        ),
        // A public name must be listed even when it is the same host.
        (
            "https://gw.example.org",
            Some("gw.example.org"),
            false,
            false,
            false,
        ),
        ("http://8.8.8.8:18789", Some("8.8.8.8:18789"), false, false, false),
        (
            "https://evil.example.org",
            Some("127.0.0.1:18789"),
            true,
            true,
            false,
        ),
        (
            "http://localhost.evil.org",
            Some("127.0.0.1:18789"),
            true,
            true,
            false,
        ),
        ("null", Some("127.0.0.1:18789"), true, true, false),
        ("http://192.168.1.5:18789", None, false, false, false),
    ];
    for (origin, host, direct, local, wanted) in table {
        assert_eq!(
            allowed(&[]).allows(origin, host, direct, local),
            wanted,
            "{origin} at {host:?}"
        );
    }
}

#[test]
fn listed_origins_and_the_star() {
    let listed = allowed(&["https://dash.example.org"]);
    assert!(listed.allows("https://DASH.example.org", None, false, false));
    assert!(!listed.allows("http://dash.example.org", None, false, false));
    assert!(allowed(&["*"]).allows("https://any.example.org", None, false, false));
    assert!(!allowed(&["*"]).allows("null", None, false, false));
    assert!(AllowedOrigins::parse(&["dash.example.org"]).is_err());
}

#[test]
fn an_entry_that_no_page_can_match_is_refused() {
    for (text, origin) in [
        ("https://dash.example.org/", "https://dash.example.org"),
        (" HTTPS://Dash.Example.org:443 ", "https://dash.example.org"),
        ("http://[0:0:0:0:0:0:0:1]:5173", "http://[::1]:5173"),
        ("http://127.0.0.1:5173", "http://127.0.0.1:5173"),
        ("http://my_host:8080", "http://my_host:8080"),
        ("app://localhost", "app://localhost"),
        ("tauri://localhost", "tauri://localhost"),
        ("vscode-webview://1abc", "vscode-webview://1abc"),
        (
            "chrome-extension://abcdefghijklmnop",
            "chrome-extension://abcdefghijklmnop",
        ),
    ] {
        assert!(allowed(&[text]).allows(origin, None, false, false), "{text}");
    }
    for (text, word) in [
        ("null", "pages from files"),
        ("file://", "pages from files"),
        ("dash.example.org", "scheme and host"),
        ("https://dash.example.org/path", "without a path"),
        ("https://dash.example.org?x", "without a path"),
        ("https://u:p@dash.example.org", "scheme and host"),
        ("https://a.example.org,https://b.example.org", "scheme and host"),
        ("https://a.example.org,b.example.org", "character"),
        ("https://*.example.org", "wildcard"),
        ("wss://dash.example.org", "http or https"),
        ("https://b\u{fc}cher.example", "xn--"),
        ("https://a%2eb", "character"),
        ("http://[nonsense]", "scheme and host"),
        ("http://::1", "scheme and host"),
        ("http://127.1", "four numbers"),
        ("http://0x7f000001", "four numbers"),
        ("http://localhost:0", "not a port"),
        ("http://localhost:+80", "scheme and host"),
        ("http://[::1]5173", "scheme and host"),
        ("http://localhost:65536", "scheme and host"),
    ] {
        let error = AllowedOrigins::parse(&[text]).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("`{text}`")) && error.contains(word),
            "{error}"
        );
    }
    assert!(AllowedOrigins::parse(&["", " ", "*"]).is_ok());
}

#[test]
fn the_host_header_under_mode_none() {
    let listed = allowed(&["https://dash.example.org"]);
    for host in [
        "127.0.0.1:18789",
        "localhost",
        "LOCALHOST:1",
        "[::1]:18789",
        "dash.example.org:18789",
    ] {
        assert!(listed.allows_host(Some(host)), "{host}");
    }
    for host in [
        "evil.example.org:18789",
        "192.168.1.5",
        "127.0.0.1.evil.org",
        "[::1]18789",
        "",
    ] {
        assert!(!listed.allows_host(Some(host)), "{host}");
    }
    assert!(!listed.allows_host(None));
}
