//! The gateways to observe.

use super::*;

fn observed(arguments: &[&str]) -> Result<Vec<(String, String, Option<String>)>, String> {
    let resolved = flags(arguments).resolve().map_err(|error| error.to_string())?;
    let names: Vec<_> = resolved.observed.iter().map(|other| other.name.clone()).collect();
    assert_eq!(resolved.config.observed, names);
    let observed = resolved.observed.into_iter().map(|other| {
        let token = other.target.token.as_ref().map(|token| token.reveal().to_owned());
        (other.name.into(), other.target.url(), token)
    });
    Ok(observed.collect())
}

#[test]
fn gateways_with_their_secrets() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "from-file\n").unwrap();
    let token_file = format!("vps={}", file.path().display());
    let observed = observed(&[
        "--observe",
        "home=ws://127.0.0.1:18790",
        "--observe",
        "vps=ws://vps.example.org,work=ws://[::1]:1/#token=in-url",
        "--observe-token",
        "home=a=b",
        "--observe-token-file",
        &token_file,
    ]);
    let entry = |name: &str, url: &str, token: &str| (name.into(), url.into(), Some(token.into()));
    assert_eq!(
        observed.unwrap(),
        [
            entry("home", "ws://127.0.0.1:18790", "a=b"),
            entry("vps", "ws://vps.example.org:18789", "from-file"),
            entry("work", "ws://[::1]:1", "in-url"),
        ]
    );
}

#[test]
fn what_is_wrong_is_named_without_the_secret() {
    let home = ["--observe", "home=ws://127.0.0.1:1"];
    let file = tempfile::NamedTempFile::new().unwrap();
    let empty = &*format!("home={}", file.path().display());
    let cases: &[(&[&str], &str)] = &[
        (&["--observe", "ws://127.0.0.1:1"], "--observe: write NAME=URL"),
        (
            &["--observe", "ws://x:s3cret@y/?a=b"],
            "--observe: write NAME=URL",
        ),
        (
            &["--observe", "Home=ws://127.0.0.1:1"],
            "--observe: 'Home' is not a name",
        ),
        (
            &["--observe", "vps=ftp://x"],
            "--observe ftp://x: write ws://host:port",
        ),
        (
            &["--observe", "vps=ws://x:s3cret@y"],
            "--observe: pass the secret with --observe-token",
        ),
        (
            &["--observe", "home=ws://127.0.0.1:2"],
            "two observed gateways are called 'home'",
        ),
        (
            &["--observe-token", "s3cret"],
            "--observe-token: write NAME=VALUE",
        ),
        (
            &["--observe-token", "vps=s3cret"],
            "--observe-token: write NAME=VALUE, with the name of an observed gateway: home",
        ),
        // Secrets in base64 end with `=`.
        (
            &["--observe-token", "s3cret=="],
            "--observe-token: write NAME=VALUE",
        ),
        (
            &["--observe-password", "s3cret=="],
            "--observe-password: write NAME=VALUE",
        ),
        (
            &["--observe-token-file", "vps=/dev/null"],
            "no gateway called 'vps' is observed: add --observe vps=URL",
        ),
        (
            &["--observe-token", "home=s3cret", "--observe-token", "home=other"],
            "--observe-token: 'home' has more than one value",
        ),
        (
            &["--observe-token-file", "home=/no/such/file"],
            "--observe-token-file: /no/such/file: ",
        ),
        (&["--observe-token", "home= "], "--observe-token: "),
        (&["--observe-token-file", empty], "it is empty"),
        (
            &[
                "--observe-token",
                "home=s3cret",
                "--observe-token-file",
                "home=/dev/null",
            ],
            "'home' has a token in --observe-token too",
        ),
        (
            &["--observe-tls-fingerprint", "home=sha256:x"],
            "--observe-tls-fingerprint: ",
        ),
    ];
    for (arguments, why) in cases {
        let error = observed(&[&home[..], *arguments].concat()).unwrap_err();
        assert!(error.contains(why), "{arguments:?}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
    let many: Vec<String> = (0..9)
        .map(|n| format!("--observe=g{n}=ws://127.0.0.1:1"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(observed(&many).unwrap_err().contains("at most 8"));
}
