//! The core stays pure: no clock, no IO, no randomness, no hash order in an output. That is what makes
//! its results the same, bit for bit, natively and in WASM, and its tests free of sleeps.

use std::process::Command;

use presence_conformance::sources::{code_only, core_sources, root, words};

/// Every crate the core's code runs with, and why it may.
const DEPENDENCIES: &[(&str, &str)] = &[
    ("presence-core", "itself"),
    (
        "foldhash",
        "the hash of row ids, which no client can choose, so with a fixed seed",
    ),
    (
        "hashbrown",
        "hash tables without std, so without a random seed; asked only where something is",
    ),
    (
        "hashlink",
        "sets that keep the order of insertion: queues of rows, walked in that order",
    ),
    (
        "serde",
        "the traits by which entries become JSON and come from it",
    ),
    ("serde_core", "part of serde"),
    (
        "serde_json",
        "JSON text; its parser and its encoder keep the order of members",
    ),
    ("itoa", "integers in serde_json"),
    ("memchr", "string search in serde_json"),
    (
        "zmij",
        "floats in serde_json, correctly rounded by its own arithmetic, the same everywhere",
    ),
    (
        "siphasher",
        "SipHash, with a secret of the caller: pseudonyms of keys that hold addresses",
    ),
    (
        "slotmap",
        "rows by ids that are never used twice, walked in the order of their slots",
    ),
    (
        "slab",
        "the connections of a hub at small, dense indexes, walked in their order",
    ),
    (
        "thiserror",
        "derives error messages; no code of its own at run time",
    ),
    (
        "xxhash-rust",
        "XXH3, seeded by the caller: hash tables and the digest of deltas",
    ),
];

/// Words of a world the core must not know.
const FORBIDDEN: &[(&str, &str)] = &[
    (
        "std",
        "brings clocks, sockets, threads and random hash seeds: use core and alloc",
    ),
    ("Instant", "time is an argument"),
    ("SystemTime", "time is an argument"),
    ("Date", "time is an argument"),
    ("performance", "time is an argument"),
    (
        "HashMap",
        "its order is random: BTreeMap, or hashbrown where only lookups matter",
    ),
    ("HashSet", "its order is random: BTreeSet"),
    ("RandomState", "a random seed"),
    ("DefaultHashBuilder", "a seed nobody handed in"),
    ("rand", "randomness is a seed"),
    ("getrandom", "randomness is a seed"),
    ("println", "output is the shell's"),
    ("print", "output is the shell's"),
    ("eprintln", "output is the shell's"),
    ("eprint", "output is the shell's"),
    ("dbg", "output is the shell's"),
    ("env", "configuration is an argument"),
    ("option_env", "results would depend on who built it"),
    ("thread", "the shell's business"),
    ("thread_local", "state outside of the machines"),
    ("sleep", "the shell waits"),
    ("spawn", "the shell's business"),
    ("File", "the shell's business"),
    ("TcpStream", "the shell's business"),
    ("UdpSocket", "the shell's business"),
    ("Mutex", "state outside of the machines"),
    ("RwLock", "state outside of the machines"),
    ("OnceLock", "state outside of the machines"),
    ("OnceCell", "state outside of the machines"),
    ("LazyLock", "state outside of the machines"),
    ("LazyCell", "state outside of the machines"),
    ("AtomicUsize", "state outside of the machines"),
    ("AtomicU64", "state outside of the machines"),
    ("AtomicU32", "state outside of the machines"),
    ("AtomicBool", "state outside of the machines"),
    ("async", "input comes by handle_*, output by poll_*"),
    ("await", "input comes by handle_*, output by poll_*"),
    ("unsafe", "not needed for any of this"),
    ("js_sys", "the bindings' business"),
    ("wasm_bindgen", "the bindings' business"),
    ("target_arch", "the same results on every target"),
    ("target_os", "the same results on every target"),
    ("target_pointer_width", "the same results on every target"),
];

/// Calls that would expose the order of a hash table.
const WALKS: &[&str] = &[
    "iter",
    "iter_mut",
    "into_iter",
    "drain",
    "retain",
    "extract_if",
    "keys",
    "values",
];

#[test]
fn dependencies_are_the_known_ones() {
    for target in [None, Some("wasm32-unknown-unknown")] {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args([
            "tree",
            "--package",
            "presence-core",
            "--edges",
            "normal,no-proc-macro",
            "--offline",
        ]);
        cargo.args(["--prefix", "none", "--format", "{p}", "--no-dedupe"]);
        cargo.args(target.iter().flat_map(|target| ["--target", target]));
        let output = cargo.current_dir(root()).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let tree = String::from_utf8(output.stdout).unwrap();
        let mut found: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        found.sort_unstable();
        found.dedup();
        for name in &found {
            let is_known = DEPENDENCIES.iter().any(|(known, _)| known == name);
            assert!(
                is_known,
                "the core now runs {name}: say here why it may, or do without"
            );
        }
        for (known, _) in DEPENDENCIES {
            assert!(
                found.contains(known),
                "the core no longer runs {known}: take it off the list"
            );
        }
    }
}

/// A build script could look at anything; features could bring std back in.
#[test]
fn the_manifest_needs_no_std_and_no_build_script() {
    let core = std::fs::read_to_string(root().join("core/Cargo.toml")).unwrap();
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(
        !core.contains("build-dependencies") && !core.contains("build ="),
        "a build script"
    );
    assert!(!core.contains("[target."), "dependencies that differ by target");
    let (_, dependencies) = core.split_once("[dependencies]").unwrap();
    let dependencies = dependencies.split("\n[").next().unwrap();
    let mut checked = 0;
    for line in dependencies.lines().filter(|line| line.contains('=')) {
        let (name, _) = line.split_once(['=', ' ', '.']).unwrap();
        let is_shared = line.contains("workspace");
        let definition = if is_shared {
            workspace
                .lines()
                .find(|line| line.starts_with(&format!("{name} =")))
        } else {
            Some(line)
        };
        let definition = definition.unwrap_or_else(|| panic!("where is {name} defined?"));
        assert!(
            definition.contains("default-features = false"),
            "{name} brings its default features"
        );
        for text in [line, definition] {
            assert!(!text.contains("\"std\""), "{name} brings std");
        }
        checked += 1;
    }
    assert!(checked >= 5, "found {checked} dependencies only");
}

#[test]
fn core_is_no_std() {
    let lib = code_only(&std::fs::read_to_string(root().join("core/src/lib.rs")).unwrap());
    assert!(
        lib.lines().any(|line| line.trim() == "#![no_std]"),
        "unconditionally #![no_std]"
    );
    assert!(!words(&lib).any(|word| word == "std"), "extern crate std");
}

#[test]
fn core_uses_no_clock_io_or_randomness() {
    let mut seen = 0;
    for (path, code) in core_sources() {
        for (at, line) in code.lines().enumerate() {
            for word in words(line) {
                let forbidden = FORBIDDEN.iter().find(|(forbidden, _)| *forbidden == word);
                assert!(
                    forbidden.is_none(),
                    "{}:{}: {word}: {}",
                    path.display(),
                    at + 1,
                    forbidden.unwrap().1
                );
            }
            assert!(
                !line.contains("static mut"),
                "{}:{}: state outside of the machines",
                path.display(),
                at + 1
            );
            seen += 1;
        }
    }
    assert!(seen > 2_000, "{seen} lines only: is the core elsewhere?");
}

/// Hash tables answer "where is", never "in which order".
#[test]
fn hash_tables_are_never_iterated() {
    let mut tables = 0;
    for (path, code) in core_sources() {
        let fields: Vec<&str> = code
            .lines()
            .filter_map(|line| line.split_once(": HashTable<"))
            .filter_map(|(name, _)| words(name).last())
            .collect();
        tables += fields.len();
        assert_eq!(
            code.contains("hashbrown"),
            !fields.is_empty(),
            "{}: a table under another name",
            path.display()
        );
        let dense: String = code.split_whitespace().collect();
        for field in fields {
            for walk in WALKS {
                let call = format!(".{field}.{walk}(");
                assert!(
                    !dense.contains(&call),
                    "{}: {call}..) shows a hash order",
                    path.display()
                );
            }
            for start in ["in", "in&", "in&mut"] {
                let walk = format!("{start}self.{field}{{");
                assert!(
                    !dense.contains(&walk),
                    "{}: a loop over {field} shows a hash order",
                    path.display()
                );
            }
        }
    }
    assert!(tables > 0, "no hash table found: has the type changed?");
}

#[test]
fn scan_reads_code_and_nothing_else() {
    let source = r##"
        /// std::time in a comment, "quoted"
        fn f<'a>(x: &'a str) -> char { /* rand /* nested */ */ let s = "Instant \" dbg"; '"' }
        let raw = r#"println " "#; let later = SystemTime::now();
        #[cfg(test)]
        mod tests { use std::fs; }
    "##;
    let code = code_only(source);
    let found: Vec<&str> = words(&code)
        .filter(|word| FORBIDDEN.iter().any(|(known, _)| known == word))
        .collect();
    assert_eq!(found, ["SystemTime"]);
}
