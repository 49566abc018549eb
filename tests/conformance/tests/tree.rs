//! The files that the documents name exist, and no Rust file is too long to be read at once.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

/// Documents whose code spans name files of this repository.
const DOCUMENTS: &[&str] = &[
    "DESIGN.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "native/tests/abuse/README.md",
];

/// Folders that hold the project's sources.
const SOURCES: &[&str] = &["core", "native", "wasm", "web-demo", "tests", "xtask"];

/// Folders that are fetched or built.
const SKIPPED: &[&str] = &["target", "node_modules", "dist", "pkg"];

/// Most lines of one Rust file. Data in JSON files is not counted.
const MAX_LINES: usize = 400;

#[test]
fn documents_name_files_that_exist() {
    let files = files();
    let mut missing = Vec::new();
    for document in DOCUMENTS {
        let text = fs::read_to_string(root().join(document)).unwrap();
        let named: Vec<&str> = paths(&text).collect();
        assert!(!named.is_empty(), "{document}: the paths are not recognised");
        for path in named {
            if !is_in(path, &files) {
                missing.push(format!("{document}: `{path}`"));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "no such file or folder:\n{}",
        missing.join("\n")
    );
}

#[test]
fn the_table_of_questions_names_full_paths_first() {
    let text = fs::read_to_string(root().join("DESIGN.md")).unwrap();
    let rows: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("| I want to |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert!(rows.len() > 20, "the table is not recognised");
    for row in rows {
        let first = paths(row).next();
        let exists = first.is_some_and(|path| root().join(path).exists());
        assert!(exists, "the first path is not one of the repository: {row}");
    }
}

#[test]
fn no_rust_file_is_too_long_to_read() {
    let long: Vec<String> = files()
        .iter()
        .filter(|path| path.ends_with(".rs"))
        .filter_map(|path| {
            let lines = fs::read_to_string(root().join(path)).unwrap().lines().count();
            (lines > MAX_LINES).then(|| format!("{path}: {lines} lines"))
        })
        .collect();
    assert!(
        long.is_empty(),
        "more than {MAX_LINES} lines:\n{}",
        long.join("\n")
    );
}

#[test]
fn a_missing_path_is_found() {
    let files = [
        "core/src/roster.rs".to_owned(),
        "core/src/roster/size.rs".to_owned(),
    ];
    assert!(is_in("core/src/roster.rs", &files));
    assert!(is_in("roster/size.rs", &files));
    assert!(is_in("core/src/roster/", &files));
    assert!(!is_in("roster/table.rs", &files));
    assert!(!is_in("ster/size.rs", &files));
    assert!(!is_in("core/src/ros/", &files));
}

/// The code spans of a text that are paths: with a slash, or with the ending of a source file.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let is_path = |span: &&str| {
        let is_plain = span
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
        let is_file = [".rs", ".ts", ".mjs", ".html"]
            .iter()
            .any(|ending| span.ends_with(ending));
        let is_folder = span.ends_with('/') && span.len() > 1 && !span.starts_with('/');
        is_plain && !span.starts_with('.') && (is_file || is_folder)
    };
    text.split("```")
        .step_by(2)
        .flat_map(|prose| prose.split('`').skip(1).step_by(2))
        .filter(is_path)
        .filter(|span| !SKIPPED.iter().any(|name| span.starts_with(&format!("{name}/"))))
}

/// Whether `path`, or a path that ends with it, is a file or a folder of the repository.
fn is_in(path: &str, files: &[String]) -> bool {
    files.iter().any(|file| {
        let mut starts = file.match_indices(path).map(|(at, _)| at);
        starts.any(|at| {
            let begins_a_name = at == 0 || file.as_bytes()[at - 1] == b'/';
            begins_a_name && (path.ends_with('/') || at + path.len() == file.len())
        })
    })
}

/// All files below [`SOURCES`], relative to the repository, with `/`.
fn files() -> Vec<String> {
    let mut files = Vec::new();
    for folder in SOURCES {
        walk(&root().join(folder), &mut files);
    }
    assert!(files.len() > 200, "the tree is not where this test looks");
    files
}

fn walk(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_symlink() || name.starts_with('.') || SKIPPED.contains(&name) {
            continue;
        }
        if path.is_dir() {
            walk(&path, files);
        } else {
            let relative = path.strip_prefix(root()).unwrap();
            files.push(relative.to_str().unwrap().replace('\\', "/"));
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
