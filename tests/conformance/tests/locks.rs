//! The lock files pin every package by its hash, from the public registries only.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

use presence_conformance::sources::root;
use serde_json::Value;

const CRATES_IO: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

/// Parts of a build tool for other systems. npm knew no hash for them when the lock file was written.
const WITHOUT_HASH: &str = "node_modules/@yuku-toolchain/";

#[test]
fn crates_come_from_crates_io_with_a_hash() {
    let text = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let packages: Vec<&str> = text.split("[[package]]").skip(1).collect();
    assert!(packages.len() > 100, "Cargo.lock is not recognised");
    for package in packages {
        let name = value(package, "name = ").unwrap();
        if value(package, "source = ").is_some() {
            assert!(package.contains(CRATES_IO), "{name} is not from crates.io");
            assert!(
                value(package, "checksum = ").is_some(),
                "{name} is without a hash"
            );
        } else {
            let is_ours = name.starts_with("presence-") || name == "xtask";
            assert!(is_ours, "{name} has no source");
        }
    }
}

#[test]
fn npm_packages_come_from_the_registry_with_a_hash() {
    for (name, package) in npm_packages() {
        let resolved = package["resolved"].as_str().unwrap_or_default();
        assert!(
            resolved.is_empty() || resolved.starts_with("https://registry.npmjs.org/"),
            "{name} is from {resolved}"
        );
        let hash = package["integrity"].as_str().unwrap_or_default();
        let is_known =
            package["optional"] == true && package["dev"] == true && name.starts_with(WITHOUT_HASH);
        assert!(
            hash.starts_with("sha512-") || is_known,
            "{name} is without a hash"
        );
    }
}

#[test]
fn folders_that_use_the_same_npm_package_pin_the_same_version() {
    // A version that only one folder of the workspace uses would be in this folder, where no script looks.
    let apart: Vec<String> = npm_packages()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with("node_modules/"))
        .collect();
    assert!(
        apart.is_empty(),
        "packages outside of the common folder: {apart:?}"
    );
}

#[test]
fn npm_has_one_lock_file() {
    let mut found = Vec::new();
    find_locks(&root(), &mut found);
    assert_eq!(found, [root()], "folders with a package-lock.json");
}

/// The packages that npm fetches, by their places. Folders of the workspace, and links to them, are not among them.
fn npm_packages() -> Vec<(String, Value)> {
    let text = fs::read_to_string(root().join("package-lock.json")).unwrap();
    let lock: Value = serde_json::from_str(&text).unwrap();
    let all = lock["packages"].as_object().unwrap();
    let is_fetched = |name: &str, package: &Value| {
        let is_link = package["link"] == true && all.contains_key(package["resolved"].as_str().unwrap());
        name.contains("node_modules/") && !is_link
    };
    let packages: Vec<_> = all
        .iter()
        .filter(|(name, package)| is_fetched(name, package))
        .map(|(name, package)| (name.clone(), package.clone()))
        .collect();
    assert!(packages.len() > 100, "package-lock.json is not recognised");
    packages
}

/// The value that follows `key` at the start of a line.
fn value<'a>(package: &'a str, key: &str) -> Option<&'a str> {
    let line = package.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.trim_matches('"'))
}

/// Adds the folders that have a `package-lock.json`.
fn find_locks(folder: &Path, found: &mut Vec<PathBuf>) {
    if folder.join("package-lock.json").exists() {
        found.push(folder.to_path_buf());
    }
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_ours = !["target", "node_modules", "dist"].contains(&&*name) && !name.starts_with('.');
        if is_ours && path.is_dir() && !path.is_symlink() {
            find_locks(&path, found);
        }
    }
}
