//! Plain HTTP requests and WebSocket upgrades: a strict reader of RFC 9112 accepts every request that the gateway
//! accepts, and the answers show that both read the same requests.

use crate::gateway::request;

/// Sends the bytes as a request and checks the answer.
///
/// # Panics
/// When the answer is not HTTP, or the gateway accepts a request that the strict reader refuses.
pub fn run(data: &[u8]) {
    let answer = request(data);
    if answer.is_empty() {
        // The request was incomplete.
        return;
    }
    let head = String::from_utf8_lossy(&answer);
    // A client of HTTP/1.0 is answered in its version.
    let status = head
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| head.strip_prefix("HTTP/1.0 "))
        .and_then(|rest| rest.get(..3));
    let status: u16 = status.and_then(|status| status.parse().ok()).expect("a status");
    match status {
        100 | 101 | 200 | 304 | 401 | 403 | 404 | 405 | 411 | 413 | 426 | 429 => {
            let strict = strict(data);
            assert!(
                strict.is_ok(),
                "{status} for {strict:?}: {:?}",
                String::from_utf8_lossy(data)
            );
        }
        400 | 408 | 431 | 503 => {
            // The text of a refusal may name the version; only in a status line a number follows it.
            let answers = head.split("HTTP/1.1 ").skip(1);
            let answers = answers.filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            assert_eq!(answers.count(), 1, "nothing follows a refusal: {head}");
        }
        other => panic!("status {other}"),
    }
}

/// Reads the first head of a request as strictly as the RFC allows.
fn strict(data: &[u8]) -> Result<(), &'static str> {
    let mut data = data;
    while let Some(rest) = data.strip_prefix(b"\r\n") {
        data = rest;
    }
    let end = data
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .ok_or("no end")?;
    let head = &data[..end];
    let lines: Vec<&[u8]> = split(head)?;
    let (first, headers) = lines.split_first().ok_or("no line")?;
    let [method, target, version] = first.split(|byte| *byte == b' ').collect::<Vec<_>>()[..] else {
        return Err("not three words");
    };
    if method.is_empty() || !method.iter().all(|byte| is_token(*byte)) || target.is_empty() {
        return Err("the first line");
    }
    let is_1_0 = match version {
        b"HTTP/1.1" => false,
        b"HTTP/1.0" => true,
        _ => return Err("the version"),
    };
    let (mut hosts, mut lengths, mut encodings) = (0, Vec::new(), 0);
    for line in headers {
        let colon = line.iter().position(|byte| *byte == b':').ok_or("no colon")?;
        let (name, value) = line.split_at(colon);
        if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
            return Err("a name");
        }
        match name.to_ascii_lowercase().as_slice() {
            b"host" => hosts += 1,
            b"content-length" => lengths.push(value[1..].trim_ascii()),
            b"transfer-encoding" => encodings += 1,
            _ => {}
        }
    }
    if hosts > 1 || hosts == 0 && !is_1_0 {
        return Err("the number of hosts");
    }
    let is_number = |length: &&[u8]| !length.is_empty() && length.iter().all(u8::is_ascii_digit);
    if lengths.len() > 1 || !lengths.iter().all(is_number) || encodings > 0 && (is_1_0 || !lengths.is_empty())
    {
        return Err("the length");
    }
    let has_body = encodings > 0
        || lengths
            .iter()
            .any(|length| length.iter().any(|digit| *digit != b'0'));
    if has_body && [&b"GET"[..], b"HEAD"].contains(&method) {
        return Err("a body");
    }
    Ok(())
}

/// The lines of a head, which end in CRLF. An error for other control characters, a lone CR and a lone LF.
fn split(head: &[u8]) -> Result<Vec<&[u8]>, &'static str> {
    let (mut lines, mut from) = (Vec::new(), 0);
    for (at, byte) in head.iter().enumerate() {
        match byte {
            b'\r' if head.get(at + 1) == Some(&b'\n') => {
                lines.push(&head[from..at]);
                from = at + 2;
            }
            b'\n' if at > 0 && head[at - 1] == b'\r' => {}
            b'\t' => {}
            0..=31 | 127 => return Err("a control character"),
            _ => {}
        }
    }
    lines.push(&head[from..]);
    Ok(lines)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
