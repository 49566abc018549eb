//! The number and length of findings are bounded for any clients.

use super::*;

#[test]
fn the_size_of_answers_is_bounded() {
    let mut lab = Lab::new(20_000);
    let long = "x".repeat(1_000);
    for n in 0..4_000 {
        let mut other = handshake(&alloc::format!("{n}{long}"), "ui", &[]);
        let client = Arc::make_mut(&mut other.client);
        client.display_name = Some(alloc::format!("{n}{long}").into());
        if n % 2 == 0 {
            client.instance_id = Some("undefined".into());
        }
        client.id = alloc::format!("{n}{long}").into();
        other.conn_id = alloc::format!("c{n}").into();
        let conn = lab.hub.join(other, lab.now);
        if n % 4 == 0 {
            lab.leave(conn);
        }
    }
    while lab.hub.poll_output().is_some() {}
    let answer = call(&mut lab.hub, lab.reader, "presence.explain", json!({}), lab.now);
    assert!(answer.to_string().len() < 300 * 1_024);
    assert_eq!(answer["payload"]["findings"].as_array().unwrap().len(), 64);
    assert!(answer["payload"]["findingsLeftOut"].as_u64().unwrap() > 100);
}
