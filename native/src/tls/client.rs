//! A client's verification of a gateway's certificate, and its side of the handshake.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::error::{TlsError, TlsFailure, Why};
use super::{ALPN, Fingerprint, provider};
use crate::files::read_small;

/// Most bytes of a file of authorities: the list of a whole system takes 250 KiB.
const MAX_CA_BYTES: u64 = 1024 * 1024;

/// An encrypted connection to a gateway.
pub(crate) type ClientStream = tokio_rustls::client::TlsStream<TcpStream>;

/// The gateways that a client trusts. Clones share it.
///
/// ```no_run
/// use std::path::Path;
/// use presence_gateway::ClientTls;
/// let tls = ClientTls::new(Some(Path::new("ca.pem")), None)?;
/// # Ok::<(), presence_gateway::TlsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientTls(Arc<ClientConfig>);

impl PartialEq for ClientTls {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ClientTls {}

impl ClientTls {
    /// Trusts the authorities in the file, or those of this system. With `pin` only the gateway with this certificate
    /// is trusted; without a file that is the only check.
    ///
    /// # Errors
    /// [`TlsError`] when the file cannot be read or holds no certificate.
    pub fn new(ca: Option<&Path>, pin: Option<Fingerprint>) -> Result<Self, TlsError> {
        let invalid = |why| TlsError::new("tls-ca", ca.unwrap_or_else(|| Path::new("(system)")), why);
        let mut roots = RootCertStore::empty();
        if let Some(path) = ca {
            let text = read_small(path, MAX_CA_BYTES).map_err(|error| invalid(Why::Unreadable(error)))?;
            for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
                let certificate = certificate.map_err(|error| invalid(Why::Damaged(error)))?;
                roots
                    .add(certificate)
                    .map_err(|error| invalid(Why::Unusable(error)))?;
            }
            if roots.is_empty() {
                return Err(invalid(Why::NoCertificate));
            }
        } else if pin.is_none() {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        let provider = provider();
        let algorithms = provider.signature_verification_algorithms;
        let chain = if pin.is_some() && ca.is_none() {
            None
        } else {
            // Without any authority no certificate is trusted, and the error states that.
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .ok()
        };
        let verifier = Verifier {
            chain,
            pin,
            algorithms,
        };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid(Why::Unusable(error)))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// The configuration for clients with a stack of their own.
    #[must_use]
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }

    /// The configuration for a NATS server, which negotiates no protocol inside.
    #[cfg(feature = "cluster")]
    pub(crate) fn for_nats(&self) -> ClientConfig {
        let mut config = ClientConfig::clone(&self.0);
        config.alpn_protocols.clear();
        config
    }

    /// Does the handshake with the gateway of this name or address.
    ///
    /// # Errors
    /// [`TlsFailure`]
    pub(crate) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<Box<ClientStream>, TlsFailure> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsFailure {
            cause: format!("`{host}` is neither a name nor an address that a certificate can have"),
            remedy: None,
        })?;
        TlsConnector::from(Arc::clone(&self.0))
            .connect(name, stream)
            .await
            .map(Box::new)
            .map_err(|error| explain(&error, host))
    }
}

/// Checks the chain of issuers, the pin, or both.
#[derive(Debug)]
struct Verifier {
    chain: Option<Arc<WebPkiServerVerifier>>,
    pin: Option<Fingerprint>,
    algorithms: WebPkiSupportedAlgorithms,
}

/// Another certificate than the pinned one.
#[derive(Debug)]
struct OtherFingerprint {
    found: Fingerprint,
    pin: Fingerprint,
}

impl fmt::Display for OtherFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, pin } = self;
        write!(
            f,
            "gateway tls fingerprint mismatch: the certificate has {found}, and {pin} is pinned (--tls-fingerprint). If it \
             was renewed, pin the new one, which the gateway logs; else another machine answers in its place"
        )
    }
}

impl std::error::Error for OtherFingerprint {}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match (&self.chain, self.pin) {
            (Some(chain), _) => {
                chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
            }
            (None, Some(_)) => {}
            (None, None) => return Err(CertificateError::UnknownIssuer.into()),
        }
        let found = Fingerprint::of(end_entity);
        match self.pin {
            Some(pin) if pin != found => {
                let other = OtherError(Arc::new(OtherFingerprint { found, pin }));
                Err(CertificateError::Other(other).into())
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The first names of a certificate. A hostile certificate may hold control characters for the terminal, so the names
/// are escaped and cut.
fn names(presented: &[String]) -> String {
    const MAX_NAMES: usize = 4;
    const MAX_CHARACTERS: usize = 100;

    let shown = presented.iter().take(MAX_NAMES).map(|name| {
        let name = name.trim_start_matches("DnsName(\"").trim_end_matches("\")");
        name.chars()
            .take(MAX_CHARACTERS)
            .flat_map(char::escape_debug)
            .collect::<String>()
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// Returns the cause of a failed handshake, and the remedy.
fn explain(error: &io::Error, host: &str) -> TlsFailure {
    const PIN: &str = "pin the certificate with --tls-fingerprint; the gateway logs it at its start";
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let (cause, remedy) = match tls {
        Some(Error::InvalidCertificate(certificate)) => match certificate {
            CertificateError::UnknownIssuer => (
                "the certificate is of an unknown issuer".to_owned(),
                Some(format!("name its authority with --tls-ca FILE, or {PIN}")),
            ),
            CertificateError::NotValidForName => (
                format!("the certificate is not valid for `{host}`"),
                Some(format!("use its name in --url, or {PIN}")),
            ),
            CertificateError::NotValidForNameContext { presented, .. } => (
                format!(
                    "the certificate is not valid for `{host}`, but for {}",
                    names(presented)
                ),
                Some(format!("use its name in --url, or {PIN}")),
            ),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
                "the certificate has expired".to_owned(),
                Some("renew it on the gateway's machine, and check the clock of this one".to_owned()),
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
                "the certificate is not valid yet".to_owned(),
                Some("check the clocks of both machines".to_owned()),
            ),
            CertificateError::Other(OtherError(why)) if why.is::<OtherFingerprint>() => {
                (why.to_string(), None)
            }
            // rustls exports no type for webpki's errors: only the text identifies them.
            CertificateError::Other(OtherError(why)) if why.to_string() == "CaUsedAsEndEntity" => (
                "the certificate is that of an authority (CA:TRUE, the default of `openssl req -x509`)"
                    .to_owned(),
                Some(format!("create one with basicConstraints=CA:FALSE, or {PIN}")),
            ),
            other => (
                format!("the certificate cannot be used ({other})"),
                Some(format!("have a new one issued, or {PIN}")),
            ),
        },
        Some(Error::InvalidMessage(_)) => (
            "no TLS answers there".to_owned(),
            Some("is this the gateway's TLS port?".to_owned()),
        ),
        _ => (format!("the TLS handshake failed: {error}"), None),
    };
    TlsFailure { cause, remedy }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn names_in_a_certificate_are_escaped_and_cut() {
        let hostile = [
            "a\u{1b}[2J\u{7}b".to_owned(),
            "l1\nrefused: fake\r\u{202e}".to_owned(),
        ];
        let shown = names(&hostile);
        assert!(
            !shown.contains(|c: char| c.is_control() || c == '\u{202e}'),
            "{shown:?}"
        );
        assert_eq!(
            names(&["DnsName(\"gw.example.org\")".to_owned()]),
            "gw.example.org"
        );
        assert!(names(&vec!["x".repeat(10_000); 2_200]).len() < 1_000);
    }
}
