//! Why a certificate or a key cannot be used, and why a handshake failed.

#[cfg(feature = "cli")]
use std::fmt;
#[cfg(feature = "tls")]
use std::io;
use std::path::{Path, PathBuf};

/// Why a certificate or a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct TlsError {
    option: &'static str,
    path: PathBuf,
    why: Why,
}

/// The error in the file.
#[derive(Debug, thiserror::Error)]
pub(super) enum Why {
    #[cfg(feature = "tls")]
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    #[cfg(feature = "tls")]
    #[error("holds no certificate in PEM (-----BEGIN CERTIFICATE-----)")]
    NoCertificate,
    #[cfg(feature = "tls")]
    #[error(
        "holds no private key in PEM (-----BEGIN PRIVATE KEY-----); an encrypted key must be decrypted first"
    )]
    NoKey,
    #[cfg(feature = "tls")]
    #[error("is damaged: {0}")]
    Damaged(rustls::pki_types::pem::Error),
    #[cfg(feature = "tls")]
    #[error("does not belong to the certificate in {}", .0.display())]
    OtherKey(PathBuf),
    #[cfg(feature = "tls")]
    #[error("cannot be used: {0}")]
    Unusable(rustls::Error),
    #[cfg(feature = "tls")]
    #[error("its certificate number {0} is damaged")]
    DamagedCertificate(usize),
    #[cfg(not(feature = "tls"))]
    #[error("this program was built without TLS (the feature `tls`)")]
    Absent,
}

/// Why a TLS handshake failed.
#[cfg(feature = "cli")]
#[derive(Debug)]
pub(crate) struct TlsFailure {
    pub(crate) cause: String,
    /// What the user of a command that connects to a gateway can do, if that is known.
    pub(crate) remedy: Option<String>,
}

#[cfg(feature = "cli")]
impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)?;
        self.remedy.iter().try_for_each(|remedy| write!(f, ": {remedy}"))
    }
}

impl TlsError {
    pub(super) fn new(option: &'static str, path: &Path, why: Why) -> Self {
        Self {
            option,
            path: path.to_owned(),
            why,
        }
    }

    /// The option that names the file: `tls-cert`, `tls-key` or `tls-ca`.
    #[must_use]
    pub fn option(&self) -> &'static str {
        self.option
    }

    /// Whether the system denies access to the file.
    #[cfg(all(feature = "cli", unix))]
    pub(crate) fn is_denied(&self) -> bool {
        match &self.why {
            #[cfg(feature = "tls")]
            Why::Unreadable(error) => error.kind() == io::ErrorKind::PermissionDenied,
            _ => false,
        }
    }
}
