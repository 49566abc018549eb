//! Each mistake that a gateway can find, made by real clients over sockets, and its healthy variants.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod healthy;
mod lab;
mod listed;
mod made;

use std::collections::BTreeSet;

use presence_core::findings::FindingKind;
use serde_json::Value;

/// The words of the fix that a finding has to name.
fn fix(code: &str) -> &'static str {
    match code {
        "PLACEHOLDER_ID" => "Make the id once, store it",
        "ID_SPELLING" => "send exactly the stored text everywhere",
        "NO_INSTANCE_ID" => "Send a stable client.instanceId",
        "BEACON_ID_DIFFERS" => "Send one instanceId in both the handshake",
        "SAME_MACHINE" => "Keep the instanceId in storage",
        "NO_ADDRESS" => "X-Forwarded-For",
        "NEAR_CAP" => "--max-entries",
        "NEW_ID_EACH_CONNECT" => "Store the instanceId where it survives restarts",
        "ID_IN_TWO_PLACES" => "Delete the stored instanceId",
        "TWO_SOCKETS" => "one connection per tab",
        "FLAPPING" => "Keep one connection open and answer pings",
        "CLIENT_CLOCK" => "Set the machine's clock",
        "EVICTIONS" => "stable instanceId",
        "BEACONS_TOO_OFTEN" => "every 60 s",
        "STALE_DISCONNECT" => "Show one row per instance",
        _ => panic!("no fix for {code}"),
    }
}

fn code(finding: &Value) -> &str {
    finding["code"].as_str().unwrap()
}

/// Whether it has a severity, a confidence and evidence.
fn is_complete(finding: &Value) -> bool {
    let is_one_of =
        |member: &str, words: &[&str]| finding[member].as_str().is_some_and(|word| words.contains(&word));
    is_one_of("severity", &["error", "warning", "info"])
        && is_one_of("confidence", &["high", "medium", "low"])
        && finding["evidence"]
            .as_array()
            .is_some_and(|evidence| !evidence.is_empty())
}

#[tokio::test]
async fn every_mistake_is_found_and_no_healthy_client_is_blamed() {
    let mut found = 0;
    let mut missed = Vec::new();
    for (name, wanted) in made::ALL.into_iter().chain(listed::MADE) {
        let findings = if made::ALL.iter().any(|(made, _)| *made == name) {
            made::make(name).await.end().await
        } else {
            listed::make(name).await
        };
        let has = |wanted: &str| {
            let mut ours = findings.iter().filter(|finding| code(finding) == wanted);
            ours.any(|finding| {
                is_complete(finding) && finding["fixHint"].as_str().unwrap().contains(fix(wanted))
            })
        };
        let has_all = wanted.iter().all(|wanted| has(wanted));
        if has_all && findings.len() == wanted.len() {
            found += 1;
        } else {
            missed.push(format!("{name}: {findings:?}"));
        }
    }
    // A list alone gives less confidence.
    let findings = made::make("no id, but beacons with one").await.end().await;
    assert_eq!(findings[0]["confidence"], "high");
    let mut alarms = Vec::new();
    for name in healthy::ALL.into_iter().chain(listed::HEALTHY) {
        let findings = if healthy::ALL.contains(&name) {
            healthy::make(name).await.end().await
        } else {
            listed::make(name).await
        };
        if !findings.is_empty() {
            alarms.push(format!("{name}: {findings:?}"));
        }
    }
    let made = made::ALL.len() + listed::MADE.len();
    let healthy = healthy::ALL.len() + listed::HEALTHY.len();
    println!(
        "found {found} of {made} made, {} false alarms of {healthy} healthy",
        alarms.len()
    );
    let stated = format!(
        "{found} of {made} mistakes are found, with the right fix, and there are\n{} false alarms in {healthy} healthy situations",
        alarms.len()
    );
    let documented = include_str!("../../../docs/troubleshooting.md");
    assert!(missed.is_empty(), "not found as wanted:\n{}", missed.join("\n"));
    assert!(alarms.is_empty(), "false alarms:\n{}", alarms.join("\n"));
    assert!(documented.contains(&stated), "{stated}");
}

#[test]
fn each_finding_is_made() {
    let made: BTreeSet<&str> = made::ALL
        .iter()
        .chain(&listed::MADE)
        .flat_map(|(_, wanted)| *wanted)
        .copied()
        .collect();
    assert_eq!(made, FindingKind::all().map(FindingKind::code).collect());
}

/// The secret is checked before the clock (SPEC 2, *connect*), so the gateway stores nothing of clients without it.
#[tokio::test]
async fn a_wrong_clock_is_reported_only_for_clients_with_the_secret() {
    let off = lab::Person {
        device: Some(1),
        clock_off_ms: -660_000,
        ..lab::MAC
    };
    let mut lab = lab::Lab::new(|_| ()).await;
    let stranger = lab::Person {
        token: "wrong",
        ..off
    };
    let refusal = lab.try_join(&stranger).await.unwrap_err();
    assert_eq!(refusal["details"]["code"], "AUTH_TOKEN_MISMATCH");
    assert_eq!(lab.end().await, Vec::<Value>::new());

    let mut lab = lab::Lab::new(|_| ()).await;
    let refusal = lab.try_join(&off).await.unwrap_err();
    assert_eq!(refusal["details"]["code"], "DEVICE_AUTH_SIGNATURE_EXPIRED");
    let found = lab.end().await;
    assert_eq!(found.iter().map(code).collect::<Vec<_>>(), ["CLIENT_CLOCK"]);
}
