//! The fingerprint of a certificate.

use std::fmt;
use std::str::FromStr;

/// The SHA-256 of a certificate in DER. As text it is `sha256:` and 64 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// The text is not the fingerprint of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a SHA-256 fingerprint: write sha256: and 64 hex digits")]
pub struct InvalidFingerprint(String);

impl Fingerprint {
    /// Returns the fingerprint of this certificate.
    #[cfg(feature = "tls")]
    pub(super) fn of(certificate: &rustls::pki_types::CertificateDer<'_>) -> Self {
        use sha2::Digest;
        Self(sha2::Sha256::digest(certificate).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Accepts what OpenClaw's clients accept: `sha256:` is optional, and colons may separate the bytes.
impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let bare = text.trim();
        let digits = match bare.split_at_checked("sha256:".len()) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("sha256:") => rest,
            _ => bare,
        };
        let step = if digits.contains(':') { 3 } else { 2 };
        let is_spaced = |at: usize| step == 2 || at == 0 || digits.as_bytes()[at - 1] == b':';
        let mut bytes = [0; 32];
        let is_whole = digits.is_ascii() && digits.len() == step * bytes.len() - (step - 2);
        for (index, byte) in bytes.iter_mut().enumerate().filter(|_| is_whole) {
            let at = index * step;
            let pair = &digits[at..at + 2];
            let is_hex = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            *byte = u8::from_str_radix(pair, 16)
                .ok()
                .filter(|_| is_hex && is_spaced(at))
                .ok_or_else(|| InvalidFingerprint(text.to_owned()))?;
        }
        is_whole
            .then_some(Self(bytes))
            .ok_or_else(|| InvalidFingerprint(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_openclaw_writes_them() {
        let hex = "00ff".repeat(16);
        let colons = vec!["00:FF"; 16].join(":");
        let parsed: Fingerprint = hex.parse().unwrap();
        assert_eq!(parsed.to_string(), format!("sha256:{hex}"));
        for text in [
            format!("SHA256:{hex}"),
            colons.clone(),
            format!(" sha256:{colons}\n"),
        ] {
            assert_eq!(text.parse(), Ok(parsed), "{text}");
        }
        for text in [
            "",
            "sha256:",
            &hex[2..],
            &format!("{hex}00"),
            &hex.replace("ff", "+1"),
            &hex.replace("ff", "g0"),
        ] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
        assert!(colons.replacen(':', "-", 1).parse::<Fingerprint>().is_err());
    }
}
