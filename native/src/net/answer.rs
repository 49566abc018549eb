//! Answers of plain HTTP, and the bytes of answers to input that is not a valid request.

use std::time::{Duration, SystemTime};

use ::http::StatusCode;
use ::http::header::CONTENT_TYPE;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use presence_core::Now;
use presence_core::wire::WireError;

/// An answer.
pub(crate) type Answer = Response;

/// JSON, as a content type.
const JSON: &str = "application/json; charset=utf-8";
/// Plain text, as a content type.
const TEXT: &str = "text/plain; charset=utf-8";

/// Returns an answer with this content type.
pub(crate) fn with_type(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Answer {
    (status, [(CONTENT_TYPE, content_type)], body.into()).into_response()
}

/// Returns an answer in plain text.
pub(crate) fn text(status: StatusCode, body: impl Into<Body>) -> Answer {
    with_type(status, TEXT, body)
}

/// Returns an answer in JSON.
pub(crate) fn json(status: StatusCode, body: impl Into<Body>) -> Answer {
    with_type(status, JSON, body)
}

/// The body of an error of the API.
fn error_text(error: &WireError) -> String {
    serde_json::json!({ "ok": false, "error": error }).to_string()
}

/// Returns an error of the API.
pub(crate) fn error(status: StatusCode, error: &WireError) -> Answer {
    json(status, error_text(error))
}

/// The answer of a gateway that stops.
pub(crate) fn stops() -> Answer {
    error(
        StatusCode::SERVICE_UNAVAILABLE,
        &WireError::unavailable("the gateway stops"),
    )
}

/// Returns the bytes of a refusal, which ends the connection. `is_api`: its body is an error of the API.
pub(crate) fn refusal(status: StatusCode, why: &str, is_api: bool, now: Now) -> Vec<u8> {
    let extra = match status {
        StatusCode::SERVICE_UNAVAILABLE => "retry-after: 1\r\n",
        StatusCode::UPGRADE_REQUIRED => "upgrade: websocket\r\nsec-websocket-version: 13\r\n",
        _ => "",
    };
    let (content_type, body) = if is_api {
        let error = match status {
            StatusCode::SERVICE_UNAVAILABLE => WireError::unavailable(why.trim_end().to_owned()),
            _ => WireError::invalid_request(why.trim_end().to_owned()),
        };
        (JSON, error_text(&error))
    } else {
        (TEXT, why.to_owned())
    };
    format!(
        "HTTP/1.1 {status}\r\ndate: {date}\r\ncontent-type: {content_type}\r\n{extra}\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}",
        date = httpdate::fmt_http_date(date(now)),
        length = body.len(),
    )
    .into_bytes()
}

/// Returns the answer that accepts a WebSocket; `key` is its `Sec-WebSocket-Accept`.
pub(crate) fn upgrade(key: &str) -> Box<[u8]> {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {key}\r\n\r\n"
    )
    .into_bytes()
    .into()
}

/// The wall clock, at most the last second of the year 9999: the format ends there.
fn date(now: Now) -> SystemTime {
    const LAST_SECOND: u64 = 253_402_300_799;
    SystemTime::UNIX_EPOCH + Duration::from_secs((now.wall_ms / 1_000).min(LAST_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now {
        age_ms: 0,
        wall_ms: 784_111_777_000,
    };

    #[test]
    fn a_refusal_as_bytes() {
        let bytes = refusal(StatusCode::UPGRADE_REQUIRED, "why\n", false, NOW);
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "HTTP/1.1 426 Upgrade Required\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
             content-type: text/plain; charset=utf-8\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             content-length: 4\r\nconnection: close\r\n\r\nwhy\n"
        );
        let bytes = refusal(StatusCode::SERVICE_UNAVAILABLE, "why\n", true, NOW);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("retry-after: 1\r\n"), "{text}");
        assert!(
            text.ends_with(r#"{"error":{"code":"UNAVAILABLE","message":"why"},"ok":false}"#),
            "{text}"
        );
    }

    #[test]
    fn every_clock_has_a_date() {
        for wall_ms in [0, u64::MAX] {
            assert!(!httpdate::fmt_http_date(date(Now { age_ms: 0, wall_ms })).is_empty());
        }
    }
}
