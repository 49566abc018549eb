use super::*;

fn found(list: &str) -> Vec<Finding> {
    let list = RawEntry::parse_list(list).unwrap();
    findings(&list.iter().collect::<Vec<_>>(), None)
}

fn brief(list: &str) -> Vec<(&'static str, Vec<usize>, Confidence)> {
    found(list)
        .into_iter()
        .map(|finding| (finding.kind.code(), finding.rows, finding.confidence))
        .collect()
}

#[test]
fn a_healthy_list_has_no_findings() {
    let list = r#"[
        {"mode":"gateway","reason":"self","host":"pi","ip":"10.0.0.1","version":"1","instanceId":"g"},
        {"instanceId":"a","host":"studio","ip":"10.0.0.2","version":"1","reason":"connect"},
        {"instanceId":"b","host":"laptop","ip":"10.0.0.3","version":"1","reason":"periodic"},
        {"host":"lone","version":"1","reason":"connect"}
    ]"#;
    assert_eq!(brief(list), []);
    assert_eq!(brief("[]"), []);
}

#[test]
fn ids_that_differ_in_spelling() {
    for (a, b, difference) in [
        ("Mac-1", "mac-1", "case"),
        ("mac-1", " mac-1", "blanks"),
        ("Mac-1", "mac -1", "case and blanks"),
        ("Zo\u{e9}", "Zoe\u{301}", "their Unicode form"),
    ] {
        let list = format!(r#"[{{"instanceId":"{a}"}},{{"instanceId":"x"}},{{"instanceId":"{b}"}}]"#);
        let found = found(&list);
        assert_eq!(found.len(), 1, "{a} {b}");
        assert_eq!(
            (found[0].kind, &*found[0].rows),
            (FindingKind::IdSpelling, &[0, 2][..])
        );
        assert!(
            found[0].evidence[0].ends_with(&format!("differ by {difference} only.")),
            "{found:?}"
        );
    }
}

#[test]
fn a_trail_of_connections_without_an_id() {
    let row =
        |reason: &str| format!(r#"{{"host":"tab","version":"1","mode":"webchat","reason":"{reason}"}}"#);
    let (live, gone) = (row("connect"), row("disconnect"));
    let trail = format!("[{live},{gone},{gone}]");
    assert_eq!(
        brief(&trail),
        [("NO_INSTANCE_ID", alloc::vec![0, 1, 2], Confidence::High)]
    );
    let several = format!("[{live},{live}]");
    assert_eq!(
        brief(&several),
        [("NO_INSTANCE_ID", alloc::vec![0, 1], Confidence::Medium)]
    );
    let others = format!("[{live},{}]", live.replace("webchat", "ui"));
    assert_eq!(brief(&others), []);
}

#[test]
fn a_handshake_without_an_id_beside_beacons_with_one() {
    let list = r#"[
        {"host":"studio","version":"1.2","mode":"ui","reason":"connect","roles":["operator"]},
        {"host":"Studio","version":"1.2","ip":"10.0.0.5","mode":"local","reason":"periodic","instanceId":"mac-1"}
    ]"#;
    let found = found(list);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].kind, &*found[0].rows),
        (FindingKind::NoInstanceId, &[0, 1][..])
    );
    assert!(found[0].evidence[0].contains("\"mac-1\""));
}

#[test]
fn beacons_under_another_id_than_the_handshake() {
    // A mac app on a gateway of protocol 3: the row of the handshake is keyed by the device.
    let mac = r#"[
        {"host":"studio","version":"1.2","instanceId":"d1","deviceId":"d1","reason":"connect","roles":["operator"]},
        {"host":"studio","version":"1.2","instanceId":"mac-1","reason":"periodic"}
    ]"#;
    assert_eq!(
        brief(mac),
        [("BEACON_ID_DIFFERS", alloc::vec![0, 1], Confidence::Medium)]
    );
    let device = r#"[
        {"host":"a","instanceId":"i1","deviceId":"d1","reason":"connect"},
        {"host":"b","instanceId":"i2","deviceId":"D1","reason":"periodic"}
    ]"#;
    assert_eq!(
        brief(device),
        [("BEACON_ID_DIFFERS", alloc::vec![0, 1], Confidence::High)]
    );
    // The beacon belongs to the first handshake; the second is another program.
    let other = r#"[
        {"host":"studio","version":"1.2","instanceId":"mac-1","reason":"connect"},
        {"host":"studio","version":"1.2","instanceId":"node-1","reason":"node-connected"},
        {"host":"studio","version":"1.2","instanceId":"mac-1","reason":"periodic"}
    ]"#;
    assert_eq!(brief(other), []);
}

#[test]
fn disconnect_rows_beside_a_live_one() {
    let list = r#"[
        {"instanceId":"a","reason":"connect"},
        {"instanceId":"b","reason":"disconnect"},
        {"instanceId":"A","reason":"disconnect"}
    ]"#;
    assert_eq!(
        brief(list),
        [("ID_SPELLING", alloc::vec![0, 2], Confidence::High)]
    );
    let same = list.replace("\"A\"", "\"a\"");
    assert_eq!(
        brief(&same),
        [("STALE_DISCONNECT", alloc::vec![0, 2], Confidence::High)]
    );
    let device = r#"[
        {"deviceId":"d","mode":"ui","reason":"connect"},
        {"deviceId":"d","mode":"ui","reason":"disconnect"},
        {"deviceId":"d","mode":"node","reason":"disconnect"}
    ]"#;
    assert_eq!(
        brief(device),
        [("STALE_DISCONNECT", alloc::vec![0, 1], Confidence::Medium)]
    );
}

#[test]
fn one_machine_under_two_ids() {
    let row = |id: &str, reason: &str| {
        format!(
            r#"{{"host":"h","ip":"10.0.0.2","version":"1","mode":"ui","instanceId":"{id}","reason":"{reason}"}}"#
        )
    };
    let trail = format!("[{},{}]", row("a", "connect"), row("b", "disconnect"));
    assert_eq!(
        brief(&trail),
        [("SAME_MACHINE", alloc::vec![0, 1], Confidence::Medium)]
    );
    let tabs = format!("[{},{}]", row("a", "connect"), row("b", "connect"));
    assert_eq!(
        brief(&tabs),
        [("SAME_MACHINE", alloc::vec![0, 1], Confidence::Low)]
    );
    let elsewhere = tabs.replacen("10.0.0.2", "10.0.0.3", 1);
    assert_eq!(brief(&elsewhere), []);
}

#[test]
fn the_gateway_is_never_part_of_a_finding() {
    let list = r#"[
        {"mode":"gateway","reason":"self","host":"pi","ip":"10.0.0.1","version":"1","instanceId":"G"},
        {"host":"pi","ip":"10.0.0.1","version":"1","instanceId":"g","reason":"connect"}
    ]"#;
    assert_eq!(brief(list), []);
}

#[test]
fn placeholders_as_ids() {
    let list = r#"[
        {"instanceId":" Undefined","host":"a","reason":"connect"},
        {"instanceId":"undefined","host":"b","reason":"disconnect"},
        {"instanceId":"none-1","host":"c","reason":"connect"},
        {"deviceId":"00000000-0000-0000-0000-000000000000","host":"d","reason":"connect"},
        {"host":"none","reason":"connect"}
    ]"#;
    // Neither a spelling nor a stale row of one client.
    assert_eq!(
        brief(list),
        [
            ("PLACEHOLDER_ID", alloc::vec![0, 1], Confidence::High),
            ("PLACEHOLDER_ID", alloc::vec![3], Confidence::High)
        ]
    );
    let found = found(list);
    assert_eq!(found[0].severity(), Severity::Error);
    assert!(
        found[0].evidence[0].starts_with("instanceId \" Undefined\" "),
        "{found:?}"
    );
    assert!(found[1].evidence[0].starts_with("deviceId \"0000"), "{found:?}");
}

#[test]
fn apps_and_nodes_without_an_address() {
    let list = r#"[
        {"mode":"gateway","reason":"self","host":"Jos-Mac.local","ip":"10.0.0.1"},
        {"host":"Jo’s Mac","mode":"ui","modelIdentifier":"Mac16,6","instanceId":"a","reason":"connect"},
        {"host":"jos-mac.local","mode":"node","instanceId":"b","reason":"node-connected"},
        {"host":"Far","mode":"ui","modelIdentifier":"Mac16,6","instanceId":"c","reason":"connect"},
        {"host":"pi","mode":"node","instanceId":"d","ip":"ip-unknown","reason":"node-connected"},
        {"host":"near","mode":"node","instanceId":"e","ip":"10.0.0.2","reason":"node-connected"},
        {"host":"gone","mode":"node","instanceId":"f","reason":"disconnect"},
        {"host":"Control UI","mode":"webchat","deviceFamily":"Mac","instanceId":"g","reason":"connect"},
        {"host":"told","mode":"ui","modelIdentifier":"Mac16,6","instanceId":"h","reason":"periodic"},
        {"host":"other","mode":"node","instanceId":"i","reason":"connect","gateway":"home"}
    ]"#;
    let found = found(list);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].kind, &*found[0].rows),
        (FindingKind::NoAddress, &[3, 4][..])
    );
    assert_eq!(found[0].severity(), Severity::Info);
    assert!(
        found[0].evidence[0].ends_with(r#": "Far" and "pi"."#),
        "{found:?}"
    );
    // Without the gateway's row its host is not known.
    assert_eq!(brief(&list.replace("\"self\"", "\"connect\"")), []);
}

#[test]
fn a_missing_address_does_not_hide_a_finding_about_ids() {
    let list = r#"[
        {"mode":"gateway","reason":"self","host":"g"},
        {"host":"far","mode":"node","instanceId":"null","reason":"node-connected"}
    ]"#;
    assert_eq!(
        brief(list),
        [
            ("PLACEHOLDER_ID", alloc::vec![1], Confidence::High),
            ("NO_ADDRESS", alloc::vec![1], Confidence::Medium)
        ]
    );
}

#[test]
fn a_list_that_is_nearly_full() {
    let near = |rows: usize, max_entries: Option<usize>| {
        let list: Vec<String> = (0..rows)
            .map(|n| format!(r#"{{"instanceId":"i{n}","reason":"connect"}}"#))
            .chain([r#"{"instanceId":"o","gateway":"home"}"#.into()])
            .collect();
        let list = RawEntry::parse_list(&format!("[{}]", list.join(","))).unwrap();
        let found = findings(&list.iter().collect::<Vec<_>>(), max_entries);
        assert!(
            found
                .iter()
                .all(|finding| finding.kind == FindingKind::NearCap && finding.rows.is_empty())
        );
        found
            .first()
            .map(|finding| (finding.confidence, finding.evidence[0].clone()))
    };
    assert_eq!(near(179, None), None);
    let assumed = "180 of at most 200 rows: the cap of OpenClaw, as the list does not state one.";
    assert_eq!(near(180, None), Some((Confidence::Medium, assumed.into())));
    assert!(near(200, None).is_some());
    // More rows than that: the cap is another.
    assert_eq!(near(201, None), None);
    assert_eq!(near(44, Some(50)), None);
    assert_eq!(
        near(45, Some(50)),
        Some((Confidence::High, "45 of at most 50 rows.".into()))
    );
    assert_eq!(near(180, Some(1_000)), None);
}

#[test]
fn low_confidence_makes_a_finding_an_info() {
    let row = |id: &str| format!(r#"{{"host":"h","ip":"1.1.1.1","version":"1","instanceId":"{id}"}}"#);
    let found = found(&format!("[{},{}]", row("a"), row("b")));
    assert_eq!(
        (found[0].kind, found[0].confidence),
        (FindingKind::SameMachine, Confidence::Low)
    );
    assert_eq!(found[0].kind.severity(), Severity::Warning);
    assert_eq!(found[0].severity(), Severity::Info);
}

#[test]
fn a_report_has_the_members_of_openclaws_doctor() {
    let list = r#"[{"instanceId":"Mac-1"},{"instanceId":"x"},{"instanceId":"mac-1"}]"#;
    let found = found(list);
    let json = |keys: &[&str], is_indexed| {
        let json = found[0].to_json(&mut keys.iter().copied(), is_indexed);
        serde_json::from_str::<serde_json::Value>(&json).unwrap()
    };
    let mut expected = serde_json::json!({
        "checkId": "presence/id-spelling",
        "severity": "warning",
        "message": "One id is written in more than one way. instanceId \"Mac-1\" and \"mac-1\" differ by case only.",
        "target": "instance:mac-1",
        "fixHint": FindingKind::IdSpelling.fix(),
        "code": "ID_SPELLING",
        "title": "One id is written in more than one way.",
        "confidence": "high",
        "evidence": ["instanceId \"Mac-1\" and \"mac-1\" differ by case only."],
        "rows": ["instance:mac-1"],
    });
    assert_eq!(json(&["instance:mac-1"], false), expected);
    expected["indexes"] = serde_json::json!([0, 2]);
    assert_eq!(json(&["instance:mac-1"], true), expected);
    let nothing = json(&[], false);
    assert_eq!(nothing["rows"], serde_json::json!([]));
    assert!(nothing.get("target").is_none());
}

#[test]
fn every_kind_has_its_own_code() {
    let mut codes = FindingKind::OF_LISTS.map(FindingKind::code);
    codes.sort_unstable();
    assert!(codes.windows(2).all(|pair| pair[0] != pair[1]));
    let is_tidy = |kind: FindingKind| {
        kind.check_id() == format!("presence/{}", kind.code().replace('_', "-").to_lowercase())
    };
    assert!(FindingKind::OF_LISTS.into_iter().all(is_tidy));
}

#[test]
fn the_length_of_evidence_is_bounded() {
    let long = "x".repeat(1_000);
    let rows: Vec<String> = (0..50)
        .map(|n| format!(r#"{{"instanceId":"{long}{}"}}"#, " ".repeat(n)))
        .collect();
    let found = found(&format!("[{}]", rows.join(",")));
    assert_eq!(found[0].rows.len(), 50);
    assert!(found[0].evidence[0].len() < 400);
}

#[test]
fn ten_thousand_like_rows_take_no_quadratic_time() {
    let rows: Vec<String> = (0..10_000)
        .map(|n| {
            let reason = if n % 2 == 0 { "connect" } else { "periodic" };
            format!(r#"{{"host":"h","ip":"1.1.1.1","version":"1","instanceId":"i{n}","reason":"{reason}"}}"#)
        })
        .collect();
    let found = found(&format!("[{}]", rows.join(",")));
    assert!(found.iter().map(|finding| finding.rows.len()).sum::<usize>() <= 20_000);
}
