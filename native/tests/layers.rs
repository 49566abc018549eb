//! The modules of the crate depend on each other in one direction only.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// Each module may use those of the lines below its own; modules of one line do not use each other.
const LAYERS: [&[&str]; 8] = [
    &["main"],
    &["cli"],
    &["gateway"],
    &["cluster", "driver", "feed", "net"],
    &["conn", "webhook"],
    &["config", "identity", "log"],
    &["auth", "clock", "history", "metrics", "recording", "tls", "web"],
    &["files"],
];

fn layer(module: &str) -> usize {
    let known = LAYERS.iter().position(|modules| modules.contains(&module));
    known.unwrap_or_else(|| panic!("`{module}` is in no layer"))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn modules_use_only_modules_of_lower_layers() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&source, &mut found);
    assert!(found.len() > 50, "{found:?}");
    for path in found {
        let relative = path.strip_prefix(&source).unwrap();
        let module = relative.iter().next().unwrap().to_str().unwrap();
        let module = module.trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        // In a file of the root, and in the `mod.rs` of its folders, `super::` is `crate::`.
        let is_child_of_root = match relative.iter().count() {
            1 => true,
            2 => relative.ends_with("mod.rs"),
            _ => false,
        };
        let roots: &[&str] = if is_child_of_root {
            &["crate::", "super::"]
        } else {
            &["crate::"]
        };
        for path in roots.iter().flat_map(|root| text.split(root).skip(1)) {
            let end = path.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap();
            let used = &path[..end];
            // Items of the crate's root are re-exports for embedders.
            if path.starts_with(|first: char| first == '*' || first.is_ascii_uppercase()) {
                continue;
            }
            assert!(
                used == module || layer(module) < layer(used),
                "{}: `{module}` must not use `{used}`",
                relative.display()
            );
        }
    }
}
