//! Problems, their remedies, and whether to retry (reference 2.5 and 4.4).

use alloc::boxed::Box;
use alloc::format;

use serde_json::value::RawValue;

use crate::model::json::{boolean, inner, integer, string};
use crate::model::scope;
use crate::wire::close::CloseFrame;
use crate::wire::connect::{NEWEST_PROTOCOL, OLDEST_PROTOCOL};
use crate::wire::error::UNAVAILABLE;

/// The maximum time that a gateway can make a client wait, in ms.
const MAX_RETRY_AFTER_MS: u64 = 3_600_000;
/// The delay after too many failed attempts to authenticate, if the gateway states none, in ms.
const RATE_LIMIT_MS: u64 = 60_000;

/// A problem, for programs and people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable code: the gateway's `details.code`, else its `code`, else one of this client's
    /// (`CLOSED_<code>`, `OPEN_TIMEOUT`, `HELLO_TIMEOUT`, `TICK_TIMEOUT`, ...).
    pub code: Box<str>,
    /// The gateway's message, or a description.
    pub message: Box<str>,
    /// The remedy for a person; empty for problems that resolve themselves.
    pub remedy: Box<str>,
}

impl core::fmt::Display for Problem {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.message)?;
        if !self.remedy.is_empty() {
            write!(f, ". {}", self.remedy)?;
        }
        Ok(())
    }
}

/// Whether to retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A retry would not help.
    Stop,
    /// Retry after this time or later, in ms.
    Retry { after_ms: u64 },
    /// Retry at once with only this protocol.
    Speak(u32),
}

impl Problem {
    pub(super) fn new(code: &str, message: &str) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            remedy: remedy(code).into(),
        }
    }

    /// The gateway granted no scope to read the roster to a client that requested `asked`.
    pub(super) fn no_read_scope(asked: &[Box<str>]) -> Self {
        if scope::is_satisfied(asked, scope::READ) {
            return Self::new("NO_READ_SCOPE", "the gateway granted no scope to read the roster");
        }
        let message = "this client did not request a scope to read the roster";
        Self {
            remedy: "Request operator.read.".into(),
            ..Self::new("NO_READ_SCOPE", message)
        }
    }

    /// Reads the `error` of a response; the verdict applies if it answers `connect`.
    pub(super) fn of_error(error: Option<&RawValue>) -> (Self, Verdict) {
        let names = ["code", "message", "retryable", "retryAfterMs", "details"];
        let [own_code, message, retryable, after_ms, details] = inner(error, names);
        let names = ["code", "requestId", "recommendedNextStep", "expectedProtocol"];
        let [detail_code, request_id, next_step, expected] = inner(details, names);
        let message = message.and_then(string);
        let message = message.as_deref().unwrap_or("the gateway gave no reason");
        let own_code = own_code.and_then(string);
        let detail_code = detail_code.and_then(string);
        let stated = detail_code.as_deref().or(own_code.as_deref());
        // Gateways of protocol 3 send only a message.
        let code = match stated {
            None | Some("INVALID_REQUEST" | "NOT_PAIRED") => code_of_words(message).or(stated),
            stated => stated,
        };
        let code = code.unwrap_or("REFUSED");
        let mut problem = Self::new(code, message);
        if let Some(request) = request_id.and_then(string) {
            problem.remedy = format!("{} The request's id is {request}.", problem.remedy).into();
        }
        let is_retryable = own_code.as_deref() == Some(UNAVAILABLE)
            || next_step.and_then(string).as_deref() == Some("wait_then_retry")
            || retryable.and_then(boolean) == Some(true);
        let wait_ms = wait_ms(code).or_else(|| is_retryable.then_some(0));
        let expected = expected
            .and_then(integer)
            .and_then(|number| u32::try_from(number).ok());
        let verdict = match (code, expected, wait_ms) {
            ("PROTOCOL_MISMATCH", Some(number), _)
                if (OLDEST_PROTOCOL..=NEWEST_PROTOCOL).contains(&number) =>
            {
                Verdict::Speak(number)
            }
            ("PROTOCOL_MISMATCH", _, _) | (_, _, None) => Verdict::Stop,
            (_, _, Some(wait_ms)) => Verdict::Retry {
                after_ms: after_ms
                    .and_then(integer)
                    .map_or(wait_ms, |ms| ms.min(MAX_RETRY_AFTER_MS)),
            },
        };
        (problem, verdict)
    }

    /// Describes the close of a socket, or its failure to open.
    pub(super) fn of_close(code: u16, reason: &str) -> (Self, Verdict) {
        if code == 4001 {
            let message = if reason.is_empty() {
                "credentials revoked"
            } else {
                reason
            };
            return (Self::new("CREDENTIALS_REVOKED", message), Verdict::Stop);
        }
        // The answer to `connect` is more specific, but may be lost.
        // Calls of the other role are no refusal of the secret, though the words are those of one.
        if matches!(code, 1002 | 1008)
            && reason != CloseFrame::REPEATED_UNAUTHORIZED.reason
            && let Some(stated) = code_of_words(reason)
        {
            let verdict = wait_ms(stated).map_or(Verdict::Stop, |after_ms| Verdict::Retry { after_ms });
            return (Self::new(stated, reason), verdict);
        }
        let words = match code {
            1000 | 1005 => "the gateway closed the connection",
            1001 => "the gateway went away",
            1006 => "no connection to the gateway",
            1012 => "the gateway restarts",
            1013 => "the gateway asks to try again later",
            _ => "the connection was closed",
        };
        let message = match reason {
            "" => format!("{words} ({code})"),
            reason => format!("{words} ({code} {reason})"),
        };
        (
            Self::new(&format!("CLOSED_{code}"), &message),
            Verdict::Retry { after_ms: 0 },
        )
    }
}

/// Returns the delay after a refusal with this code, in ms; `None` if a retry would not help.
fn wait_ms(code: &str) -> Option<u64> {
    match code {
        "AUTH_RATE_LIMITED" => Some(RATE_LIMIT_MS),
        // Throttled, starting, or signed before a suspension; the next attempt gets a new challenge.
        UNAVAILABLE | "DEVICE_AUTH_SIGNATURE_EXPIRED" | "DEVICE_AUTH_NONCE_MISMATCH" => Some(0),
        _ => None,
    }
}

/// Returns the code for a refusal with only a message, for gateways of both generations.
fn code_of_words(message: &str) -> Option<&'static str> {
    const WORDS: [(&str, &str); 19] = [
        ("protocol mismatch", "PROTOCOL_MISMATCH"),
        ("gateway token missing", "AUTH_TOKEN_MISSING"),
        ("gateway token mismatch", "AUTH_TOKEN_MISMATCH"),
        ("gateway password missing", "AUTH_PASSWORD_MISSING"),
        ("gateway password mismatch", "AUTH_PASSWORD_MISMATCH"),
        ("too many failed authentication", "AUTH_RATE_LIMITED"),
        // The secret was right, but permits another role.
        ("unauthorized role", "INVALID_REQUEST"),
        ("unauthorized", "AUTH_UNAUTHORIZED"),
        ("pairing required", "PAIRING_REQUIRED"),
        ("control ui requires", "CONTROL_UI_DEVICE_IDENTITY_REQUIRED"),
        ("device identity required", "DEVICE_IDENTITY_REQUIRED"),
        ("device identity mismatch", "DEVICE_AUTH_DEVICE_ID_MISMATCH"),
        ("device signature invalid", "DEVICE_AUTH_SIGNATURE_INVALID"),
        ("device signature expired", "DEVICE_AUTH_SIGNATURE_EXPIRED"),
        ("device nonce", "DEVICE_AUTH_NONCE_MISMATCH"),
        ("device public key invalid", "DEVICE_AUTH_PUBLIC_KEY_INVALID"),
        ("origin not allowed", "CONTROL_UI_ORIGIN_NOT_ALLOWED"),
        ("invalid connect params", "INVALID_CONNECT_PARAMS"),
        ("missing scope", "MISSING_SCOPE"),
    ];
    WORDS
        .iter()
        .find(|(words, _)| holds(message, words))
        .map(|&(_, code)| code)
}

/// Like `str::contains`, at a fraction of its code size; for short texts.
fn holds(text: &str, words: &str) -> bool {
    text.as_bytes()
        .windows(words.len())
        .any(|window| window == words.as_bytes())
}

/// Returns what a person can do about it.
fn remedy(code: &str) -> &'static str {
    match code {
        "PROTOCOL_MISMATCH" => "Update this client or the gateway: they have no protocol in common.",
        "AUTH_TOKEN_MISSING" => "Give this gateway's token.",
        "AUTH_PASSWORD_MISSING" => "Give this gateway's password.",
        "AUTH_TOKEN_MISMATCH" | "AUTH_PASSWORD_MISMATCH" | "AUTH_UNAUTHORIZED" => {
            "Give the token or password that this gateway is configured with."
        }
        "AUTH_RATE_LIMITED" => "Check the token; the client retries when the gateway allows it.",
        "CREDENTIALS_REVOKED" => {
            "The gateway's secret was changed or this client was revoked: give the new one."
        }
        "PAIRING_REQUIRED" => "Approve this device on the gateway's machine: openclaw devices approve.",
        "DEVICE_IDENTITY_REQUIRED" | "CONTROL_UI_DEVICE_IDENTITY_REQUIRED" => {
            "Use a device key: in browsers that needs a page from https or localhost."
        }
        "CONTROL_UI_ORIGIN_NOT_ALLOWED" => "Allow this page's origin in the gateway's configuration.",
        "DEVICE_AUTH_DEVICE_ID_MISMATCH"
        | "DEVICE_AUTH_SIGNATURE_INVALID"
        | "DEVICE_AUTH_PUBLIC_KEY_INVALID" => "Create a new device key: the gateway rejected the stored one.",
        "INVALID_CONNECT_PARAMS" => "Use a client id and mode that this gateway accepts.",
        "NO_READ_SCOPE" => {
            "Use a device key (in browsers that needs a page from https or localhost) and request operator.read: \
             gateways clear the scopes of clients without one."
        }
        "MISSING_SCOPE" => "Request the scope, or do not use what requires it.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn judged(error: &str) -> (Problem, Verdict) {
        let error: &RawValue = serde_json::from_str(error).unwrap();
        Problem::of_error(Some(error))
    }

    #[test]
    fn refusals_of_real_gateways_are_understood() {
        let hint = "(open the dashboard URL and paste the token in Control UI settings)";
        for (error, code, verdict) in [
            // Protocol 3.
            (
                r#"{"code":"INVALID_REQUEST","message":"protocol mismatch","details":{"expectedProtocol":3}}"#,
                "PROTOCOL_MISMATCH",
                Verdict::Speak(3),
            ),
            (
                &format!(
                    r#"{{"code":"INVALID_REQUEST","message":"unauthorized: gateway token mismatch {hint}"}}"#
                ),
                "AUTH_TOKEN_MISMATCH",
                Verdict::Stop,
            ),
            (
                r#"{"code":"NOT_PAIRED","message":"device identity required"}"#,
                "DEVICE_IDENTITY_REQUIRED",
                Verdict::Stop,
            ),
            (
                r#"{"code":"NOT_PAIRED","message":"pairing required","details":{"requestId":"r-1"}}"#,
                "PAIRING_REQUIRED",
                Verdict::Stop,
            ),
            (
                r#"{"code":"INVALID_REQUEST","message":"device signature expired"}"#,
                "DEVICE_AUTH_SIGNATURE_EXPIRED",
                Verdict::Retry { after_ms: 0 },
            ),
            // Protocol 4.
            (
                r#"{"code":"INVALID_REQUEST","message":"x","details":{"code":"PROTOCOL_MISMATCH","expectedProtocol":5}}"#,
                "PROTOCOL_MISMATCH",
                Verdict::Stop,
            ),
            (
                r#"{"code":"INVALID_REQUEST","message":"x","details":{"code":"AUTH_TOKEN_MISSING"}}"#,
                "AUTH_TOKEN_MISSING",
                Verdict::Stop,
            ),
            (
                r#"{"code":"INVALID_REQUEST","message":"x","details":{"code":"AUTH_RATE_LIMITED"},"retryable":true,
                    "retryAfterMs":300000}"#,
                "AUTH_RATE_LIMITED",
                Verdict::Retry { after_ms: 300_000 },
            ),
            (
                r#"{"code":"UNAVAILABLE","message":"gateway starting","retryable":true,"retryAfterMs":500,
                    "details":{"reason":"startup-sidecars"}}"#,
                "UNAVAILABLE",
                Verdict::Retry { after_ms: 500 },
            ),
            // Sent by our own gateway after too many wrong secrets from this address.
            (
                r#"{"code":"UNAVAILABLE","message":"unauthorized: too many failed authentication attempts (x)",
                    "retryable":true,"retryAfterMs":2900}"#,
                "UNAVAILABLE",
                Verdict::Retry { after_ms: 2_900 },
            ),
            (
                r#"{"code":"UNAVAILABLE","message":"x","details":{"code":"SOMETHING_NEW"},"retryable":false}"#,
                "SOMETHING_NEW",
                Verdict::Retry { after_ms: 0 },
            ),
            (
                r#"{"code":"NOT_PAIRED","message":"x","details":{"code":"PAIRING_REQUIRED",
                    "recommendedNextStep":"wait_then_retry"}}"#,
                "PAIRING_REQUIRED",
                Verdict::Retry { after_ms: 0 },
            ),
            ("{}", "REFUSED", Verdict::Stop),
        ] {
            let (problem, judged) = judged(error);
            assert_eq!((&*problem.code, judged), (code, verdict), "{error}");
        }
    }

    #[test]
    fn a_pairing_request_is_named() {
        let error = r#"{"code":"NOT_PAIRED","message":"pairing required","details":{"requestId":"r-1"}}"#;
        let (problem, _) = judged(error);
        assert!(
            problem
                .to_string()
                .ends_with("devices approve. The request's id is r-1."),
            "{problem}"
        );
    }

    #[test]
    fn close_codes_decide_between_stop_and_retry() {
        let retry = Verdict::Retry { after_ms: 0 };
        for (code, reason, stated, verdict) in [
            (1000, "", "CLOSED_1000", retry),
            (1001, "ping timeout", "CLOSED_1001", retry),
            (1006, "", "CLOSED_1006", retry),
            (1012, "service restart", "CLOSED_1012", retry),
            (1013, "gateway starting", "CLOSED_1013", retry),
            (
                1013,
                "unauthorized: too many failed authentication attempts",
                "CLOSED_1013",
                retry,
            ),
            (1008, "slow consumer", "CLOSED_1008", retry),
            (1008, "handshake timeout", "CLOSED_1008", retry),
            (1008, "repeated unauthorized calls", "CLOSED_1008", retry),
            (1008, "unauthorized", "AUTH_UNAUTHORIZED", Verdict::Stop),
            (1008, "unauthorized role: node", "INVALID_REQUEST", Verdict::Stop),
            (
                1008,
                "unauthorized: gateway password mismatch",
                "AUTH_PASSWORD_MISMATCH",
                Verdict::Stop,
            ),
            (
                1008,
                "pairing required: not-paired",
                "PAIRING_REQUIRED",
                Verdict::Stop,
            ),
            (1002, "protocol mismatch", "PROTOCOL_MISMATCH", Verdict::Stop),
            (4001, "", "CREDENTIALS_REVOKED", Verdict::Stop),
        ] {
            let (problem, judged) = Problem::of_close(code, reason);
            assert_eq!((&*problem.code, judged), (stated, verdict), "{code} {reason}");
        }
    }
}
