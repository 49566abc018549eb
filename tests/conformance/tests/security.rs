//! The bounds and tests that SECURITY.md names exist.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::fs;
use std::path::Path;

use presence_conformance::sources::root;

/// The columns of the table of threats.
const COLUMNS: usize = 5;

#[test]
fn every_threat_names_a_test_and_every_name_exists() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let (_, threats) = text.split_once("## Threats").unwrap();
    let rows: Vec<Vec<&str>> = threats
        .lines()
        .filter(|line| line.starts_with("| a ") || line.starts_with("| who"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .skip(1)
        .collect();
    assert!(rows.len() > 15, "the table is not recognised");
    let sources = sources();
    let options = fs::read_to_string(root().join("native/src/cli/options/serve.rs")).unwrap();
    for row in &rows {
        assert_eq!(row.len(), COLUMNS, "{row:?}");
        for bound in spans(row[3]) {
            let exists = match bound.strip_prefix("--") {
                Some(option) => options.contains(&format!("pub {}: ", option.replace('-', "_"))),
                None => sources.contains(&format!("const {bound}: ")),
            };
            assert!(exists, "SECURITY.md: there is no bound `{bound}`");
        }
        let is_test = |name: &str| !name.contains('/') || name.starts_with("tests/vectors/");
        assert!(spans(row[4]).any(is_test), "SECURITY.md: no test for {}", row[1]);
        let mut file = String::new();
        for name in spans(row[4]) {
            if name.contains('/') {
                file =
                    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            } else {
                assert!(
                    file.contains(&format!("fn {name}(")),
                    "SECURITY.md: there is no test `{name}`"
                );
            }
        }
    }
}

/// The code spans of a text.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The sources of the core and of the gateway, joined.
fn sources() -> String {
    let mut text = String::new();
    for folder in ["core/src", "native/src"] {
        add(&root().join(folder), &mut text);
    }
    text
}

fn add(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            add(&path, text);
        } else {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
