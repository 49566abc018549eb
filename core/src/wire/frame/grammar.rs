//! Whether a text is JSON by the grammar alone.
//!
//! `serde_json` also refuses what a Rust value cannot hold: half a surrogate pair, numbers beyond
//! `f64`, deep nesting. JavaScript accepts those, so a client may send them; they make an invalid
//! frame, while a text that breaks the grammar is ignored. This scanner tells the two apart. It runs
//! only on texts that `serde_json` refused, takes one pass and does not recurse.

use alloc::string::String;
use alloc::vec::Vec;

/// A text that follows the grammar.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scan {
    /// The last member `id` of the outermost object, if it is a string that can be held.
    pub(super) id: Option<String>,
}

/// Scans `text`; `None` when it is not JSON.
pub(super) fn scan(text: &str) -> Option<Scan> {
    let mut scanner = Scanner {
        text,
        at: 0,
        open: Vec::new(),
        id: None,
    };
    scanner.value()?;
    let id = scanner
        .id
        .and_then(|(start, end)| serde_json::from_str(text.get(start..end)?).ok());
    Some(Scan { id })
}

#[derive(Clone, Copy, PartialEq)]
enum Container {
    Array,
    Object,
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// The containers around the place, outermost first: at most one per byte of the text.
    open: Vec<Container>,
    /// Where the value of the outermost object's `id` begins and ends.
    id: Option<(usize, usize)>,
}

impl Scanner<'_> {
    /// The whole text: one value between blanks.
    fn value(&mut self) -> Option<()> {
        let mut names_id = false;
        loop {
            self.blanks();
            let start = self.at;
            match self.peek()? {
                b'{' => {
                    self.at += 1;
                    self.open.push(Container::Object);
                    if !self.closes(b'}') {
                        names_id = self.name()?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    self.open.push(Container::Array);
                    if !self.closes(b']') {
                        continue;
                    }
                }
                b'"' => {
                    self.string()?;
                    if names_id && self.is_outermost_member() {
                        self.id = Some((start, self.at));
                    }
                }
                b'-' | b'0'..=b'9' => self.number()?,
                _ => self.literal()?,
            }
            // A value is complete; it may complete the containers around it.
            loop {
                let Some(container) = self.open.last().copied() else {
                    self.blanks();
                    return (self.at == self.text.len()).then_some(());
                };
                self.blanks();
                match (self.next()?, container) {
                    (b',', Container::Array) => break,
                    (b',', Container::Object) => {
                        names_id = self.name()?;
                        break;
                    }
                    (b']', Container::Array) | (b'}', Container::Object) => {
                        self.open.pop();
                    }
                    _ => return None,
                }
            }
        }
    }

    fn is_outermost_member(&self) -> bool {
        self.open == [Container::Object]
    }

    /// `"name" :`; tells whether it is the outermost object's `id`, and forgets an earlier one.
    fn name(&mut self) -> Option<bool> {
        self.blanks();
        let start = self.at;
        self.string()?;
        let is_id = self.is_outermost_member() && &self.text[start..self.at] == "\"id\"";
        if is_id {
            self.id = None;
        }
        self.blanks();
        (self.next()? == b':').then_some(is_id)
    }

    fn string(&mut self) -> Option<()> {
        if self.next()? != b'"' {
            return None;
        }
        loop {
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => match self.next()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        for _ in 0..4 {
                            self.next().filter(u8::is_ascii_hexdigit)?;
                        }
                    }
                    _ => return None,
                },
                0..=0x1f => return None,
                _ => {}
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        self.skip(b"-");
        if !self.skip(b"0") {
            self.digits()?;
        }
        if self.skip(b".") {
            self.digits()?;
        }
        if self.skip(b"eE") {
            self.skip(b"+-");
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        self.next().filter(u8::is_ascii_digit)?;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Some(())
    }

    fn literal(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let word = ["true", "false", "null"]
            .into_iter()
            .find(|word| rest.starts_with(word))?;
        self.at += word.len();
        Some(())
    }

    /// Takes `bracket` after blanks, if it is there, and closes the innermost container.
    fn closes(&mut self, bracket: u8) -> bool {
        self.blanks();
        let closes = self.skip(&[bracket]);
        if closes {
            self.open.pop();
        }
        closes
    }

    fn blanks(&mut self) {
        while self.skip(b" \t\n\r") {}
    }

    /// Takes one byte if it is among `bytes`.
    fn skip(&mut self, bytes: &[u8]) -> bool {
        let found = self.peek().is_some_and(|byte| bytes.contains(&byte));
        self.at += usize::from(found);
        found
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn id(text: &str) -> Option<String> {
        scan(text).unwrap().id
    }

    #[test]
    fn agrees_with_serde_json_on_what_values_can_hold() {
        let texts = [
            "{}",
            "[]",
            " [ ] ",
            "{ }",
            "[[],[{}]]",
            r#"{"a":{"b":[1,2,{"c":null}]},"d":""}"#,
            "true",
            "false",
            "null",
            "\t\"x\"\r\n",
            "0",
            "-0",
            "10",
            "1.5",
            "1e5",
            "1E-5",
            "-1.25e+10",
            r#""\u00e9\n\/\\\"""#,
            "\"é\u{2028}\"",
            "[1 , 2]",
            r#"{"a" : 1 , "b" : 2}"#,
            "",
            " ",
            "{",
            "}",
            "[",
            "]",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{,}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{"a" 1}"#,
            r#"{a:1}"#,
            "{1:1}",
            "[}",
            "{]",
            "[1}",
            r#"{"a":1]"#,
            "tru",
            "True",
            "nul",
            "nulll",
            "NaN",
            "Infinity",
            "undefined",
            "+1",
            "-",
            "01",
            "1.",
            ".5",
            "1e",
            "1e+",
            "1.e5",
            "0x1",
            "--1",
            "1 2",
            "[] []",
            "\"",
            r#""\x""#,
            r#""\u12g4""#,
            r#""\u12""#,
            r#"""""#,
            "'x'",
            "\"\n\"",
            "\"\u{0}\"",
            "//",
            "/**/1",
            "\u{feff}1",
            "\u{a0}1",
            "1,",
            "1}",
            "1]",
            r#"["\"]"#,
        ];
        for text in texts {
            let held = serde_json::from_str::<Value>(text).is_ok();
            assert_eq!(scan(text).is_some(), held, "{text:?}");
        }
    }

    #[test]
    fn accepts_what_serde_json_cannot_hold() {
        for text in [
            r#""\ud800""#,
            r#"["\udc00\ud800"]"#,
            r#"{"\ud800":1}"#,
            "1e999",
            "[-1e999]",
            "[1e99999999999]",
        ] {
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
            assert!(scan(text).is_some(), "{text}");
        }
    }

    #[test]
    fn finds_the_outermost_id_only() {
        assert_eq!(id(r#"{"id":"a"}"#).as_deref(), Some("a"));
        assert_eq!(
            id(r#"{"x":{"id":"no"},"id" : "\u0061\n","y":[{"id":"no"}]}"#).as_deref(),
            Some("a\n")
        );
        assert_eq!(id(r#"{"id":"a","id":"b"}"#).as_deref(), Some("b"));
        for text in [
            r#"{"id":"a","id":5}"#,
            r#"{"id":["a"]}"#,
            r#"{"id":{"id":"a"}}"#,
            r#"[{"id":"a"}]"#,
            r#"{"x":"id","y":"z"}"#,
            r#"{"id":"\ud800"}"#,
            r#""id""#,
        ] {
            assert_eq!(id(text), None, "{text}");
        }
    }

    #[test]
    fn agrees_with_serde_json_on_mangled_frames() {
        // Every single-byte deletion and duplication of a frame that uses all of the grammar.
        let frame = r#"{"type":"req","id":"1","p":[true,null,-1.5e+3,{"a\u00e9\"":[]},0,"x"]}"#;
        for index in 0..frame.len() {
            let (before, after) = frame.split_at(index);
            let deleted = alloc::format!("{before}{}", &after[1..]);
            let doubled = alloc::format!("{before}{}{after}", &after[..1]);
            for text in [deleted, doubled] {
                assert_eq!(
                    scan(&text).is_some(),
                    serde_json::from_str::<Value>(&text).is_ok(),
                    "{text}"
                );
            }
        }
    }
}
