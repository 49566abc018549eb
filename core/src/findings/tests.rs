use super::*;

fn found(list: &str) -> Vec<Finding> {
    let list = RawEntry::parse_list(list).unwrap();
    findings(&list.iter().collect::<Vec<_>>())
}

fn brief(list: &str) -> Vec<(&'static str, Vec<usize>, Confidence)> {
    found(list)
        .into_iter()
        .map(|finding| (finding.kind.code(), finding.rows, finding.confidence))
        .collect()
}

#[test]
fn a_healthy_list_has_none() {
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
    // What a mac app looks like on a gateway of protocol 3: the handshake goes by the device.
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
fn the_gateway_is_never_part_of_one() {
    let list = r#"[
        {"mode":"gateway","reason":"self","host":"pi","ip":"10.0.0.1","version":"1","instanceId":"G"},
        {"host":"pi","ip":"10.0.0.1","version":"1","instanceId":"g","reason":"connect"}
    ]"#;
    assert_eq!(brief(list), []);
}

#[test]
fn evidence_stays_short_whatever_the_rows_say() {
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
