//! JSON text to values (RFC 8259).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Json;
use super::members::Members;
use super::row_text::{Origin, RowText, Span};
use super::scan::{Scan, plain_until};

/// How deep lists and objects may be nested.
const MAX_DEPTH: u32 = 128;
/// Rows of more members are cut elsewhere, as values.
const MAX_SPANS: usize = 64;

/// The text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not JSON")]
pub struct NotJson;

/// Parses JSON text; rows of presence lists stay text if it is the frame with that number.
pub(super) fn parse(text: &str, frame: Option<u64>) -> Result<Json, NotJson> {
    let mut parser = Parser {
        text,
        at: 0,
        frame: frame.unwrap_or(0),
        spans: Vec::new(),
    };
    let json = parser.value(MAX_DEPTH, frame.map_or(Place::Other, |_| Place::Frame))?;
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
    frame: u64,
    /// Of the row at hand.
    spans: Vec<Span>,
}

/// What is expected where the parser is; the numbers are [`Origin::PLACES`].
#[derive(Clone, Copy)]
enum Place {
    Frame,
    Payload,
    /// The snapshot of a hello, whose rows are at this place.
    Snapshot(u32),
    /// A list of rows or of upserts.
    List(u32),
    Row(Origin),
    Upsert(Origin),
    Other,
}

impl Place {
    /// The place of the member called `name`.
    fn member(self, name: &str) -> Self {
        match (self, name) {
            (Self::Frame, "payload") => Self::Payload,
            (Self::Frame, "presence") => Self::List(1),
            (Self::Frame, "snapshot") => Self::Snapshot(4),
            (Self::Frame, "upserts") => Self::List(Origin::UPSERTS),
            (Self::Payload, "presence") => Self::List(3),
            (Self::Payload, "snapshot") => Self::Snapshot(5),
            (Self::Payload, "upserts") => Self::List(Origin::UPSERTS + 1),
            (Self::Snapshot(place), "presence") => Self::List(place),
            (Self::Upsert(origin), "entry") => Self::Row(origin),
            _ => Self::Other,
        }
    }

    /// The place of an item of a list in frame number `frame`.
    fn item(self, frame: u64, index: usize) -> Self {
        let (place, index) = match (self, u32::try_from(index)) {
            (Self::Frame, Ok(index)) => (0, index),
            (Self::Payload, Ok(index)) => (2, index),
            (Self::List(place), Ok(index)) => (place, index),
            _ => return Self::Other,
        };
        let origin = Origin { frame, place, index };
        if place < Origin::UPSERTS {
            Self::Row(origin)
        } else {
            Self::Upsert(origin)
        }
    }
}

impl Parser<'_> {
    fn value(&mut self, depth: u32, place: Place) -> Result<Json, NotJson> {
        self.skip_blanks();
        match self.peek().ok_or(NotJson)? {
            b'n' => self.word("null", Json::Null),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'"' => Ok(Json::String(self.string()?)),
            b'[' => self.array(depth.checked_sub(1).ok_or(NotJson)?, place),
            b'{' => self.object(depth.checked_sub(1).ok_or(NotJson)?, place),
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

    fn array(&mut self, depth: u32, place: Place) -> Result<Json, NotJson> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip_blanks();
        if self.take(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth, place.item(self.frame, items.len()))?);
            self.skip_blanks();
            if self.take(b']') {
                return Ok(Json::Array(items));
            }
            self.expect(b',')?;
        }
    }

    fn object(&mut self, depth: u32, place: Place) -> Result<Json, NotJson> {
        if let Place::Row(origin) = place
            && let Some(row) = self.row(depth, origin)
        {
            return Ok(Json::Object(Arc::new(row.into())));
        }
        // Rows have that many; most other objects are few.
        let mut members = Vec::with_capacity(if depth < MAX_DEPTH - 1 { 16 } else { 4 });
        self.at += 1;
        self.skip_blanks();
        if self.take(b'}') {
            return Ok(Json::Object(Arc::new(Members::from(members))));
        }
        loop {
            self.skip_blanks();
            let name = self.string()?;
            self.skip_blanks();
            self.expect(b':')?;
            let value = self.value(depth, place.member(&name))?;
            members.push((name, value));
            self.skip_blanks();
            if self.take(b'}') {
                return Ok(Json::Object(Arc::new(Members::from(members))));
            }
            self.expect(b',')?;
        }
    }

    /// A row that is written as this crate writes: anything else, mistakes included, is for [`object`](Self::object).
    fn row(&mut self, depth: u32, origin: Origin) -> Option<RowText> {
        let row = self.at;
        let mut scan = Scan {
            bytes: self.text.as_bytes(),
            at: row + 1,
        };
        self.spans.clear();
        loop {
            let start = scan.at;
            scan.string()?;
            let colon = scan.at;
            if scan.peek() != b':' {
                return None;
            }
            scan.at += 1;
            scan.value(depth)?;
            self.spans.push(Span {
                start: start - row,
                colon: colon - row,
                end: scan.at - row,
            });
            let byte = scan.peek();
            scan.at += 1;
            if byte == b'}' {
                break;
            }
            if byte != b',' || self.spans.len() > MAX_SPANS {
                return None;
            }
        }
        self.at = scan.at;
        Some(RowText::new(self.since(row), &self.spans, origin))
    }

    fn string(&mut self) -> Result<Box<str>, NotJson> {
        self.expect(b'"')?;
        let mut string = String::new();
        let mut copied = self.at;
        loop {
            self.at = plain_until(self.text.as_bytes(), self.at);
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
