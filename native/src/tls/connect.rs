//! Connections to gateways, with TLS or without, for every client of this crate.

use std::io;

use tokio::net::TcpStream;

use super::error::TlsFailure;
use super::{ClientStream, ClientTls, Transport};

/// A connection to a gateway.
pub(crate) type ClientTransport = Transport<ClientStream>;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// Nothing answers at that address.
    #[error("{0}")]
    Tcp(io::Error),
    /// The TLS handshake failed.
    #[error("{0}")]
    Tls(TlsFailure),
}

/// Connects to a host, an IPv6 address without brackets; with TLS if `tls` has the trusted certificates.
///
/// # Errors
/// [`ConnectError`]
pub(crate) async fn connect(
    host: &str,
    port: u16,
    tls: Option<&ClientTls>,
) -> Result<ClientTransport, ConnectError> {
    let stream = TcpStream::connect((host, port))
        .await
        .map_err(ConnectError::Tcp)?;
    match tls {
        None => Ok(Transport::Plain(stream)),
        Some(tls) => {
            let stream = tls.connect(host, stream).await.map_err(ConnectError::Tls)?;
            Ok(Transport::Tls(stream))
        }
    }
}
