//! Just enough JSON to read reports of our own tools and of Criterion.

use std::collections::BTreeMap;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    /// `null`, `true` or `false`: nothing here looks at them.
    Word,
    Number(f64),
    Text(String),
    List(Vec<Self>),
    Object(BTreeMap<String, Self>),
}

impl Json {
    /// Reads a text; `None` if it is not JSON.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let value = value(&mut rest, 0)?;
        rest.trim_start().is_empty().then_some(value)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(name),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }
}

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            letter if letter < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// Nesting beyond this is none of ours.
const MAX_DEPTH: usize = 32;

fn value(rest: &mut &str, depth: usize) -> Option<Json> {
    *rest = rest.trim_start();
    if depth > MAX_DEPTH {
        return None;
    }
    for word in ["null", "true", "false"] {
        if let Some(after) = rest.strip_prefix(word) {
            *rest = after;
            return Some(Json::Word);
        }
    }
    match rest.chars().next()? {
        '"' => text(rest).map(Json::Text),
        '[' => {
            let mut items = Vec::new();
            separated(rest, ']', |rest| {
                items.push(value(rest, depth + 1)?);
                Some(())
            })?;
            Some(Json::List(items))
        }
        '{' => {
            let mut members = BTreeMap::new();
            separated(rest, '}', |rest| {
                *rest = rest.trim_start();
                let name = text(rest)?;
                *rest = rest.trim_start().strip_prefix(':')?;
                members.insert(name, value(rest, depth + 1)?);
                Some(())
            })?;
            Some(Json::Object(members))
        }
        _ => {
            let end = rest
                .find(|letter: char| !matches!(letter, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
                .unwrap_or(rest.len());
            let (number, after) = rest.split_at(end);
            *rest = after;
            number.parse().ok().map(Json::Number)
        }
    }
}

/// What stands between a bracket, which is next, and its end, parted by commas.
fn separated<'a>(
    rest: &mut &'a str,
    end: char,
    mut item: impl FnMut(&mut &'a str) -> Option<()>,
) -> Option<()> {
    *rest = rest[1..].trim_start();
    if let Some(after) = rest.strip_prefix(end) {
        *rest = after;
        return Some(());
    }
    loop {
        item(rest)?;
        *rest = rest.trim_start();
        let next = rest.chars().next()?;
        *rest = &rest[next.len_utf8()..];
        match next {
            ',' => {}
            next if next == end => return Some(()),
            _ => return None,
        }
    }
}

fn text(rest: &mut &str) -> Option<String> {
    let mut letters = rest.strip_prefix('"')?.chars();
    let mut out = String::new();
    loop {
        match letters.next()? {
            '"' => break,
            '\\' => out.push(match letters.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'u' => {
                    let digits: String = letters.by_ref().take(4).collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).ok()?).unwrap_or('\u{fffd}')
                }
                other => other,
            }),
            letter => out.push(letter),
        }
    }
    *rest = letters.as_str();
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_our_tools_write_is_read() {
        let text =
            r#" {"label":"a \"b\"","figures":[{"name":"x.y","value":-1.5e2,"unit":"ms"},{}],"n":null} "#;
        let json = Json::parse(text).expect("JSON");
        assert_eq!(json.get("label").and_then(Json::text), Some("a \"b\""));
        let figures = json.get("figures").map(Json::list).expect("figures");
        assert_eq!(figures.len(), 2);
        assert_eq!(figures[0].get("value").and_then(Json::number), Some(-150.0));
        assert_eq!(json.get("n"), Some(&Json::Word));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["", "a\"b\\c", "é\n\u{1}"] {
            assert_eq!(Json::parse(&quoted(text)), Some(Json::Text(text.to_owned())));
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "{", "[1,]", "{\"a\"}", "1 2", "nul", "\"a", &"[".repeat(100)] {
            assert_eq!(Json::parse(text), None, "{text}");
        }
    }
}
