//! TLS by the command line.

use presence_gateway::RunningGateway;

use super::*;
use crate::support_tls::Authority;

/// Variables of the environment.
type Variables<'a> = &'a [(&'a str, &'a str)];
/// A change of a certificate.
type Change = fn(&mut rcgen::CertificateParams);

/// The options of a gateway with the pair in the authority's folder.
fn pair(authority: &Authority) -> [String; 4] {
    let path = |name| authority.path(name).to_str().unwrap().to_owned();
    [
        "--tls-cert".into(),
        path("cert.pem"),
        "--tls-key".into(),
        path("key.pem"),
    ]
}

/// `serve` with a random port, the tests' token and these options.
fn serve_with(options: &[String]) -> Command {
    let mut command = program(&["serve", "--port", "0", "--token", support::TOKEN]);
    command.args(options);
    command
}

#[tokio::test]
async fn wrong_files_are_named_with_their_option() {
    let authority = Authority::new();
    authority.issue(&["localhost"], |_| {});
    let [cert, cert_path, key, key_path] = pair(&authority);
    let ca_path = authority.path("ca.pem").to_str().unwrap().to_owned();
    let refused = async |options: &[&String], words: &[&str]| {
        let options: Vec<String> = options.iter().map(|text| (*text).clone()).collect();
        let output = run(serve_with(&options)).await;
        assert_eq!(output.code, 2, "{}", output.stderr);
        for word in words {
            assert!(output.stderr.contains(word), "{word}: {}", output.stderr);
        }
    };
    refused(
        &[&cert, &cert_path],
        &["--tls-cert: its private key is missing: add --tls-key FILE"],
    )
    .await;
    refused(
        &[&key, &key_path],
        &["--tls-key: its certificate is missing: add --tls-cert FILE"],
    )
    .await;
    let none = format!("{cert_path}.none");
    refused(
        &[&cert, &none, &key, &key_path],
        &["--tls-cert: ", &none, "cannot be read"],
    )
    .await;
    refused(
        &[&cert, &key_path, &key, &key_path],
        &["--tls-cert: ", "no certificate in PEM"],
    )
    .await;
    refused(
        &[&cert, &cert_path, &key, &cert_path],
        &["--tls-key: ", "no private key in PEM"],
    )
    .await;
    let other = "does not belong to the certificate in ";
    refused(
        &[&cert, &ca_path, &key, &key_path],
        &["--tls-key: ", other, &ca_path],
    )
    .await;
    refused(
        &[&"--hsts=60".to_owned()],
        &["--hsts: ", "add --tls-cert and --tls-key"],
    )
    .await;
}

/// A gateway with this configuration file, until it writes its log lines.
#[cfg(unix)]
fn logging(
    authority: &Authority,
    text: &str,
    key: &Path,
) -> (Child, impl AsyncFnMut(&str) -> String + use<>) {
    authority.write("gateway.toml", text);
    let config = format!("--config={}", authority.path("gateway.toml").display());
    let mut child = serve_with(&[config])
        .env("OPENCLAW_GATEWAY_TLS_KEY", key)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line_with = async move |words: &str| loop {
        let line = within(words, lines.next_line())
            .await
            .unwrap()
            .expect("the gateway ended");
        if line.contains(words) {
            return line;
        }
    };
    (child, line_with)
}

#[cfg(unix)]
fn hang_up(child: &Child) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_hangup_reads_the_certificate_again_and_keeps_the_old_one_if_that_fails() {
    let authority = Authority::new();
    authority.issue(&["localhost"], |_| {});
    let [_, cert_path, _, key_path] = pair(&authority);
    // The file has the options, too.
    let text = format!("tls-cert = {cert_path:?}\nhsts = 60\n");
    let (mut child, mut line_with) = logging(&authority, &text, Path::new(&key_path));
    let first = line_with("connections are encrypted").await;
    let private = std::fs::read_to_string(&key_path).unwrap();
    authority.write("key.pem", "nothing");
    for failures in 1..3 {
        hang_up(&child);
        let line = line_with("the old certificate stays").await;
        let count = format!("failures={failures}");
        for words in ["WARN", &count, "--tls-key: ", &key_path] {
            assert!(line.contains(words), "{words}: {line}");
        }
    }
    authority.write("key.pem", &private);
    hang_up(&child);
    let line = line_with("the certificate is read").await;
    let fingerprint = line.split_once("fingerprint=").unwrap().1.trim();
    assert!(
        fingerprint.starts_with("sha256:") && first.contains(fingerprint),
        "{first} {line}"
    );
    child.kill().await.unwrap();
}

/// Under Landlock, too: `serve` gives up all files but those in the folders that hold the pair or a link to it.
#[cfg(unix)]
#[tokio::test]
async fn a_renewed_certificate_behind_new_links_is_read() {
    use std::os::unix::fs::symlink;

    let authority = Authority::new();
    let issue = |folder: &str| {
        authority.issue(&["localhost"], |_| {});
        std::fs::create_dir_all(authority.path(folder)).unwrap();
        for name in ["cert.pem", "key.pem"] {
            std::fs::rename(authority.path(name), authority.path(folder).join(name)).unwrap();
        }
    };
    let relink = |target: &str, link: &str| {
        let _ = std::fs::remove_file(authority.path(link));
        symlink(target, authority.path(link)).unwrap();
    };
    // `live/cert.pem` is a link to a file elsewhere, and the key is behind a link to a folder.
    std::fs::create_dir_all(authority.path("live")).unwrap();
    issue("versions/1");
    std::fs::create_dir_all(authority.path("archive")).unwrap();
    std::fs::copy(
        authority.path("versions/1/cert.pem"),
        authority.path("archive/cert1.pem"),
    )
    .unwrap();
    relink("../archive/cert1.pem", "live/cert.pem");
    relink("versions/1", "current");
    let text = format!("tls-cert = {:?}\n", authority.path("live/cert.pem"));
    let (mut child, mut line_with) = logging(&authority, &text, &authority.path("current/key.pem"));
    let first = line_with("connections are encrypted").await;
    issue("versions/2");
    std::fs::copy(
        authority.path("versions/2/cert.pem"),
        authority.path("archive/cert2.pem"),
    )
    .unwrap();
    relink("../archive/cert2.pem", "live/cert.pem");
    relink("versions/2", "current");
    hang_up(&child);
    let line = line_with("SIGHUP: ").await;
    let fingerprint = line.split_once("fingerprint=").expect("it is read").1.trim();
    assert!(!first.contains(fingerprint), "{first} {line}");
    child.kill().await.unwrap();
}

/// `list` with the tests' token and these arguments.
async fn list(arguments: &[&str], environment: Variables<'_>) -> Output {
    let mut command = program(&["list", "--json", "--token", support::TOKEN]);
    command.args(arguments).envs(environment.iter().copied());
    run(command).await
}

/// A gateway with what the authority issued last.
fn gateway_of(authority: &Authority) -> RunningGateway {
    let mut config = config();
    config.tls = Some(authority.tls());
    start(config)
}

#[tokio::test]
async fn commands_connect_by_wss_and_trust_an_authority_or_a_fingerprint() {
    let authority = Authority::new();
    authority.issue(&["localhost", "127.0.0.1"], |_| {});
    let gateway = gateway_of(&authority);
    let url = gateway.url();
    let port = gateway.address().port().to_string();
    let https = url.replacen("wss", "https", 1);
    let ca = authority.path("ca.pem").to_str().unwrap().to_owned();
    let pin = authority.tls().fingerprint().to_string();
    let other_ca = Authority::new();
    let other_path = other_ca.path("ca.pem").to_str().unwrap().to_owned();
    let other_pin = format!("sha256:{}", "00".repeat(32));

    let trusted: [(&[&str], Variables<'_>); 6] = [
        (&["--url", &url, "--tls-ca", &ca], &[]),
        (&["--url", &https, "--tls-fingerprint", &pin], &[]),
        (&["--port", &port, "--tls-fingerprint", &pin], &[]),
        (&["--url", &url, "--tls-ca", &ca, "--tls-fingerprint", &pin], &[]),
        (&["--url", &url], &[("OPENCLAW_GATEWAY_TLS_CA", &ca)]),
        // The authorities of the system.
        (&["--url", &url], &[("SSL_CERT_FILE", &ca)]),
    ];
    for (arguments, environment) in trusted {
        let output = list(arguments, environment).await;
        assert_eq!(output.code, 0, "{arguments:?}: {}", output.stderr);
        assert!(output.stdout.starts_with('['), "{}", output.stdout);
    }

    let unknown = "the certificate is of an unknown issuer: name its authority with --tls-ca FILE, or pin";
    let mismatch = "gateway tls fingerprint mismatch: the certificate has sha256:";
    let refused: [(&[&str], Variables<'_>, &str); 5] = [
        (&["--url", &url, "--tls-ca", &other_path], &[], unknown),
        (&["--url", &url], &[("SSL_CERT_FILE", &other_path)], unknown),
        (&["--url", &url, "--tls-fingerprint", &other_pin], &[], mismatch),
        (
            &["--url", &url, "--tls-ca", &ca, "--tls-fingerprint", &other_pin],
            &[],
            mismatch,
        ),
        (
            &["--url", &url, "--tls-ca", &other_path, "--tls-fingerprint", &pin],
            &[],
            unknown,
        ),
    ];
    for (arguments, environment, words) in refused {
        let output = list(arguments, environment).await;
        assert_eq!(output.code, 3, "{arguments:?}: {}", output.stderr);
        assert!(output.stderr.contains(words), "{arguments:?}: {}", output.stderr);
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn errors_say_what_is_wrong_with_the_certificate() {
    let authority = Authority::new();
    let ca = authority.path("ca.pem").to_str().unwrap().to_owned();
    let cases: [(&str, Change, &str); 4] = [
        ("localhost", |_| {}, "not valid for `127.0.0.1`, but for"),
        (
            "127.0.0.1",
            |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1),
            "the certificate has expired",
        ),
        (
            "127.0.0.1",
            |params| params.not_before = rcgen::date_time_ymd(2090, 1, 1),
            "the certificate is not valid yet",
        ),
        (
            "127.0.0.1",
            |params| params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained),
            "the certificate cannot be used (",
        ),
    ];
    for (name, change, words) in cases {
        authority.issue(&[name], change);
        let gateway = gateway_of(&authority);
        let url = gateway.url();
        let output = list(&["--url", &url, "--tls-ca", &ca], &[]).await;
        assert_eq!(output.code, 3, "{}", output.stderr);
        assert!(output.stderr.contains(words), "{words}: {}", output.stderr);
        // A pin alone asks for the certificate, whatever it says.
        let pin = authority.tls().fingerprint().to_string();
        let output = list(&["--url", &url, "--tls-fingerprint", &pin], &[]).await;
        assert_eq!(output.code, 0, "{}", output.stderr);
        gateway.shutdown().await;
    }
}

#[tokio::test]
async fn the_wrong_scheme_and_options_that_do_not_fit_are_explained() {
    let authority = Authority::new();
    authority.issue(&["127.0.0.1"], |_| {});
    let ca = authority.path("ca.pem").to_str().unwrap().to_owned();
    let none = format!("{ca}.none");
    let (tls, plain) = (gateway_of(&authority), start(config()));
    let ws = tls.url().replacen("wss", "ws", 1);
    let wss = plain.url().replacen("ws", "wss", 1);
    let cases: [(&[&str], i32, &str); 6] = [
        (
            &["--url", &ws],
            4,
            "this port speaks HTTPS: use https:// and wss://",
        ),
        (
            &["--url", &wss, "--tls-ca", &ca],
            3,
            "no TLS answers there: is this the gateway's TLS port?",
        ),
        (
            &["--url", &ws, "--tls-ca", &ca],
            2,
            "--tls-ca and --tls-fingerprint require a wss:// URL",
        ),
        (&["--url", &wss, "--tls-ca", &none], 2, "--tls-ca: "),
        (&["--url", &wss, "--tls-ca", "/dev/null"], 2, "--tls-ca: "),
        (
            &["--url", &wss, "--tls-fingerprint", "abc"],
            2,
            "is not a SHA-256 fingerprint",
        ),
    ];
    for (arguments, code, words) in cases {
        let output = list(arguments, &[]).await;
        assert_eq!(output.code, code, "{arguments:?}: {}", output.stderr);
        assert!(output.stderr.contains(words), "{arguments:?}: {}", output.stderr);
    }
    tls.shutdown().await;
    plain.shutdown().await;
}

#[tokio::test]
async fn a_beacon_goes_by_wss() {
    let authority = Authority::new();
    authority.issue(&["127.0.0.1"], |_| {});
    let gateway = gateway_of(&authority);
    let pin = authority.tls().fingerprint().to_string();
    let mut command = program(&["beacon", "--instance-id", "by-wss", "--url", &gateway.url()]);
    command.args(["--token", support::TOKEN, "--tls-fingerprint", &pin]);
    let output = run(command).await;
    assert_eq!(output.code, 0, "{}", output.stderr);
    let listed = list(&["--url", &gateway.url(), "--tls-fingerprint", &pin], &[]).await;
    let rows: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(row(&rows, "by-wss")["instanceId"], "by-wss");
    gateway.shutdown().await;
}
