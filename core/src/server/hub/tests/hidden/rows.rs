//! Rows that are masked once, and their keys.

use super::*;

/// A row is masked when its text changed, whoever is sent it.
#[test]
fn lists_answers_and_findings_share_masked_rows() {
    const ROWS: u64 = 20;
    let mut hub = hub_of(200);
    for number in 0..ROWS {
        hub.join(handshake(&format!("id-{number}"), "ui", ALL), START);
    }
    // Nobody is connected who reads, and each poll has another `ts` of the gateway's own row.
    let mut now = START;
    for polls in 1..10 {
        now = now.after(1);
        hub.polled_list(true, now);
        assert_eq!(
            hub.hidden.rows_made(),
            ROWS + polls,
            "all rows once, and the gateway's own"
        );
    }
    let asks = hub.join(reader("r", &[HIDE_ADDRESSES_CAP]), now);
    let follower = hub.join(reader("f", &[HIDE_ADDRESSES_CAP, DELTA_CAP]), now);
    now = now.after(60);
    hub.handle_timeout(now);
    let before = hub.hidden.rows_made();
    for (conn, method, params) in [
        (asks, "system-presence", json!({})),
        (follower, "presence.snapshot", json!({})),
        (asks, "presence.explain", json!({})),
        (asks, "presence.explain", json!({ "row": "id-3" })),
    ] {
        assert_eq!(call(&mut hub, conn, method, params, now)["ok"], true);
    }
    let own = hub.hidden.rows_made() - before;
    assert!(own <= 1, "{own}");
    // One row changes.
    let beacon = json!({ "text": "at 10.0.0.5", "instanceId": "id-4" });
    call(&mut hub, asks, "system-event", beacon, now);
    now = now.after(60);
    hub.handle_timeout(now);
    call(&mut hub, asks, "system-presence", json!({}), now);
    let made = hub.hidden.rows_made() - before - own;
    assert!(made <= 3, "{made}");
    // Rows that are no longer listed are not kept.
    for number in 0..300 {
        let beacon = json!({ "text": format!("text {number}"), "instanceId": "id-4" });
        now = now.after(10);
        call(&mut hub, asks, "system-event", beacon, now);
        call(&mut hub, asks, "system-presence", json!({}), now);
    }
    let (kept, most) = hub.hidden.rows_kept();
    assert!(kept <= 2 * most && most < 100, "{kept} {most}");
    hub.leave(asks, LeaveCause::PeerClosed, now);
    hub.leave(follower, LeaveCause::PeerClosed, now);
    assert_eq!(hub.hidden.rows_kept().0, 0);
}

/// A row is keyed by an `ip` that is no address, until another write states the key as an id.
#[test]
fn an_ip_that_is_no_address_is_hidden_in_the_key() {
    let mut hub = hub();
    let follower = hub.join(reader("f", &[DELTA_CAP, HIDE_ADDRESSES_CAP]), START);
    let writer = hub.join(reader("w", &[]), START);
    let mut mirror = Mirror::default();
    let mut follow = |hub: &mut Hub, now: Now| {
        hub.handle_timeout(now);
        for text in frames(hub, follower) {
            if text.contains("presence") {
                let frame = json(&text);
                mirror.follow(&frame["payload"]);
                mirror.follow(&frame["payload"]["snapshot"]);
            }
        }
        mirror.rows.keys().cloned().collect::<Vec<_>>()
    };
    follow(&mut hub, START);
    let mut now = START.after(100);
    hub.call(writer, &request("system-event", json!({ "text": BY_IP })), now);
    let keys = follow(&mut hub, now);
    let pseudonym = keys
        .iter()
        .find(|key| key.starts_with("HIDDEN:"))
        .unwrap()
        .clone();
    assert!(!keys.contains(&"lan-7".into()), "{keys:?}");
    for (conn, row, is_known) in [
        (follower, &*pseudonym, true),
        (follower, "lan-7", false),
        (follower, "LAN-7", false),
        (writer, "lan-7", true),
    ] {
        let answer = call(&mut hub, conn, "presence.explain", json!({ "row": row }), now);
        assert_eq!(answer["ok"], is_known, "{answer}");
        if is_known {
            assert_eq!(answer["payload"]["row"]["key"], row);
            assert_eq!(answer["payload"]["row"]["keyFrom"], "ip");
        }
    }
    // An id states the key.
    now = now.after(100);
    let beacon = json!({ "text": BY_IP, "instanceId": "lan-7" });
    hub.call(writer, &request("system-event", beacon), now);
    let keys = follow(&mut hub, now);
    assert!(
        keys.contains(&"lan-7".into()) && !keys.contains(&pseudonym),
        "{keys:?}"
    );
    // A row that gets an id does not show the key that it had.
    now = now.after(100);
    let other = BY_IP.replace("lan-7", "lan-9");
    hub.call(
        writer,
        &request("system-event", json!({ "text": other, "deviceId": "d" })),
        now,
    );
    hub.call(writer, &request("system-event", json!({ "text": other })), now);
    let answer = call(&mut hub, follower, "presence.snapshot", json!({}), now);
    assert!(!answer.to_string().contains("lan-9"), "{answer}");
}
