//! Modules depend on each other in one direction, by their `use` lines and paths, without unit tests.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::collections::{BTreeMap, BTreeSet};

use presence_conformance::sources::{code_only, root, sources_in};

/// The sources of the crates that products and tools are made of.
const CRATES: &[&str] = &[
    "core/src",
    "native/src",
    "wasm/src",
    "xtask/src",
    "tests/load/src",
];

/// Every module of the core, and the modules that it may know.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("digest", &["model"]),
    ("findings", &["model"]),
    ("wire", &["model"]),
    ("roster", &["digest", "model"]),
    ("instance", &["model"]),
    ("fleet", &["digest", "instance", "model", "roster"]),
    (
        "client",
        &["digest", "findings", "instance", "model", "roster", "wire"],
    ),
    (
        "server",
        &["digest", "findings", "fleet", "model", "roster", "wire"],
    ),
    ("observer", &["client", "fleet", "model"]),
    ("cluster", &["fleet", "model", "roster", "server"]),
    ("recording", &["findings", "model", "roster", "server", "wire"]),
];

type Path = Vec<String>;
/// Per module: which of its parts use which, with one place that does.
type Uses = BTreeMap<Path, BTreeMap<(String, String), String>>;

#[test]
fn modules_use_only_lower_layers() {
    let core = uses_of("core/src");
    let root = &core[&Path::new()];
    for ((from, to), place) in root {
        let (_, below) = LAYERS.iter().find(|(name, _)| name == from).unwrap();
        assert!(below.contains(&&**to), "{from} must not know {to}: {place}");
    }
    let found: BTreeSet<&String> = root.keys().flat_map(|(from, to)| [from, to]).collect();
    assert_eq!(
        found.len(),
        LAYERS.len(),
        "modules without a layer, or gone: {found:?}"
    );
}

#[test]
fn submodules_have_no_circular_dependencies() {
    let circles: Vec<_> = CRATES
        .iter()
        .flat_map(|folder| {
            uses_of(folder)
                .into_iter()
                .map(move |(module, uses)| (folder, module, circle(&uses)))
        })
        .filter(|(.., circle)| !circle.is_empty())
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn every_way_to_name_a_module_is_found() {
    let sources = [
        (
            "",
            "pub mod a; pub mod b; pub use a::{Thing, deep::Other as Another};",
        ),
        (
            "a",
            "mod deep; use crate::b; fn f() -> super::b::T { crate::b::f() }",
        ),
        ("a::deep", "use super::super::{b::{self, X}};"),
        (
            "b",
            "pub(in crate::a) fn f(_: crate::Thing, _: crate::Another, _: self::T) {}",
        ),
    ];
    let sources = sources.map(|(name, code)| (path(name), code_only(code)));
    let uses = uses(&BTreeMap::from(sources));
    assert_eq!(uses.keys().collect::<Vec<_>>(), [&Path::new()]);
    let found: Vec<_> = uses[&Path::new()].keys().cloned().collect();
    assert_eq!(found, [("a".into(), "b".into()), ("b".into(), "a".into())]);
    assert_eq!(circle(&uses[&Path::new()]).len(), 2);
}

#[test]
fn an_item_may_have_the_name_of_its_module() {
    let sources = [
        ("", "mod a; mod b; mod c;"),
        ("a", "mod deep; pub use deep::deep; pub use crate::b::same;"),
        ("a::deep", "pub fn deep() {}"),
        ("b", "pub use crate::a::same;"),
        (
            "c",
            "use crate::a::{deep, deep::deep as other}; use crate::b::same;",
        ),
    ];
    let sources = sources.map(|(name, code)| (path(name), code_only(code)));
    let uses = uses(&BTreeMap::from(sources));
    assert!(uses[&Path::new()].contains_key(&("c".into(), "a".into())));
}

fn path(text: &str) -> Path {
    text.split("::")
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn uses_of(folder: &str) -> Uses {
    let sources = sources_in(folder);
    let folder = root().join(folder);
    let module = |file: &std::path::Path| {
        let mut module: Path = file
            .strip_prefix(&folder)
            .unwrap()
            .with_extension("")
            .iter()
            .map(|part| part.to_str().unwrap().to_owned())
            .collect();
        module.pop_if(|last| ["mod", "lib", "main"].contains(&&**last));
        module
    };
    uses(
        &sources
            .into_iter()
            .map(|(file, code)| (module(&file), code))
            .collect(),
    )
}

fn uses(sources: &BTreeMap<Path, String>) -> Uses {
    let mut exports = BTreeMap::new();
    for (module, code) in sources {
        for (name, tree) in code.split("pub").skip(1).filter_map(use_tree).flat_map(leaves) {
            if let Some(target) = absolute(sources, module, &tree) {
                exports.insert([&**module, &[name]].concat(), target);
            }
        }
    }
    let mut uses = Uses::new();
    for (module, code) in sources {
        let trees = code.split("use ").skip(1).filter_map(|text| text.split_once(';'));
        let used = trees.flat_map(|(tree, _)| leaves(tree)).map(|(_, path)| path);
        for path in used.chain(plain_paths(code)) {
            let Some(target) = absolute(sources, module, &path) else {
                continue;
            };
            let target = defined(sources, &exports, target);
            let shared = module.iter().zip(&target).take_while(|(a, b)| a == b).count();
            // A module and its parts may use each other: they are one.
            if let (Some(from), Some(to)) = (module.get(shared), target.get(shared)) {
                let place = format!("{} in {}", path.join("::"), module.join("::"));
                let parts = uses.entry(module[..shared].to_vec()).or_default();
                parts.insert((from.clone(), to.clone()), place);
            }
        }
    }
    uses
}

/// The tree of a `use` with a visibility, behind the `pub`.
fn use_tree(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let text = match text.strip_prefix('(') {
        Some(scope) => scope.split_once(')')?.1.trim_start(),
        None => text,
    };
    Some(text.strip_prefix("use ")?.split_once(';')?.0)
}

/// The paths of a `use` tree, each with the name it gets.
fn leaves(tree: &str) -> Vec<(String, Path)> {
    let tree = tree.trim();
    if let Some((prefix, items)) = tree.split_once('{') {
        let (mut found, mut depth, mut start) = (Vec::new(), 0, 0);
        for (at, c) in items.char_indices() {
            match c {
                '{' => depth += 1,
                ',' | '}' if depth == 0 => {
                    let item = leaves(&items[start..at]);
                    found.extend(
                        item.into_iter()
                            .map(|(name, rest)| (name, [path(prefix), rest].concat())),
                    );
                    start = at + 1;
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
        return found;
    }
    let (full, alias) = tree
        .split_once(" as ")
        .map_or((tree, None), |(full, alias)| (full, Some(alias)));
    let mut parts = path(full);
    // `{self}` is the module itself.
    parts.pop_if(|last| last == "self");
    let name = alias
        .map(str::to_owned)
        .or_else(|| parts.last().cloned())
        .unwrap_or_default();
    if tree.is_empty() {
        Vec::new()
    } else {
        vec![(name, parts)]
    }
}

/// Paths from `crate`, `super` or `self`, wherever they stand.
fn plain_paths(code: &str) -> impl Iterator<Item = Path> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        .filter(|word| {
            word.contains("::") && ["crate", "super", "self"].contains(&word.split("::").next().unwrap())
        })
        .map(path)
}

/// The path from the crate's root; `None` for another crate's.
fn absolute(sources: &BTreeMap<Path, String>, module: &[String], used: &[String]) -> Option<Path> {
    let ups = used.iter().take_while(|part| *part == "super").count();
    match used.first().map(String::as_str)? {
        "crate" => Some(used[1..].to_vec()),
        "self" => Some([module, &used[1..]].concat()),
        "super" => Some([module.get(..module.len() - ups)?, &used[ups..]].concat()),
        first => {
            let part = [module, &[first.to_owned()]].concat();
            sources.contains_key(&part).then(|| [module, used].concat())
        }
    }
}

/// The module that defines what `target` names, through re-exports.
fn defined(sources: &BTreeMap<Path, String>, exports: &BTreeMap<Path, Path>, target: Path) -> Path {
    let mut target = target;
    // No chain of re-exports is longer than their number.
    for _ in exports {
        let step = (1..=target.len()).rev().find_map(|length| {
            let (name, real) = exports.get_key_value(&target[..length])?;
            // A module and a re-exported item can share a name; a longer path goes through the module.
            let is_module = sources.contains_key(name) && (length < target.len() || real.starts_with(name));
            (!is_module).then_some((length, real))
        });
        let Some((length, real)) = step else { break };
        target = [real, &target[length..]].concat();
    }
    while !target.is_empty() && !sources.contains_key(&target) {
        target.pop();
    }
    target
}

/// The uses that are part of circles, or lie between two.
fn circle(uses: &BTreeMap<(String, String), String>) -> BTreeMap<(String, String), String> {
    let mut left = uses.clone();
    loop {
        let (from, to): (BTreeSet<_>, BTreeSet<_>) = left.keys().cloned().unzip();
        let before = left.len();
        left.retain(|(a, b), _| to.contains(a) && from.contains(b));
        if left.len() == before {
            return left;
        }
    }
}
