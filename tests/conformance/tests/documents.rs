//! The tables of PROTOCOL.md and the types of the npm package name what the code has.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::collections::BTreeSet;
use std::fs;

use presence_conformance::sources::root;
use presence_core::PresenceEntry;
use presence_core::wire::WireError;
use presence_core::wire::error::{ClientKind, SecretKind};
use presence_core::wire::method::{ADVERTISED, Access};
use serde_json::Value;

/// Written out whole, so that the compiler asks for a new member.
fn full_entry() -> PresenceEntry {
    let text = Some(Box::from("a"));
    PresenceEntry {
        host: text.clone(),
        ip: text.clone(),
        version: text.clone(),
        platform: text.clone(),
        device_family: text.clone(),
        model_identifier: text.clone(),
        mode: text.clone(),
        last_input_seconds: Some(1),
        reason: text.clone(),
        instance_id: text.clone(),
        device_id: text.clone(),
        roles: vec!["a".into()],
        scopes: vec!["a".into()],
        client_id: text.clone(),
        time_zone: text.clone(),
        text: text.clone(),
        online_since: Some(1),
        last_activity_at: Some(1),
        user_id: text,
        ts: 1,
    }
}

fn members_of_the_entry() -> BTreeSet<String> {
    let Value::Object(members) = serde_json::to_value(full_entry()).unwrap() else {
        unreachable!("an entry is an object");
    };
    members.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn the_table_of_members_is_complete() {
    let protocol = protocol();
    let named: BTreeSet<String> = rows(&protocol, "### 1.1 Entry")
        .flat_map(|cells| spans(cells[0]).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert_same(&named, &members_of_the_entry(), "PROTOCOL.md 1.1, the table");
}

#[test]
fn the_packages_entry_has_every_member() {
    let types = read("wasm/ts/types.ts");
    let interface = section(&types, "export interface PresenceEntry {", "\n}");
    let named: BTreeSet<String> = interface
        .lines()
        .filter_map(|line| line.strip_prefix("  readonly "))
        .filter_map(|line| Some(line.split_once("?:")?.0.to_owned()))
        .collect();
    let mut members = members_of_the_entry();
    // No client writes it: a gateway adds it to the rows of gateways that it observes.
    members.insert("gateway".into());
    assert_same(&named, &members, "wasm/ts/types.ts, PresenceEntry");
}

#[test]
fn the_table_of_methods_is_complete() {
    let protocol = protocol();
    let mut described = BTreeSet::new();
    for cells in rows(&protocol, "### Methods") {
        for name in spans(cells[0]) {
            if let Some(method) = ADVERTISED.iter().find(|method| method.name == name) {
                let access = match method.access {
                    Access::Scope(scope) => format!("`{scope}`"),
                    Access::Operator => "operator".to_owned(),
                    Access::Node => "role node".to_owned(),
                    Access::Anyone => "no client".to_owned(),
                };
                assert!(
                    cells[1].starts_with(&access),
                    "PROTOCOL.md, Methods: `{name}` requires {}, and {access} in core/src/wire/method.rs",
                    cells[1]
                );
            }
            described.insert(name.to_owned());
        }
    }
    // Known, and not advertised.
    described.retain(|name| name != "wake" && name != "connect");
    let advertised = ADVERTISED.iter().map(|method| method.name.to_owned()).collect();
    assert_same(&described, &advertised, "PROTOCOL.md, the table of methods");
}

/// Texts that users search for, the code spans of the first column, are those of the code.
#[test]
fn the_symptoms_of_the_troubleshooting_page_exist() {
    let sources = source_texts();
    let page = read("docs/troubleshooting.md");
    let tables = page
        .lines()
        .filter(|line| line.starts_with("| ") || line.starts_with("|`"));
    let mut seen = 0;
    for cell in tables.filter_map(|line| line.trim_matches('|').split('|').next()) {
        for words in spans(cell) {
            seen += 1;
            assert!(
                sources.iter().any(|text| text.contains(&*words)),
                "docs/troubleshooting.md: no source has `{words}`"
            );
        }
    }
    assert!(seen > 30, "{seen}");
}

fn source_texts() -> Vec<String> {
    fn collect(folder: &std::path::Path, texts: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, texts);
            } else {
                texts.push(fs::read_to_string(path).unwrap_or_default());
            }
        }
    }
    let mut texts = Vec::new();
    for folder in ["core/src", "native/src"] {
        collect(&root().join(folder), &mut texts);
    }
    // Their words are put together.
    let (kind, client) = (SecretKind::Token, ClientKind::Other);
    texts.push(WireError::secret_missing(kind, client, None).message.into());
    texts.push(WireError::secret_mismatch(kind, client).message.into());
    texts
}

fn assert_same(named: &BTreeSet<String>, real: &BTreeSet<String>, place: &str) {
    let missing: Vec<_> = real.difference(named).collect();
    let unknown: Vec<_> = named.difference(real).collect();
    assert!(missing.is_empty(), "{place}: add {missing:?}");
    assert!(unknown.is_empty(), "{place}: the code does not have {unknown:?}");
}

/// The next run of the benchmarks writes the page again, with these notes: text that is only in the page would be lost.
#[test]
fn the_notes_of_the_benchmarks_end_their_page() {
    let (notes, page) = (read("xtask/benchmarks.md"), read("BENCHMARKS.md"));
    assert!(page.trim_end().ends_with(notes.trim_end()));
}

/// The rows of the first table of a section, as cells.
fn rows<'a>(document: &'a str, title: &str) -> impl Iterator<Item = Vec<&'a str>> {
    section(document, title, "\n### ")
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
}

/// The code spans of a text.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn section<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap();
    rest.split_once(to).unwrap().0
}

fn protocol() -> String {
    read("PROTOCOL.md")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}
