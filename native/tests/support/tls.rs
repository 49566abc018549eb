//! Certificates of these tests, and clients that connect by TLS.

#![allow(dead_code, reason = "each test file uses its own part of it")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use presence_gateway::{GatewayConfig, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{Client, config, within};

pub(crate) const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// An authority, and a folder with what it issues.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Two authorities of one name would be one with a wrong signature.
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("authority {}", NUMBER.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Writes `cert.pem` and `key.pem` for these names.
    pub(crate) fn issue(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        self.write("cert.pem", &certificate.pem());
        self.write("key.pem", &key.serialize_pem());
    }

    /// The pair in the folder.
    pub(crate) fn tls(&self) -> Tls {
        Tls::from_files(&self.path("cert.pem"), &self.path("key.pem")).unwrap()
    }

    /// Issues a certificate for this machine; a configuration with it.
    pub(crate) fn config(&self) -> GatewayConfig {
        self.issue(&["127.0.0.1", "localhost"], |_| {});
        let mut config = config();
        config.tls = Some(self.tls());
        config
    }

    /// A client that trusts the authority and speaks these versions.
    pub(crate) fn client(&self, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(client)
    }
}

/// A file of this text and as many bytes.
pub(crate) fn filled(text: &str, bytes: usize) -> String {
    format!("{text}{}", "\n".repeat(bytes - text.len()))
}

/// Does the handshake on this socket.
pub(crate) async fn encrypt(
    client: &Arc<ClientConfig>,
    stream: TcpStream,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").unwrap();
    within(
        "a TLS handshake",
        TlsConnector::from(Arc::clone(client)).connect(name, stream),
    )
    .await
}

pub(crate) async fn connect(client: &Arc<ClientConfig>, address: SocketAddr) -> TlsStream<TcpStream> {
    encrypt(client, TcpStream::connect(address).await.unwrap())
        .await
        .unwrap()
}

/// A WebSocket by TLS, with these extra header lines.
pub(crate) async fn open(
    client: &Arc<ClientConfig>,
    address: SocketAddr,
    headers: &str,
) -> Client<TlsStream<TcpStream>> {
    Client::over(
        connect(client, address).await,
        ("/any", &address.to_string()),
        headers,
    )
    .await
}
