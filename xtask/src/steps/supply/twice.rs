//! Reproducible builds: two builds of one commit, in different folders, must have equal files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::release::{Place, keep};
use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::steps::Step;
use crate::tally::Tally;
use crate::tools::node;
use crate::tools::npm::{self, Packages};
use crate::tools::wasm::ensure_wasm_tools;

/// The places, with names of different lengths.
pub(super) const PLACES: [&str; 2] = ["one", "another/place"];

/// The gateway.
pub(super) const GATEWAY: Step = Step {
    name: "gateway",
    title: "reproducible build: the gateway of the last commit, built in two folders, has equal bytes",
    first_time: " (about 6 min)",
    is_ready: |_| false,
    needs: &[],
    opt_in: false,
    run: build_gateway_twice,
};

/// The npm package.
pub(super) const PACKAGE: Step = Step {
    name: "package",
    title: "reproducible build: the npm package of the last commit, built in two folders, has equal files",
    first_time: " (about 6 min)",
    is_ready: |_| false,
    needs: &[],
    opt_in: false,
    run: build_package_twice,
};

fn build_gateway_twice(project: &Project, tally: &mut Tally) -> Result<(), Failure> {
    let build = |name| Place::create(project, name)?.build_gateway(project, None);
    let [one, other] = PLACES.map(build);
    let (one, other) = (one?, other?);
    must_be_equal(&one, &other)?;
    tally.passed += 1;
    let kept = keep(project, &one, "presence-gateway")?;
    print_hash(project, &kept);
    Ok(())
}

fn build_package_twice(project: &Project, tally: &mut Tally) -> Result<(), Failure> {
    node::ensure_host_node(project)?;
    ensure_wasm_tools(project)?;
    // The bundler needs a newer Node than npm does.
    npm::ensure(project, Packages::Build)?;
    let node = node::pinned_node(project)?;
    let tools = project.tools().join("bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(tools).chain(std::env::split_paths(&path)))
        .map_err(|error| Failure::missing(format!("PATH: {error}")))?;
    let build = |name| {
        let place = Place::create(project, name)?;
        let source = place.source();
        npm::ensure_in(project, &source, Packages::Build)?;
        let script = Program::new(project, &node).with(["wasm/scripts/build.mjs"]);
        place.configure(script).env("PATH", &path).run()?;
        Ok::<_, Failure>(source.join("wasm/dist"))
    };
    let [one, other] = PLACES.map(build);
    let (one, other) = (one?, other?);
    let (ours, theirs) = (files(&one)?, files(&other)?);
    if !ours.keys().eq(theirs.keys()) {
        return Err(Failure::missing(format!(
            "{} and {} have different files",
            one.display(),
            other.display()
        )));
    }
    for (name, path) in &ours {
        must_be_equal(path, &theirs[name])?;
    }
    println!("      {} files are the same", ours.len());
    tally.passed += 1;
    let kept = keep(project, &one.join("core.wasm"), "core.wasm")?;
    print_hash(project, &kept);
    Ok(())
}

fn must_be_equal(one: &Path, other: &Path) -> Result<(), Failure> {
    let (ours, theirs) = (read(one)?, read(other)?);
    if ours == theirs {
        return Ok(());
    }
    let first = ours.iter().zip(&theirs).position(|(one, other)| one != other);
    Err(Failure::missing(format!(
        "{} ({} bytes) and {} ({} bytes) differ from byte {} on: `diffoscope` shows the difference",
        one.display(),
        ours.len(),
        other.display(),
        theirs.len(),
        first.unwrap_or_else(|| ours.len().min(theirs.len()))
    )))
}

/// The files below a folder, by their path in it.
fn files(root: &Path) -> Result<BTreeMap<PathBuf, PathBuf>, Failure> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        let entries = fs::read_dir(&folder)
            .map_err(|error| Failure::missing(format!("cannot read {}: {error}", folder.display())))?;
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if path.is_dir() {
                waiting.push(path);
            } else if let Ok(name) = path.strip_prefix(root) {
                found.insert(name.to_path_buf(), path.clone());
            }
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::missing(format!("cannot read {}: {error}", path.display())))
}

/// Prints the SHA-256, to compare with builds on other machines.
fn print_hash(project: &Project, file: &Path) {
    let sum = Program::new(project, "sha256sum")
        .with([file.to_string_lossy()])
        .output();
    if let Some(sum) = sum {
        println!(
            "      sha256 {}",
            sum.split_whitespace().next().unwrap_or_default()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_differ_are_a_failure_and_equal_ones_are_not() {
        let folder = std::env::temp_dir().join(format!("presence-twice-{}", std::process::id()));
        fs::create_dir_all(folder.join("below")).expect("folder");
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).expect("file");
            path
        };
        let (one, same) = (file("one", "abc"), file("below/same", "abc"));
        let (other, longer) = (file("other", "abd"), file("longer", "abcd"));
        must_be_equal(&one, &same).expect("equal");
        for (differs, at) in [(other, "from byte 2 on"), (longer, "from byte 3 on")] {
            let failure = must_be_equal(&one, &differs).expect_err("different").to_string();
            assert!(failure.contains(at), "{failure}");
        }
        let names: Vec<PathBuf> = files(&folder).expect("files").into_keys().collect();
        assert_eq!(names, ["below/same", "longer", "one", "other"].map(PathBuf::from));
        fs::remove_dir_all(&folder).expect("removed");
    }
}
