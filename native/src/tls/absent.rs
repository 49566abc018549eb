//! TLS in a build without it: types without values.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::error::{TlsError, Why};
use super::{Fingerprint, NoTls};

/// A certificate with its private key. This build has no TLS, so no value exists.
#[derive(Clone, Debug)]
pub enum Tls {}

impl Tls {
    /// Fails.
    ///
    /// # Errors
    /// Always: this build has no TLS.
    pub fn from_files(certificate: &Path, _: &Path) -> Result<Self, TlsError> {
        Err(TlsError::new("tls-cert", certificate, Why::Absent))
    }

    /// There is nothing to reload.
    ///
    /// # Errors
    /// Never.
    pub fn reload(&self) -> Result<Fingerprint, TlsError> {
        match *self {}
    }

    /// The fingerprint of the certificate in use.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        match *self {}
    }

    #[cfg(feature = "cli")]
    pub(crate) fn files(&self) -> Vec<&Path> {
        match *self {}
    }

    #[expect(clippy::unused_async, reason = "the function with TLS waits")]
    pub(crate) async fn accept(&self, _: TcpStream) -> Result<Box<Nothing>, NoTls> {
        match *self {}
    }
}

/// An encrypted socket of a client.
pub(crate) type ServerStream = Nothing;

/// An encrypted connection to a gateway.
#[cfg(feature = "cli")]
pub(crate) type ClientStream = Nothing;

/// An encrypted socket.
#[derive(Debug)]
pub(crate) enum Nothing {}

impl AsyncRead for Nothing {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }
}

impl AsyncWrite for Nothing {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }
}

/// The keys and buffers of one connection.
#[derive(Debug)]
pub(crate) enum Encryption {}

impl Encryption {
    #[expect(
        clippy::boxed_local,
        clippy::needless_pass_by_value,
        reason = "the function with TLS takes it apart"
    )]
    pub(crate) fn split(stream: Box<Nothing>) -> (TcpStream, Box<Self>) {
        match *stream {}
    }

    pub(crate) fn read(
        &self,
        _: &TcpStream,
        _: impl FnMut(&mut [u8]) -> io::Result<usize>,
        _: &mut [u8],
    ) -> io::Result<usize> {
        match *self {}
    }

    pub(crate) fn write(&self, _: &TcpStream, _: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match *self {}
    }

    pub(crate) fn flush(&self, _: &TcpStream) -> (io::Result<()>, bool) {
        match *self {}
    }

    pub(crate) fn has_rest(&self) -> bool {
        match *self {}
    }

    pub(crate) fn close(&self, _: &TcpStream) {
        match *self {}
    }
}

/// Which gateways a client trusts.
#[cfg(feature = "cli")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClientTls {}

#[cfg(feature = "cli")]
impl ClientTls {
    pub(crate) fn new(ca: Option<&Path>, _: Option<Fingerprint>) -> Result<Self, TlsError> {
        Err(TlsError::new(
            "tls-ca",
            ca.unwrap_or_else(|| Path::new("wss://")),
            Why::Absent,
        ))
    }

    #[expect(clippy::unused_async, reason = "the function with TLS waits")]
    pub(crate) async fn connect(
        &self,
        _: &str,
        _: TcpStream,
    ) -> Result<Box<ClientStream>, super::error::TlsFailure> {
        match *self {}
    }
}
