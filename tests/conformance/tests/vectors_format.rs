//! The runner itself: it refuses what it does not know, and every vector can fail.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use presence_conformance::vectors::{CoreTarget, Failure, Suite, device, script, table};
use serde_json::{Value, json};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors")
}

/// A copy of the schema, the cast, the devices and the given files, and what the loader says to it.
fn load(name: &str, files: &[(&str, Value)]) -> Result<Suite, Failure> {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&copy);
    fs::create_dir_all(&copy)?;
    for file in ["schema.json", "cast.json", "devices.json"] {
        fs::copy(folder().join(file), copy.join(file))?;
    }
    for (file, content) in files {
        fs::write(copy.join(file), content.to_string())?;
    }
    Suite::read(&copy)
}

fn a_table() -> Value {
    let vector = json!({
        "name": "t", "spec": "1.2", "why": "A table to try the loader with.",
        "function": "normalizeKey", "cases": [{ "in": ["A"], "out": "a" }],
    });
    json!({ "$schema": "./schema.json", "kind": "table", "vectors": [vector] })
}

fn a_script() -> Value {
    let vector = json!({
        "name": "s", "spec": "1.2", "why": "A script to try the loader with.",
        "steps": [{ "at": 0, "do": "advance" }], "roster": ["$self"],
    });
    json!({ "$schema": "./schema.json", "kind": "script", "vectors": [vector] })
}

#[test]
fn invalid_vectors_are_refused() {
    let good = [("table.json", a_table()), ("script.json", a_script())];
    load("good", &good).unwrap();

    assert!(load("empty", &[]).unwrap_err().to_string().contains("no vectors"));
    assert!(
        Suite::read(Path::new(env!("CARGO_TARGET_TMPDIR"))).is_err(),
        "no schema"
    );

    let remove = Value::Null;
    let spoil = [
        ("unknown-kind", "", "kind", json!("poem")),
        ("unknown-step", "/vectors/0/steps/0", "do", json!("dance")),
        ("unknown-member", "/vectors/0/steps/0", "colour", json!("red")),
        ("unknown-top", "/vectors/0", "colour", json!("red")),
        ("no-time", "/vectors/0/steps/0", "at", remove.clone()),
        ("no-why", "/vectors/0", "why", remove.clone()),
        ("no-roster", "/vectors/0", "roster", remove),
        ("targets-without-reason", "/vectors/0", "targets", json!(["core"])),
        ("same-name", "/vectors/0", "name", json!("t")),
    ];
    for (name, place, member, value) in spoil {
        let mut script = a_script();
        let members = script.pointer_mut(place).and_then(Value::as_object_mut).unwrap();
        if value.is_null() {
            members.remove(member);
        } else {
            members.insert(member.to_owned(), value);
        }
        let files = [("table.json", a_table()), ("script.json", script)];
        let refused = load(name, &files).unwrap_err().to_string();
        if name == "no-roster" {
            assert_eq!(
                refused,
                r#"script.json: s: does not match schema.json: /vectors/0: "roster" is a required property"#
            );
        }
    }
    let mut table = a_table();
    table["vectors"][0]["function"] = "guess".into();
    assert!(
        load(
            "unknown-function",
            &[("table.json", table), ("script.json", a_script())]
        )
        .is_err()
    );
}

#[test]
fn every_final_roster_can_fail() -> Result<(), Failure> {
    let mut suite = Suite::of_the_project()?;
    for script in &mut suite.scripts {
        script
            .roster
            .as_array_mut()
            .unwrap()
            .push(json!({ "text": "never there", "ts": 1 }));
    }
    for script in suite.scripts.iter().filter(|script| script.targets.is_none()) {
        let failure = script::run::<CoreTarget>(&suite, script).unwrap_err();
        assert!(
            failure.to_string().contains("never there"),
            "{}: {failure}",
            script.name
        );
    }
    Ok(())
}

#[test]
fn every_expectation_can_fail() -> Result<(), Failure> {
    let mut suite = Suite::of_the_project()?;
    let mut spoilt = BTreeSet::new();
    for script in &mut suite.scripts {
        let items = script.steps.iter_mut().flat_map(|step| step.expect.values_mut());
        // The last one that is not empty loses its last item.
        if let Some(items) = items.filter(|items| !items.is_empty()).last() {
            items.pop();
            spoilt.insert(script.name.clone());
        }
    }
    assert!(spoilt.len() > 30, "{}", spoilt.len());
    for script in suite.scripts.iter().filter(|script| script.targets.is_none()) {
        let is_spoilt = spoilt.contains(&script.name);
        assert_eq!(
            script::run::<CoreTarget>(&suite, script).is_err(),
            is_spoilt,
            "{}",
            script.name
        );
    }
    Ok(())
}

#[test]
fn every_case_can_fail() -> Result<(), Failure> {
    let suite = Suite::of_the_project()?;
    for vector in &suite.tables {
        for case in &vector.cases {
            let mut spoilt = vector.clone();
            spoilt.cases = vec![case.clone()];
            assert_eq!(table::run(&suite, &spoilt), Ok(()));
            spoilt.cases[0].output = json!({ "never": "so" });
            assert!(table::run(&suite, &spoilt).is_err(), "{}", vector.name);
        }
    }
    Ok(())
}

#[test]
fn the_devices_have_their_stated_keys() -> Result<(), Failure> {
    let suite = Suite::of_the_project()?;
    suite
        .devices
        .devices
        .iter()
        .try_for_each(|(name, device)| device::check(name, device))
}

#[test]
fn every_section_step_and_function_is_covered_and_described() -> Result<(), Failure> {
    let suite = Suite::of_the_project()?;
    let readme = fs::read_to_string(folder().join("README.md"))?;
    let schema: Value = serde_json::from_str(&fs::read_to_string(folder().join("schema.json"))?)?;

    let specs = suite.tables.iter().map(|vector| vector.spec.as_str());
    let specs: BTreeSet<_> = specs
        .chain(suite.scripts.iter().map(|vector| vector.spec.as_str()))
        .collect();
    for section in ["1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "2", "4"] {
        assert!(specs.contains(section), "no vector for section {section}");
    }

    let functions: BTreeSet<_> = suite
        .tables
        .iter()
        .map(|vector| vector.function.as_str())
        .collect();
    let table = &schema["$defs"]["tableFile"]["properties"]["vectors"]["items"]["properties"];
    for function in table["function"]["enum"].as_array().unwrap() {
        let function = function.as_str().unwrap();
        assert!(functions.contains(function), "no vector for {function}");
        assert!(
            readme.contains(&format!("| `{function}` |")),
            "{function} is not in the README"
        );
    }

    // All text of all scripts: steps inside `repeat` count, too.
    // The folders hold recordings.
    let files = fs::read_dir(folder())?.filter_map(|entry| match entry {
        Ok(entry) if entry.path().is_dir() => None,
        entry => Some(entry.and_then(|entry| fs::read_to_string(entry.path()))),
    });
    let text = files.collect::<Result<Vec<_>, _>>()?.concat();
    for step in schema["$defs"]["step"]["oneOf"].as_array().unwrap() {
        let kind = &step["properties"]["do"];
        let names = kind["enum"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![kind["const"].clone()]);
        for name in names {
            let name = name.as_str().unwrap();
            assert!(
                text.contains(&format!("\"do\": \"{name}\"")),
                "no vector with {name}"
            );
            assert!(
                readme.contains(&format!("`{name}`")),
                "{name} is not in the README"
            );
        }
    }
    Ok(())
}
