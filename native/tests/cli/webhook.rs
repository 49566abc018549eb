//! The webhook of the program, inside its sandbox.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::support::process::{Process, line_with};
use crate::support_tls::Authority;

const SECRET: &str = "whsec_YSBzZWNyZXQgb2YgdGhlc2UgdGVzdHM=";

/// Reads a request, answers it, and returns it.
async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin) -> String {
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let begin = head.len();
        assert!(stream.read_line(&mut head).await.unwrap() > 0, "{head}");
        let line = head[begin..].to_lowercase();
        if let Some(text) = line.strip_prefix("content-length: ") {
            length = text.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    stream
        .write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    stream.flush().await.unwrap();
    head + &String::from_utf8(body).unwrap()
}

/// A receiver's side of TLS, with the certificate that was issued last.
fn acceptor(authority: &Authority) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(authority.path("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(authority.path("key.pem")).unwrap();
    let tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(tls))
}

/// The sandbox of `serve` permits what the webhook needs: the lookup of a name, TLS, and a port.
#[tokio::test]
async fn events_are_sent_from_the_sandbox_by_name_and_encrypted() {
    let authority = Authority::new();
    authority.issue(&["localhost"], |_| {});
    authority.write("webhook.secret", &format!("{SECRET}\n"));
    let path = |name: &str| authority.path(name).to_str().unwrap().to_owned();
    let acceptor = acceptor(&authority);
    for is_encrypted in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let s = if is_encrypted { "s" } else { "" };
        let url = format!("http{s}://localhost:{port}/hidden-path");
        let secret = path("webhook.secret");
        let ca = format!("--webhook-tls-ca={}", path("ca.pem"));
        let mut options = vec!["--port", "0", "--webhook", &url, "--webhook-secret-file", &secret];
        options.extend(is_encrypted.then_some(&*ca));
        let (gateway, mut log) = Process::start_logging(&options).await;
        let listening = line_with(&mut log, "listening").await;
        assert!(listening.contains("sandbox="), "{listening}");
        let (_client, _) = Client::connect(gateway.address, "studio", &[]).await;
        let request = within("the event", async {
            let (stream, _) = listener.accept().await.unwrap();
            if is_encrypted {
                answer(acceptor.accept(stream).await.unwrap()).await
            } else {
                answer(stream).await
            }
        })
        .await;
        assert!(request.starts_with("POST /hidden-path HTTP/1.1\r\n"), "{request}");
        assert!(request.contains(r#"{"type":"join","key":"studio","#), "{request}");
        // The next event cannot be delivered; the log hides parts of the URL that may be a secret.
        drop(listener);
        let (_other, _) = Client::connect(gateway.address, "other", &[]).await;
        let line = line_with(&mut log, "the webhook takes no events").await;
        assert!(line.contains(&format!("http{s}://localhost:{port}")), "{line}");
        assert!(
            !line.contains("hidden-path") && !line.contains("whsec_"),
            "{line}"
        );
    }
}

/// An event is sent to no server whose certificate is for another name or from another authority.
#[tokio::test]
async fn events_are_not_sent_to_a_server_with_a_wrong_certificate() {
    let (trusted, stranger) = (Authority::new(), Authority::new());
    trusted.write("webhook.secret", SECRET);
    let path = |name: &str| trusted.path(name).to_str().unwrap().to_owned();
    trusted.issue(&["receiver.example"], |_| {});
    stranger.issue(&["localhost"], |_| {});
    for (authority, reason) in [
        (
            &trusted,
            "the certificate is not valid for `localhost`, but for receiver.example.",
        ),
        (&stranger, "the certificate is of an unknown issuer."),
    ] {
        let acceptor = acceptor(authority);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
        let (secret, ca) = (path("webhook.secret"), path("ca.pem"));
        let options = [
            &["--port", "0", "--webhook", &url, "--webhook-secret-file", &secret][..],
            &["--webhook-tls-ca", &ca],
        ];
        let (gateway, mut log) = Process::start_logging(&options.concat()).await;
        let (_client, _) = Client::connect(gateway.address, "studio", &[]).await;
        let accepted = within("an attempt", async {
            let (stream, _) = listener.accept().await.unwrap();
            acceptor.accept(stream).await
        })
        .await;
        // TLS 1.3: the server's side may be complete before the client refuses; then nothing arrives.
        if let Ok(mut stream) = accepted {
            let read = within("the end", stream.read(&mut [0; 64])).await;
            assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
        }
        let line = line_with(&mut log, "the webhook takes no events").await;
        assert!(line.contains(reason), "{line}");
    }
}

#[tokio::test]
async fn help_and_errors_show_neither_the_url_nor_the_secret() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "s3cret").unwrap();
    let secret = file.path().to_str().unwrap();
    for arguments in [
        &["serve", "--help"][..],
        &["serve", "--webhook-secret-file", secret, "--port", "0"],
    ] {
        let mut command = program(arguments);
        command.env("OPENCLAW_GATEWAY_WEBHOOK", "http://127.0.0.1:9/s3cret");
        let output = run(command).await;
        assert!(!output.stdout.contains("s3cret") && !output.stderr.contains("s3cret"));
        assert_eq!(
            output.code,
            if arguments.len() > 2 { 2 } else { 0 },
            "{}",
            output.stderr
        );
        assert!(
            output.stdout.contains("--webhook")
                || output.stderr.contains("--webhook-secret-file: it has fewer")
        );
    }
}
