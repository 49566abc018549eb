//! Each threat of SECURITY.md names a bound and a test, and both exist. So do the tests of the attacks that were tried.
#![expect(clippy::panic, reason = "a failed expectation is a failed test")]

use std::fs;

use presence_conformance::sources::root;

/// The columns of the table of threats.
const COLUMNS: usize = 5;
/// How a bound begins that is not a number.
const NO_BOUND: &str = "none needed: ";
const VECTORS: &str = "tests/vectors/";

#[test]
fn every_threat_names_a_bound_and_a_test_that_exist() {
    let text = read("SECURITY.md");
    let options = read("native/src/cli/options/serve.rs");
    let (_, threats) = text.split_once("## Threats").unwrap();
    let (threats, _) = threats.split_once("\n## ").unwrap();
    let mut table = threats.lines().filter(|line| line.starts_with('|'));
    assert_eq!(
        table.next(),
        Some("| who | what they try | what stops them | bound | test |")
    );
    let rows: Vec<&str> = table.skip(1).collect();
    assert!(rows.len() > 40, "the table is not recognised");
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), COLUMNS, "{row}");
        let bounds = named(cells[3]);
        assert!(
            !bounds.is_empty() || cells[3].starts_with(NO_BOUND),
            "no bound: {row}"
        );
        let tests = existing_tests(cells[4]);
        for (file, bound) in bounds {
            if let Some(option) = bound.strip_prefix("--") {
                let member = format!("pub {}: ", option.replace('-', "_"));
                assert!(options.contains(&member), "there is no option `{bound}`");
                continue;
            }
            let source = read(file);
            assert!(
                source.contains(&format!("const {bound}: ")),
                "{file} has no bound `{bound}`"
            );
            let is_used =
                |file: &str| file.starts_with(VECTORS) || has_word(code_of_tests(&read(file)), bound);
            assert!(
                tests.iter().any(|(file, _)| is_used(file)),
                "the tests of this row do not use `{bound}`: {row}"
            );
        }
    }
}

#[test]
fn every_attack_names_tests_that_exist() {
    let text = read("native/tests/abuse/README.md");
    let (mut is_table, mut has_tests, mut rows) = (false, false, 0);
    for line in text.lines() {
        let was_table = std::mem::replace(&mut is_table, line.starts_with('|'));
        let last = line.trim_end_matches('|').rsplit('|').next().unwrap_or("").trim();
        if !is_table || last.starts_with("---") {
            continue;
        }
        if !was_table {
            has_tests = last.starts_with("test");
        } else if has_tests {
            existing_tests(last);
            rows += 1;
        }
    }
    assert!(rows > 50, "the tables are not recognised: {rows} rows");
}

/// The tests that a cell names, each with its file.
fn existing_tests(cell: &str) -> Vec<(&str, &str)> {
    let tests = named(cell);
    assert!(!tests.is_empty(), "no test: {cell}");
    for (file, test) in &tests {
        assert!(has_test(file, test), "{file} has no test `{test}`");
    }
    tests
}

/// The names in a cell, each with the file before it; options have no file.
fn named(cell: &str) -> Vec<(&str, &str)> {
    let mut names: Vec<(&str, &str)> = Vec::new();
    let (mut file, mut has_name) = ("", true);
    for span in cell.split('`').skip(1).step_by(2) {
        if span.contains('/') {
            assert!(has_name, "nothing of {file} is named");
            (file, has_name) = (span, false);
        } else {
            assert!(!file.is_empty() || span.starts_with("--"), "`{span}` has no file");
            names.push((file, span));
            has_name = true;
        }
    }
    assert!(has_name, "nothing of {file} is named");
    names
}

/// Whether the file has the test, or the vector, of this name.
fn has_test(file: &str, name: &str) -> bool {
    let text = read(file);
    if file.starts_with(VECTORS) {
        return text.contains(&format!("\"name\": \"{name}\""));
    }
    let Some((before, _)) = text.split_once(&format!("fn {name}(")) else {
        return false;
    };
    let attributes = before.lines().rev().skip(usize::from(!before.ends_with('\n')));
    let mut attributes = attributes.take_while(|line| line.trim().starts_with('#'));
    attributes.any(|line| line.contains("test"))
}

/// The part of a source that is tests.
fn code_of_tests(text: &str) -> &str {
    text.split_once("#[cfg(test)]\nmod tests {")
        .map_or(text, |(_, tests)| tests)
}

/// Whether the code uses the word; comments do not count.
fn has_word(text: &str, word: &str) -> bool {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .any(|part| part == word)
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
