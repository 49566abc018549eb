//! Every target with its seeds and its regressions, the files of `regressions/TARGET`.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use presence_fuzz::TARGETS;

#[test]
fn seeds_and_regressions_find_nothing() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        seeds.iter().for_each(|seed| (target.run)(seed));
        for path in files(&root().join("regressions").join(target.name)) {
            (target.run)(&fs::read(path).unwrap());
        }
    }
}

#[test]
fn every_target_has_a_binary_and_every_folder_a_target() {
    let names: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
    let stem = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let binaries = files(&root().join("targets/fuzz_targets"));
    let binaries: BTreeSet<String> = binaries.iter().map(stem).collect();
    assert!(
        binaries.iter().map(String::as_str).eq(names.iter().copied()),
        "{binaries:?}"
    );
    for folder in files(&root().join("regressions")) {
        assert!(names.contains(stem(&folder).as_str()), "{}", folder.display());
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
