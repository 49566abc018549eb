//! Sources as text, for tests about the code itself.
#![expect(clippy::unwrap_used, reason = "sources that cannot be read are a failed test")]

use std::path::{Path, PathBuf};

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All of the core that is compiled into products, without comments and strings.
///
/// # Panics
/// If a file cannot be read.
#[must_use]
pub fn core_sources() -> Vec<(PathBuf, String)> {
    sources_in("core/src")
}

/// All Rust files of a folder of the repository but unit tests, without comments and strings.
///
/// # Panics
/// If a file cannot be read.
#[must_use]
pub fn sources_in(folder: &str) -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.file_stem().is_some_and(|stem| stem == "tests") {
                continue; // Unit tests may use what they like.
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let code = code_only(&std::fs::read_to_string(&path).unwrap());
                sources.push((path, code));
            }
        }
    }
    sources.sort();
    sources
}

/// The source without comments, literals and lifetimes, line by line, up to the unit tests.
#[must_use]
pub fn code_only(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("#[cfg(test)]")
            && rest["#[cfg(test)]".len()..]
                .trim_start()
                .starts_with("mod tests {")
        {
            break;
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if c == '"' {
            quoted(rest, '"')
        } else if c == '\'' {
            character_or_lifetime(rest)
        } else if let Some(length) = raw_string(rest).filter(|_| !code.ends_with(is_word)) {
            length
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        code.extend(rest[..skipped].matches('\n'));
        rest = &rest[skipped..];
    }
    code
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += rest.chars().next().map_or(0, char::len_utf8);
        }
        if depth == 0 || at >= text.len() {
            return at;
        }
    }
}

fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !is_escaped {
            return at + 1;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    text.len()
}

fn character_or_lifetime(text: &str) -> usize {
    let mut inner = text.chars().skip(1);
    let (first, second) = (inner.next(), inner.next());
    if first == Some('\\') || second == Some('\'') {
        return quoted(text, '\'');
    }
    1 + text[1..].find(|c| !is_word(c)).unwrap_or(text.len() - 1)
}

fn raw_string(text: &str) -> Option<usize> {
    let marks = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = marks.len() - marks.trim_start_matches('#').len();
    let body = marks[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end)? + end.len();
    Some(text.len() - body.len() + length)
}

/// The words of a line of code.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_word(c)).filter(|word| !word.is_empty())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
