//! A reader from whom addresses are hidden cannot confirm a guessed address.

use alloc::format;

use super::*;
use crate::server::{Introduction, Refused};
use crate::wire::history::HistoryQuery;
use crate::wire::method::HIDE_ADDRESSES_CAP;

const ALL: &[&str] = &["operator.admin", "operator.read", "operator.pairing"];

fn reader(name: &str, caps: &[&str]) -> Handshake {
    Handshake {
        caps: caps.iter().map(|&cap| cap.into()).collect(),
        ..handshake(name, "cli", ALL)
    }
}

fn refused(client_id: &str) -> Refused {
    Refused {
        code: "DEVICE_AUTH_SIGNATURE_EXPIRED".into(),
        message: "".into(),
        client: Introduction {
            id: Some(client_id.into()),
            ..Introduction::default()
        },
        clock_skew_ms: Some(90_000),
    }
}

/// Returns the answers to a reader about rows and sessions at the address `real`, with other clients at `guess`.
fn told(caps: &[&str], real: &str, guess: &str) -> Value {
    let mut hub = hub();
    let asks = hub.join(reader("r", caps), START);
    let at = |name: &str, ip: &str, display_name: Option<&str>| {
        let mut client = handshake(name, "ui", ALL);
        let info = Arc::make_mut(&mut client.client);
        info.display_name = display_name.map(Into::into);
        client.remote_ip = Some(ip.into());
        client
    };
    // Unnamed clients that come and go, with an id each, as from one browser or several.
    for number in 0..6 {
        let now = START.after(number * 100);
        let ip = if number % 2 == 0 { real } else { guess };
        let conn = hub.join(at(&format!("tab-{number}"), ip, None), now);
        hub.leave(conn, LeaveCause::PeerClosed, now.after(50));
    }
    let now = START.after(1_000);
    let left = hub.join(at("real", real, Some("mac")), now);
    hub.leave(left, LeaveCause::PeerClosed, now.after(100));
    for (id, text) in [("guess", "one"), ("other", "two")] {
        let params = json!({ "text": text, "instanceId": id, "host": "mac", "ip": guess, "version": "1", "platform": "linux" });
        call(&mut hub, asks, "system-event", params, now.after(200));
    }
    // Clients that are named as their addresses, each with another id.
    for number in 0..6 {
        let now = START.after(2_000 + number * 100);
        let name = if number % 2 == 0 { real } else { guess };
        let conn = hub.join(at(&format!("named-{number}"), "192.0.2.1", Some(name)), now);
        hub.leave(conn, LeaveCause::PeerClosed, now.after(50));
        // Their clocks are off.
        hub.refused(&refused(&format!("app at {name}")), now);
    }
    hub.refused(&refused("app at 203.0.113.80"), now);
    // One id twice, of another version than those.
    let now = START.after(3_000);
    for name in [real, guess] {
        let mut client = at("named", "192.0.2.1", Some(name));
        Arc::make_mut(&mut client.client).version = "2".into();
        hub.join(client, now);
    }
    hub.join(at("twin", real, None), now);
    hub.join(at("twin", guess, None), now);
    let now = now.after(60_000);
    let mut told = vec![call(&mut hub, asks, "presence.explain", json!({}), now)];
    for row in ["real", "guess", "other", "twin", "tab-0", "named", "named-1"] {
        told.push(call(
            &mut hub,
            asks,
            "presence.explain",
            json!({ "row": row }),
            now,
        ));
    }
    json!(told)
}

#[test]
fn findings_confirm_no_guess() {
    let (real, wrong) = ("203.0.113.77", "203.0.113.99");
    let hidden = |guess: &str| told(&[HIDE_ADDRESSES_CAP], real, guess);
    assert_eq!(hidden(real), hidden(wrong));
    assert_ne!(hidden(real)[0]["payload"]["findings"], json!([]));
    let checks = |caps: &[&str]| told(caps, real, wrong)[0]["payload"]["checks"].to_string();
    assert!(!checks(&[HIDE_ADDRESSES_CAP]).contains("presence/no-address"));
    assert!(checks(&[]).contains("presence/no-address"));
    // Readers from whom addresses are not hidden get other findings for each guess.
    let kinds = |guess: &str| told(&[], real, guess)[0]["payload"]["findings"].clone();
    assert_ne!(kinds(real), kinds(wrong));
    for code in ["NEW_ID_EACH_CONNECT", "CLIENT_CLOCK", "TWO_SOCKETS"] {
        let found = hidden(real)[0]["payload"]["findings"].to_string();
        assert!(found.contains(code), "{code}: {found}");
    }
}

/// Rows that went for lack of room, by the client that most of them made room for.
#[test]
fn evictions_confirm_no_guess() {
    let told = |guess: &str| {
        let mut hub = hub_of(6);
        let asks = hub.join(reader("r", &[HIDE_ADDRESSES_CAP]), START);
        for number in 0..30 {
            let now = START.after(number * 100);
            let name = ["203.0.113.77", guess, "a third one"][number as usize % 3];
            let mut client = handshake(&format!("id-{number}"), "ui", ALL);
            Arc::make_mut(&mut client.client).display_name = Some(name.into());
            let conn = hub.join(client, now);
            hub.leave(conn, LeaveCause::PeerClosed, now.after(10));
        }
        call(&mut hub, asks, "presence.explain", json!({}), START.after(4_000))
    };
    let right = told("203.0.113.77");
    assert_eq!(right, told("203.0.113.99"));
    assert!(right.to_string().contains("EVICTIONS"), "{right}");
}

#[test]
fn the_history_is_not_queried_for_a_key_that_may_be_a_cut_address() {
    let mut hub = hub();
    let asks = hub.join(reader("r", &[HIDE_ADDRESSES_CAP]), START);
    let cut = format!("{}203.0.113.", "x".repeat(54));
    for (instance, is_answered) in [("203.0.113.77", false), (&cut, false), (&cut[1..], true)] {
        let query = HistoryQuery {
            instance: Some(instance.into()),
            ..HistoryQuery::default()
        };
        let checked = hub.check_history_query(asks.slot, &query);
        assert_eq!(checked.is_ok(), is_answered, "{instance}");
    }
}

#[test]
fn a_device_id_of_an_own_row_confirms_no_key() {
    let mut hub = hub();
    let mut client = handshake("own", "ui", &["operator.read"]);
    client.caps = [HIDE_ADDRESSES_CAP.into()].into();
    let asks = hub.join(client, START);
    let writer = hub.join(reader("w", &[]), START);
    let text =
        "Node: unknown (203.0.113.77) \u{b7} app 1 \u{b7} last input 1s ago \u{b7} mode ui \u{b7} reason r";
    call(&mut hub, writer, "system-event", json!({ "text": text }), START);
    let beacon = json!({ "text": "x", "instanceId": "own", "deviceId": "203.0.113.77" });
    assert_eq!(call(&mut hub, asks, "system-event", beacon, START)["ok"], true);
    for (method, params) in [
        ("presence.snapshot", json!({})),
        ("presence.explain", json!({ "row": "own" })),
    ] {
        let told = call(&mut hub, asks, method, params, START)["payload"].to_string();
        let pseudonyms = told.matches("HIDDEN:").count();
        assert_eq!(pseudonyms, usize::from(method == "presence.snapshot"), "{told}");
    }
}

/// Beacons with a guessed host, in turn with those of the client that has the real one.
#[test]
fn turns_confirm_no_guess() {
    let told = |guess: &str| {
        let mut hub = hub();
        let asks = hub.join(reader("twin", &[HIDE_ADDRESSES_CAP]), START);
        let real = hub.join(handshake("twin", "beacon", ALL), START);
        for number in 0..6 {
            let (conn, host) = [(real, "203.0.113.77"), (asks, guess)][number % 2];
            let params = json!({ "text": "t", "instanceId": "twin", "host": host });
            call(&mut hub, conn, "system-event", params, START.after(number as u64));
        }
        call(&mut hub, asks, "presence.explain", json!({}), START.after(100)).to_string()
    };
    assert_eq!(told("203.0.113.77"), told("203.0.113.99"));
    assert!(told("laptop").contains("ID_IN_TWO_PLACES"));
}
