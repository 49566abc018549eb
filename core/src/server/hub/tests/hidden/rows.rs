//! Rows that are masked once, and their keys.

use super::*;
use crate::wire::method::OWN_ROWS_CAP;

/// A row is masked when its text changed, whoever is sent it.
#[test]
fn lists_answers_and_findings_share_masked_rows() {
    const ROWS: u64 = 20;
    let mut hub = hub_of(200);
    for number in 0..ROWS {
        hub.join(handshake(&format!("id-{number}"), "ui", ALL), START);
    }
    // No connected client reads, and the `ts` of the gateway's own row differs at each poll.
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

/// Two followers, of which the second one requests snapshots between deltas.
struct Followers([(ConnId, Mirror); 2]);

impl Followers {
    fn join(hub: &mut Hub) -> Self {
        Self(["f", "g"].map(|name| {
            let conn = hub.join(reader(name, &[DELTA_CAP, HIDE_ADDRESSES_CAP]), START);
            (conn, Mirror::default())
        }))
    }

    fn request_snapshot(&self, hub: &mut Hub, now: Now) {
        hub.call(self.0[1].0, &request("presence.snapshot", json!({})), now);
    }

    /// Ends the window. Both follow what they are sent; returns how many deltas that is.
    fn follow(&mut self, hub: &mut Hub, now: Now) -> u32 {
        let deltas =
            |followers: &[(ConnId, Mirror)]| followers.iter().map(|(_, mirror)| mirror.deltas).sum::<u32>();
        let before = deltas(&self.0);
        hub.handle_timeout(now);
        for (to, frame) in sent(hub, &self.0.each_ref().map(|(conn, _)| *conn)) {
            let (_, mirror) = self.0.iter_mut().find(|(conn, _)| *conn == to).unwrap();
            let payload = &json(&frame)["payload"];
            mirror.follow(payload);
            mirror.follow(&payload["snapshot"]);
        }
        deltas(&self.0) - before
    }
}

/// Each delta leads to its digest, also if a reader got a snapshot since the one before.
#[test]
fn a_snapshot_between_deltas_changes_no_other_reader() {
    let mut hub = hub();
    let mut followers = Followers::join(&mut hub);
    let writer = hub.join(reader("w", &[]), START);
    followers.follow(&mut hub, START);
    let now = START.after(100);
    hub.call(writer, &request("system-event", json!({ "text": BY_IP })), now);
    let ids = json!({ "text": BY_IP, "instanceId": "lan-7" });
    hub.call(writer, &request("system-event", ids), now.after(10));
    followers.request_snapshot(&mut hub, now.after(10));
    // The snapshot has all that the second delta has.
    assert_eq!(followers.follow(&mut hub, now.after(100)), 3);
}

/// The masked key of an observed gateway's row changes; then it stays, changes back, or the row is removed.
#[test]
fn deltas_remove_all_keys_that_a_row_had_since_the_last_delta() {
    let by_ip = json!({ "text": BY_IP, "ip": "lan-7", "ts": START.wall_ms, "mode": "ui" });
    let mut by_id = by_ip.clone();
    by_id["instanceId"] = json!("lan-7");
    for (last, deltas) in [(Some(&by_id), 3), (Some(&by_ip), 4), (None, 4)] {
        let mut hub = hub();
        hub.observe(vec!["home".into()], START).unwrap();
        let mut followers = Followers::join(&mut hub);
        let write = |hub: &mut Hub, entry: Option<&Value>, now: Now| {
            let mut news = update("row:lan-7", entry.unwrap_or(&by_ip), now);
            if entry.is_none() {
                news.removed = news.put.drain(..).map(|row| row.key).collect();
            }
            hub.apply(SourceId(0), news, now);
        };
        followers.follow(&mut hub, START);
        let now = START.after(100);
        write(&mut hub, Some(&by_ip), now);
        write(&mut hub, Some(&by_id), now.after(10));
        followers.request_snapshot(&mut hub, now.after(10));
        write(&mut hub, last, now.after(20));
        assert_eq!(followers.follow(&mut hub, now.after(100)), deltas, "{last:?}");
    }
}

/// Lists of the own rows, which change at each pong, do not replace the masked rows of the merged list.
#[test]
fn the_rows_of_both_lists_are_kept() {
    let mut hub = hub_of(400);
    hub.observe(vec!["home".into()], START).unwrap();
    for number in 0..200 {
        let key = format!("observed-{number}");
        let entry = json!({ "instanceId": key, "ts": START.wall_ms, "mode": "ui" });
        hub.apply(SourceId(0), update(&key, &entry, START), START);
    }
    let own: Vec<ConnId> = (0..100)
        .map(|number| hub.join(handshake(&format!("own-{number}"), "ui", ALL), START))
        .collect();
    let lister = hub.join(reader("l", &[HIDE_ADDRESSES_CAP]), START);
    let observer = hub.join(reader("o", &[HIDE_ADDRESSES_CAP, OWN_ROWS_CAP]), START);
    let rows = |hub: &mut Hub, conn: ConnId, now: Now| {
        let before = hub.hidden.rows_made();
        let answer = call(hub, conn, "system-presence", json!({}), now);
        let listed = answer["payload"].as_array().unwrap().len();
        (listed, hub.hidden.rows_made() - before)
    };
    let mut now = START.after(1);
    // With the own row of each gateway.
    assert_eq!(rows(&mut hub, lister, now).0, 302);
    for _ in 0..2 {
        now = now.after(20_000);
        own.iter().for_each(|&conn| hub.pong(conn, now));
        assert_eq!(rows(&mut hub, observer, now), (101, 101));
    }
    let (listed, made) = rows(&mut hub, lister, now);
    assert_eq!(listed, 302);
    assert!(made <= 1, "{made}");
}
