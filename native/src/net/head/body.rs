//! The headers about the body that follows a head.

use super::Single;

/// Most bytes of a body that a head may state, whatever reads it.
pub(super) const MAX_BODY_BYTES: u64 = u32::MAX as u64;

/// The headers about a body.
#[derive(Default)]
pub(super) struct Body<'a> {
    pub(super) length: Single<'a>,
    pub(super) is_encoded: bool,
}

impl Body<'_> {
    /// The length that a head states. Valid only if [`exists`](Self::exists) returns no error: it checks the digits.
    pub(super) fn stated_bytes(&self) -> Option<u64> {
        self.length.0.map(|digits| digits.parse().unwrap_or(u64::MAX))
    }

    /// Whether there is one (RFC 9112 6.3). Ambiguous headers are an error.
    pub(super) fn exists(&self, is_1_0: bool) -> Result<bool, &'static str> {
        if self.is_encoded {
            return if is_1_0 || self.length.0.is_some() {
                Err("there is a Transfer-Encoding line, with Content-Length or in HTTP/1.0")
            } else {
                Ok(true)
            };
        }
        let digits = self.length.0.unwrap_or("0");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("its Content-Length is no number");
        }
        Ok(digits.bytes().any(|digit| digit != b'0'))
    }
}
