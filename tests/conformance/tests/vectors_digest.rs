//! Recordings name the rules that they were made under by a digest of the vectors.

use std::fs;

use presence_conformance::sources::root;
use presence_core::recording::VECTORS;
use xxhash_rust::xxh3::Xxh3;

#[test]
fn recordings_name_the_vectors_of_today() {
    let folder = root().join("tests/vectors");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert!(files.len() > 20, "the vectors are not where this test looks");
    let mut digest = Xxh3::new();
    for file in files {
        // Some tools check files out with other ends of lines.
        digest.update(fs::read_to_string(file).unwrap().replace('\r', "").as_bytes());
    }
    assert_eq!(
        format!("{:016x}", digest.digest()),
        VECTORS,
        "the vectors changed: write the left one to `VECTORS` in core/src/recording/mod.rs"
    );
}
