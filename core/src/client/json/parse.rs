//! JSON text to values (RFC 8259).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Json;

/// How deep lists and objects may be nested.
const MAX_DEPTH: u32 = 128;

/// The text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not JSON")]
pub struct NotJson;

pub(super) fn parse(text: &str) -> Result<Json, NotJson> {
    let mut parser = Parser { text, at: 0 };
    let json = parser.value(MAX_DEPTH)?;
    parser.skip_blanks();
    if parser.at == text.len() {
        Ok(json)
    } else {
        Err(NotJson)
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn value(&mut self, depth: u32) -> Result<Json, NotJson> {
        self.skip_blanks();
        match self.peek().ok_or(NotJson)? {
            b'n' => self.word("null", Json::Null),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'"' => Ok(Json::String(self.string()?)),
            b'[' => self.array(depth.checked_sub(1).ok_or(NotJson)?),
            b'{' => self.object(depth.checked_sub(1).ok_or(NotJson)?),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, NotJson> {
        if !self.rest().starts_with(word) {
            return Err(NotJson);
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Json, NotJson> {
        let start = self.at;
        self.take(b'-');
        // No zeros in front.
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'-') {
                self.take(b'+');
            }
            self.digits()?;
        }
        Ok(Json::Number(self.since(start).into()))
    }

    fn digits(&mut self) -> Result<(), NotJson> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(NotJson) }
    }

    fn array(&mut self, depth: u32) -> Result<Json, NotJson> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip_blanks();
        if self.take(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.skip_blanks();
            if self.take(b']') {
                return Ok(Json::Array(items));
            }
            self.expect(b',')?;
        }
    }

    fn object(&mut self, depth: u32) -> Result<Json, NotJson> {
        // Rows have that many; most other objects are few.
        let mut members = Vec::with_capacity(if depth < MAX_DEPTH - 1 { 16 } else { 4 });
        self.at += 1;
        self.skip_blanks();
        if self.take(b'}') {
            return Ok(Json::Object(Arc::new(members)));
        }
        loop {
            self.skip_blanks();
            let name = self.string()?;
            self.skip_blanks();
            self.expect(b':')?;
            members.push((name, self.value(depth)?));
            self.skip_blanks();
            if self.take(b'}') {
                return Ok(Json::Object(Arc::new(members)));
            }
            self.expect(b',')?;
        }
    }

    fn string(&mut self) -> Result<Box<str>, NotJson> {
        self.expect(b'"')?;
        let mut string = String::new();
        let mut copied = self.at;
        loop {
            self.at += self.plain_bytes();
            match self.peek().ok_or(NotJson)? {
                b'"' => {
                    let rest = self.since(copied);
                    // Few strings have anything escaped.
                    let done = if string.is_empty() {
                        rest.into()
                    } else {
                        (string + rest).into()
                    };
                    self.at += 1;
                    return Ok(done);
                }
                b'\\' => {
                    string.push_str(self.since(copied));
                    self.at += 1;
                    string.push(self.escaped()?);
                    copied = self.at;
                }
                _ => return Err(NotJson),
            }
        }
    }

    /// How many bytes from here on stand for themselves in a string.
    fn plain_bytes(&self) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let is_special = |&byte: &u8| matches!(byte, b'"' | b'\\' | 0..b' ');
        rest.iter().position(is_special).unwrap_or(rest.len())
    }

    /// What stands after a backslash.
    fn escaped(&mut self) -> Result<char, NotJson> {
        let kind = self.peek().ok_or(NotJson)?;
        self.at += 1;
        Ok(match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit(self.at).ok_or(NotJson)?;
                self.at += 4;
                let low = match unit {
                    0xd800..=0xdbff if self.rest().starts_with("\\u") => self.unit(self.at + 2),
                    _ => None,
                };
                match low {
                    Some(low @ 0xdc00..=0xdfff) => {
                        self.at += 6;
                        let pair = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                        char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER)
                    }
                    // `from_u32` knows no half of a pair.
                    _ => char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER),
                }
            }
            _ => return Err(NotJson),
        })
    }

    /// Four hexadecimal digits.
    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)
    }

    /// What was passed from `start` to here. Never fails: both are between characters.
    fn since(&self, start: usize) -> &str {
        self.text.get(start..self.at).unwrap_or("")
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), NotJson> {
        if self.take(byte) { Ok(()) } else { Err(NotJson) }
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_it = self.peek() == Some(byte);
        self.at += usize::from(is_it);
        is_it
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}
