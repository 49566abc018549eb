//! TLS with rustls: the gateway's certificate, encrypted sockets, and the verification by clients.
//!
//! Without the feature `tls` the same types exist, and none of them has a value.

#[cfg(not(feature = "tls"))]
mod absent;
#[cfg(all(feature = "cli", feature = "tls"))]
mod client;
#[cfg(feature = "cli")]
pub(crate) mod connect;
#[cfg(feature = "tls")]
mod encryption;
mod error;
mod fingerprint;
#[cfg(feature = "tls")]
mod limited;
#[cfg(feature = "tls")]
mod server;
mod transport;

#[cfg(not(feature = "tls"))]
pub use absent::Tls;
#[cfg(all(feature = "cli", not(feature = "tls")))]
pub(crate) use absent::{ClientStream, ClientTls};
#[cfg(not(feature = "tls"))]
pub(crate) use absent::{Encryption, ServerStream};
#[cfg(all(feature = "cli", feature = "tls"))]
pub(crate) use client::ClientStream;
#[cfg(all(feature = "cli", feature = "tls"))]
pub use client::ClientTls;
#[cfg(feature = "tls")]
pub(crate) use encryption::Encryption;
pub use error::TlsError;
pub use fingerprint::{Fingerprint, InvalidFingerprint};
#[cfg(feature = "tls")]
pub(crate) use server::ServerStream;
#[cfg(feature = "tls")]
pub use server::Tls;
pub(crate) use transport::Transport;

/// The library of cryptography, which is named only here.
#[cfg(feature = "tls")]
use rustls::crypto::ring as cryptography;
use tokio::net::TcpStream;

/// The first byte of a TLS record that carries a handshake.
pub(crate) const HANDSHAKE_RECORD: u8 = 0x16;
/// The only protocol that is spoken inside.
#[cfg(feature = "tls")]
const ALPN: &[u8] = b"http/1.1";

/// Why a socket of a TLS port carries no TLS.
#[derive(Debug)]
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "nothing accepts TLS"))]
pub(crate) enum NoTls {
    /// The client closed it before its first byte.
    Gone,
    /// The first byte begins no TLS record. It has not been read.
    Plain(TcpStream),
    /// The handshake failed.
    Failed(std::io::Error),
}

/// The provider of all cryptography of TLS.
#[cfg(feature = "tls")]
fn provider() -> std::sync::Arc<rustls::crypto::CryptoProvider> {
    std::sync::Arc::new(cryptography::default_provider())
}
