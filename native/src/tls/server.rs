//! The gateway's certificate, and its side of the handshake.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::{Error, InconsistentKeys, RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use zeroize::Zeroizing;

use super::error::{TlsError, Why};
use super::limited::Limited;
use super::{ALPN, Fingerprint, HANDSHAKE_RECORD, NoTls, cryptography, provider};
use crate::files::read_small;

/// Most bytes of a PEM file.
const MAX_PEM_BYTES: u64 = 64 * 1024;
/// Most bytes that are read of a handshake. A `ClientHello` with post-quantum key shares takes 2 KiB.
const MAX_HANDSHAKE_BYTES: usize = 8 * 1024;
/// Tickets that a client gets for TLS 1.3: one connection takes one.
const TICKETS: usize = 1;

/// An encrypted socket that requests are read from.
pub(crate) type ServerStream = TlsStream<Limited>;

/// A certificate with its private key, from two PEM files. [`reload`](Self::reload) reads them again. Clones share the
/// pair.
///
/// Clients resume sessions with tickets, so that the gateway keeps nothing for a client that left. The key of the
/// tickets lives in memory only, and changes every six hours and with every pair.
#[derive(Clone)]
pub struct Tls(Arc<Pair>);

struct Pair {
    certificate: PathBuf,
    key: PathBuf,
    state: Mutex<State>,
}

struct State {
    config: Arc<ServerConfig>,
    fingerprint: Fingerprint,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("certificate", &self.0.certificate)
            .field("key", &self.0.key)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads a certificate, followed by those of its issuers, and its private key; each file has at most 64 KiB.
    ///
    /// # Errors
    /// [`TlsError`] when a file cannot be read, is not PEM, a certificate is damaged, or the key does not belong to the
    /// certificate.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let state = Mutex::new(read_pair(certificate, key)?);
        Ok(Self(Arc::new(Pair {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            state,
        })))
    }

    /// Reads both files again. New connections get the new pair, and open connections stay. Returns the new
    /// certificate's fingerprint.
    ///
    /// # Errors
    /// Those of [`from_files`](Self::from_files); the old pair stays in use.
    pub fn reload(&self) -> Result<Fingerprint, TlsError> {
        let state = read_pair(&self.0.certificate, &self.0.key)?;
        let fingerprint = state.fingerprint;
        *self.state() = state;
        Ok(fingerprint)
    }

    /// The fingerprint of the certificate in use.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.state().fingerprint
    }

    /// The files that [`reload`](Self::reload) reads.
    #[cfg(feature = "cli")]
    pub(crate) fn files(&self) -> Vec<&Path> {
        vec![&self.0.certificate, &self.0.key]
    }

    /// Does the handshake with a client, once its first byte has arrived.
    pub(crate) async fn accept(&self, stream: TcpStream) -> Result<Box<ServerStream>, NoTls> {
        let mut first = [0];
        match stream.peek(&mut first).await {
            Ok(0) => return Err(NoTls::Gone),
            Ok(_) if first[0] != HANDSHAKE_RECORD => return Err(NoTls::Plain(stream)),
            Ok(_) => {}
            Err(error) => return Err(NoTls::Failed(error)),
        }
        let acceptor = TlsAcceptor::from(Arc::clone(&self.state().config));
        let mut stream = acceptor
            .accept(Limited::new(stream, MAX_HANDSHAKE_BYTES))
            .await
            .map_err(NoTls::Failed)?;
        stream.get_mut().0.lift();
        Ok(Box::new(stream))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_pair(certificate: &Path, key: &Path) -> Result<State, TlsError> {
    let of_certificate = |why| TlsError::new("tls-cert", certificate, why);
    let of_key = |why| TlsError::new("tls-key", key, why);
    let text =
        read_small(certificate, MAX_PEM_BYTES).map_err(|error| of_certificate(Why::Unreadable(error)))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| of_certificate(Why::Damaged(error)))?;
    let Some(leaf) = chain.first() else {
        return Err(of_certificate(Why::NoCertificate));
    };
    let fingerprint = Fingerprint::of(leaf);
    // rustls sends the certificates after the first one without parsing them.
    for (at, certificate) in chain.iter().enumerate() {
        RootCertStore::empty()
            .add(certificate.clone())
            .map_err(|_| of_certificate(Why::DamagedCertificate(at + 1)))?;
    }
    let text = read_small(key, MAX_PEM_BYTES).map_err(|error| of_key(Why::Unreadable(error)))?;
    let text = Zeroizing::new(text);
    let private = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| match error {
        pem::Error::NoItemsFound => of_key(Why::NoKey),
        error => of_key(Why::Damaged(error)),
    })?;
    let config = config(chain, private).map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            of_key(Why::OtherKey(certificate.to_owned()))
        }
        Error::InvalidCertificate(_) => of_certificate(Why::Unusable(error)),
        error => of_key(Why::Unusable(error)),
    })?;
    Ok(State {
        config: Arc::new(config),
        fingerprint,
    })
}

fn config(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<ServerConfig, Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = cryptography::Ticketer::new()?;
    config.send_tls13_tickets = TICKETS;
    Ok(config)
}
