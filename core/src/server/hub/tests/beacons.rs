//! Rights of beacons.

use super::*;

#[test]
fn own_beacons_need_no_scope_and_others_do() {
    let mut hub = hub();
    let conn = hub.join(handshake("a", "cli", &["operator.read"]), START);
    assert_eq!(hub.rows(), 1, "one-off commands make no row");
    let own = call(
        &mut hub,
        conn,
        "system-event",
        json!({ "text": "hi", "instanceId": " A" }),
        START,
    );
    assert_eq!(own["payload"], json!({ "ok": true }));
    let other = call(&mut hub, conn, "system-event", json!({ "text": "hi" }), START);
    assert_eq!(other["error"]["message"], "missing scope: operator.write");
    let gateway = call(
        &mut hub,
        conn,
        "system-event",
        json!({ "text": "hi", "instanceId": "self-1" }),
        START,
    );
    assert_eq!(gateway["ok"], false);
    assert_eq!(hub.rows(), 2);
}

#[test]
fn an_own_id_does_not_open_the_row_of_another_device() {
    let mut hub = hub();
    let mut victim = handshake("v", "ui", &[]);
    Arc::make_mut(&mut victim.client).instance_id = None;
    victim.device_id = Some("dev1".into());
    hub.join(victim, START);
    let thief = hub.join(handshake("a", "cli", &[]), START);
    let params = json!({ "text": "hi", "instanceId": "a", "deviceId": "dev1" });
    let answer = call(&mut hub, thief, "system-event", params, START);
    assert_eq!(answer["error"]["message"], "missing scope: operator.admin");
}
