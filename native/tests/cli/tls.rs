//! TLS with the command line.

use presence_gateway::RunningGateway;

use super::*;
use crate::support_tls::{Authority, filled};

/// Variables of the environment.
type Variables<'a> = &'a [(&'a str, &'a str)];
/// A change of a certificate.
type Change = fn(&mut rcgen::CertificateParams);

/// The options of a gateway with the pair in the authority's folder.
pub(crate) fn pair(authority: &Authority) -> [String; 4] {
    let path = |name| authority.path(name).to_str().unwrap().to_owned();
    [
        "--tls-cert".into(),
        path("cert.pem"),
        "--tls-key".into(),
        path("key.pem"),
    ]
}

/// `serve` with a random port, the tests' token and these options.
pub(crate) fn serve_with(options: &[String]) -> Command {
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
            "the certificate is that of an authority (CA:TRUE",
        ),
    ];
    for (name, change, words) in cases {
        authority.issue(&[name], change);
        let gateway = gateway_of(&authority);
        let url = gateway.url();
        let output = list(&["--url", &url, "--tls-ca", &ca], &[]).await;
        assert_eq!(output.code, 3, "{}", output.stderr);
        assert!(output.stderr.contains(words), "{words}: {}", output.stderr);
        // With a pin alone, only the certificate counts, not its contents.
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
    let text = std::fs::read_to_string(&ca).unwrap();
    authority.write("full.pem", &filled(&text, 1024 * 1024));
    authority.write("long.pem", &filled(&text, 1024 * 1024 + 1));
    let [full, long] = ["full.pem", "long.pem"].map(|name| authority.path(name).to_str().unwrap().to_owned());
    let (tls, plain) = (gateway_of(&authority), start(config()));
    let ws = tls.url().replacen("wss", "ws", 1);
    let wss = plain.url().replacen("ws", "wss", 1);
    let cases: [(&[&str], i32, &str); 8] = [
        (&["--url", &tls.url(), "--tls-ca", &full], 0, ""),
        (
            &["--url", &tls.url(), "--tls-ca", &long],
            2,
            "it has more than 1048576 bytes",
        ),
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
    // The environment is for all gateways.
    let environment = [
        ("OPENCLAW_GATEWAY_TLS_CA", &*none),
        (
            "OPENCLAW_GATEWAY_TLS_FINGERPRINT",
            &authority.tls().fingerprint().to_string(),
        ),
    ];
    let output = list(&["--url", &plain.url()], &environment).await;
    assert_eq!((output.code, &*output.stderr), (0, ""));
    #[cfg(unix)]
    {
        let mut command = program(&client("list", &plain.url()));
        command.envs(environment).stdout(Stdio::null());
        let written = beacon::on_a_terminal(command).await;
        let words = "OPENCLAW_GATEWAY_TLS_CA and OPENCLAW_GATEWAY_TLS_FINGERPRINT are ignored";
        assert!(written.contains(words), "{written}");
    }
    tls.shutdown().await;
    plain.shutdown().await;
}

#[tokio::test]
async fn a_socket_without_a_close_of_tls_is_explained() {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let authority = Authority::new();
    authority.issue(&["127.0.0.1"], |_| {});
    let certificate = CertificateDer::from_pem_file(authority.path("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(authority.path("key.pem")).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://{}", listener.local_addr().unwrap());
    let ca = authority.path("ca.pem").to_str().unwrap().to_owned();
    let answer = async {
        let (socket, _) = listener.accept().await.unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(server));
        let mut stream = acceptor.accept(socket).await.unwrap();
        // After the request is read, the end of TCP is not a reset.
        stream.read_u8().await.unwrap();
    };
    let (output, ()) = futures_util::future::join(list(&["--url", &url, "--tls-ca", &ca], &[]), answer).await;
    assert_eq!(output.code, 3, "{}", output.stderr);
    assert!(
        output
            .stderr
            .contains("the socket was closed without a close of TLS"),
        "{}",
        output.stderr
    );
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
