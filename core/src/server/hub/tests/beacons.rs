//! Rights of beacons.

use super::*;

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
