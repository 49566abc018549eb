//! The TypeScript of the package and of the page: its files do not import each other in circles, types included.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use presence_conformance::sources::root;

/// Per file, the files that it imports.
type Imports = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

#[test]
fn files_do_not_import_each_other_in_circles() {
    for folder in ["wasm/ts", "web-demo/src"] {
        let imports = imports_of(&root().join(folder));
        assert!(imports.len() > 50, "{folder} has {} files", imports.len());
        let left = circle(imports);
        assert!(left.is_empty(), "a circle in {folder}: {left:#?}");
    }
}

#[test]
fn every_way_to_import_a_file_is_found() {
    let code = r#"
        import "./a.js";
        import { b } from "./b.js";
        import type {
          C,
        } from "../c.js";
        export * from "./d.js";
        export type { E } from './e.js';
        const f = await import("./f.js");
        import { html } from "lit";
    "#;
    let found: Vec<_> = imported(Path::new("x/y/z.ts"), code).into_iter().collect();
    let wanted = [
        "x/c.ts", "x/y/a.ts", "x/y/b.ts", "x/y/d.ts", "x/y/e.ts", "x/y/f.ts",
    ];
    assert_eq!(found, wanted.map(PathBuf::from));
}

#[test]
fn a_circle_of_three_files_is_found() {
    let file = |name: &str| PathBuf::from(name);
    let imports = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"), ("a", "e")];
    let mut all = Imports::new();
    for (from, to) in imports {
        all.entry(file(from)).or_default().insert(file(to));
        all.entry(file(to)).or_default();
    }
    let left: Vec<_> = circle(all).into_keys().collect();
    assert_eq!(left, ["a", "b", "c"].map(PathBuf::from));
}

fn imports_of(folder: &Path) -> Imports {
    let (mut imports, mut folders) = (Imports::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "ts") {
                let found = imported(&path, &fs::read_to_string(&path).unwrap());
                imports.insert(path, found);
            }
        }
    }
    imports
}

/// The files that one imports: `"./name.js"` is the file `name.ts` beside it.
fn imported(file: &Path, code: &str) -> BTreeSet<PathBuf> {
    let after = ["from ", "import ", "import("];
    let texts = after.iter().flat_map(|word| code.split(word).skip(1));
    texts
        .filter_map(|text| {
            let quote = text.chars().next().filter(|c| "\"'".contains(*c))?;
            let (name, _) = text[1..].split_once(quote)?;
            let path = file.parent()?.join(name.starts_with('.').then_some(name)?);
            Some(plain(&path).with_extension("ts"))
        })
        .collect()
}

/// The path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// The files that are part of circles, or lie between two.
fn circle(mut imports: Imports) -> Imports {
    loop {
        let before = imports.len();
        let used: BTreeSet<PathBuf> = imports.values().flatten().cloned().collect();
        imports.retain(|file, _| used.contains(file));
        let files: BTreeSet<PathBuf> = imports.keys().cloned().collect();
        for used in imports.values_mut() {
            used.retain(|file| files.contains(file));
        }
        imports.retain(|_, used| !used.is_empty());
        if imports.len() == before {
            return imports;
        }
    }
}
