//! HTTP responses as bytes.

use std::time::{Duration, SystemTime};

use ::http::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, UPGRADE};
use ::http::{HeaderName, Response, StatusCode};
use bytes::Bytes;
use presence_core::Now;

/// A response with its whole body.
pub(crate) type Answer = Response<Bytes>;

/// Returns a response with this content type.
pub(crate) fn with_type(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// Returns a response in plain text.
pub(crate) fn text(status: StatusCode, body: impl Into<String>) -> Answer {
    with_type(status, "text/plain; charset=utf-8", Bytes::from(body.into()))
}

/// Returns the bytes of a refusal, which ends the connection.
pub(crate) fn refusal(status: StatusCode, body: impl Into<String>, now: Now) -> Vec<u8> {
    let mut answer = text(status, body);
    let headers = answer.headers_mut();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if status == StatusCode::UPGRADE_REQUIRED {
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(
            HeaderName::from_static("sec-websocket-version"),
            HeaderValue::from_static("13"),
        );
    }
    let mut bytes = head(&answer, true, now);
    bytes.extend_from_slice(answer.body());
    bytes
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

/// Returns the head of a response, with the headers that depend on the body and the connection.
pub(crate) fn head(answer: &Answer, is_last: bool, now: Now) -> Vec<u8> {
    let status = answer.status();
    let mut head = format!(
        "HTTP/1.1 {} {}\r\ndate: {}\r\n",
        status.as_u16(),
        status.canonical_reason().unwrap_or(""),
        httpdate::fmt_http_date(date(now)),
    )
    .into_bytes();
    for (name, value) in answer.headers() {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.extend_from_slice(part);
        }
    }
    // A 304 has no body, and its length would be that of the file.
    if status != StatusCode::NOT_MODIFIED {
        head.extend_from_slice(format!("content-length: {}\r\n", answer.body().len()).as_bytes());
    }
    if is_last {
        head.extend_from_slice(format!("{CONNECTION}: close\r\n").as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    head
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
    fn an_answer_as_bytes() {
        let bytes = refusal(StatusCode::UPGRADE_REQUIRED, "why\n", NOW);
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "HTTP/1.1 426 Upgrade Required\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
             content-type: text/plain; charset=utf-8\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             content-length: 4\r\nconnection: close\r\n\r\nwhy\n"
        );
    }

    #[test]
    fn every_clock_has_a_date() {
        for wall_ms in [0, u64::MAX] {
            assert!(!httpdate::fmt_http_date(date(Now { age_ms: 0, wall_ms })).is_empty());
        }
    }
}
