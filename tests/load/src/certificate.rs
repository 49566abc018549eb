//! The certificate of gateways that are measured with TLS.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use presence_gateway::{ClientTls, Fingerprint};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ServerConfig};
use tempfile::TempDir;

/// A certificate of this machine, its key, and clients that trust it.
#[derive(Debug)]
pub(crate) struct Certificate {
    folder: TempDir,
    client: Arc<ClientConfig>,
}

impl Certificate {
    /// Makes one, for as long as the result lives.
    pub(crate) fn new() -> io::Result<Self> {
        let made = generate_simple_self_signed(["127.0.0.1".to_owned()]).map_err(io::Error::other)?;
        let CertifiedKey { cert, signing_key } = made;
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("cert.pem"), cert.pem())?;
        std::fs::write(folder.path().join("key.pem"), signing_key.serialize_pem())?;
        let client = trusting(Some(&folder.path().join("cert.pem")), None)?;
        Ok(Self { folder, client })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    pub(crate) fn key_path(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// Clients that trust it.
    pub(crate) fn client(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.client)
    }
}

/// Clients that trust the authorities in a file, or only the certificate with a fingerprint, or both.
pub(crate) fn trusting(ca: Option<&Path>, pin: Option<Fingerprint>) -> io::Result<Arc<ClientConfig>> {
    let tls = ClientTls::new(ca, pin).map_err(io::Error::other)?;
    Ok(tls.config())
}

/// The bare server's side. Its sessions are resumed as those of the gateway are: not from memory.
pub(crate) fn server(certificate: &Path, key: &Path) -> io::Result<Arc<ServerConfig>> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(io::Error::other)?;
    Ok(Arc::new(config))
}
