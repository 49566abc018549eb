//! Bills of materials in CycloneDX, and the list of dependencies inside the gateway.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::release::{Place, results};
use super::twice::PLACES;
use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::steps::Step;
use crate::tally::Tally;
use crate::tools::crates::{CARGO_CYCLONEDX, RUST_AUDIT_INFO};
use crate::tools::{node, npm};

/// Writes the bills of materials, and compares the gateway's with the list inside the program.
pub(super) const SBOM: Step = Step {
    name: "sbom",
    title: "bills of materials in CycloneDX, equal to the list inside the gateway",
    first_time: " (first time: about 1 min)",
    is_ready: |project| CARGO_CYCLONEDX.is_there(project) && RUST_AUDIT_INFO.is_there(project),
    needs: &["gateway"],
    opt_in: false,
    run: describe,
};

/// A crate and the arguments with which it is released.
const CRATES: [(&str, &str, &[&str]); 2] = [
    ("native", "presence-gateway", &[]),
    (
        "wasm",
        "presence-wasm",
        &[
            "--no-default-features",
            "--features",
            "client",
            "--target",
            "wasm32-unknown-unknown",
        ],
    ),
];

/// The npm package that is released.
const PACKAGE: &str = "openclaw-presence";

/// Name and version of each dependency, and of the program itself.
type Names = BTreeSet<(String, String)>;

fn describe(project: &Project, tally: &mut Tally) -> Result<(), Failure> {
    CARGO_CYCLONEDX.ensure(project)?;
    RUST_AUDIT_INFO.ensure(project)?;
    let place = Place::create(project, PLACES[0])?;
    for (folder, name, arguments) in CRATES {
        let text = describe_crate(project, &place, folder, name, arguments)?;
        let count = components(&parse(&text)?, "components").len();
        write(project, name, &text, count)?;
    }
    node::ensure_host_node(project)?;
    let text = npm::npm(project, &place.source())
        .with(["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"])
        .with(["--workspace", PACKAGE])
        .any_output()?;
    let described = of_package(parse(&text)?, PACKAGE)?;
    let count = components(&described, "components").len();
    write(project, PACKAGE, &format!("{described:#}\n"), count)?;

    let inside = RUST_AUDIT_INFO
        .program(project)
        .with([results(project).join("presence-gateway").to_string_lossy()])
        .any_output()?;
    let inside = components(&parse(&inside)?, "packages");
    let described = parse(&read(&bill(project, "presence-gateway"))?)?;
    let mut listed = components(&described, "components");
    listed.extend(component(&described["metadata"]["component"]));
    if inside.is_empty() || inside != listed {
        let differ: Vec<_> = inside.symmetric_difference(&listed).collect();
        return Err(Failure::missing(format!(
            "the gateway's list of {} crates and its bill of materials differ: {differ:?}",
            inside.len()
        )));
    }
    println!("      the gateway lists these {} crates itself", inside.len());
    tally.passed += 1;
    Ok(())
}

/// The bill of materials of a crate, without the folder of this machine.
fn describe_crate(
    project: &Project,
    place: &Place,
    folder: &str,
    name: &str,
    arguments: &[&str],
) -> Result<String, Failure> {
    let seconds = Program::new(project, "git")
        .with(["log", "-1", "--format=%ct"])
        .output();
    let source = place.source();
    let program = CARGO_CYCLONEDX
        .program(project)
        .with(["--quiet", "--format", "json", "--manifest-path"])
        .with([format!("{folder}/Cargo.toml")])
        .with(arguments)
        // The result depends on the commit only.
        .env("SOURCE_DATE_EPOCH", seconds.unwrap_or_default());
    place.configure(program).run()?;
    let text = read(&source.join(folder).join(format!("{name}.cdx.json")))?;
    Ok(text.replace(&*source.to_string_lossy(), "/source"))
}

/// Makes npm's description of the workspace one of the package in it.
fn of_package(mut bill: Value, package: &str) -> Result<Value, Failure> {
    let is_package = |component: &Value| {
        let purl = component["purl"].as_str().unwrap_or_default();
        purl.strip_prefix(&format!("pkg:npm/{package}@")).is_some()
    };
    let components = bill["components"].as_array_mut();
    let mut component = components
        .and_then(|all| Some(all.remove(all.iter().position(is_package)?)))
        .ok_or_else(|| Failure::missing(format!("npm's bill of materials has no {package}")))?;
    // npm names it after its folder.
    component["name"] = package.into();
    let workspace = std::mem::replace(&mut bill["metadata"]["component"], component);
    if let Some(dependencies) = bill["dependencies"].as_array_mut() {
        dependencies.retain(|of| of["ref"] != workspace["bom-ref"]);
    }
    Ok(bill)
}

fn bill(project: &Project, name: &str) -> std::path::PathBuf {
    results(project).join(format!("{name}.cdx.json"))
}

fn write(project: &Project, name: &str, text: &str, count: usize) -> Result<(), Failure> {
    let path = bill(project, name);
    fs::write(&path, text)
        .map_err(|error| Failure::missing(format!("cannot write {}: {error}", path.display())))?;
    println!("      {}: {count} components", path.display());
    Ok(())
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::missing(format!("cannot read {}: {error}", path.display())))
}

fn parse(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::missing(format!("no JSON: {error}: {text}")))
}

fn components(document: &Value, member: &str) -> Names {
    let list = document[member].as_array().map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(component).collect()
}

fn component(of: &Value) -> Option<(String, String)> {
    Some((
        of["name"].as_str()?.to_owned(),
        of["version"].as_str()?.to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_bill_of_the_package_describes_the_package() {
        let package = json!({"bom-ref": "p@1", "name": "wasm", "version": "1", "purl": "pkg:npm/p@1"});
        let used = json!({"bom-ref": "q@2", "name": "q", "version": "2", "purl": "pkg:npm/q@2"});
        let bill = json!({
            "metadata": {"component": {"bom-ref": "w@0", "name": "w"}},
            "components": [used, package],
            "dependencies": [{"ref": "w@0", "dependsOn": []}, {"ref": "p@1", "dependsOn": ["q@2"]}],
        });
        let of_p = of_package(bill.clone(), "p").expect("it has the package");
        assert_eq!(
            component(&of_p["metadata"]["component"]),
            Some(("p".into(), "1".into()))
        );
        assert_eq!(of_p["components"], json!([used]));
        assert_eq!(
            of_p["dependencies"],
            json!([{"ref": "p@1", "dependsOn": ["q@2"]}])
        );
        assert!(of_package(bill, "other").is_err());
    }
}
