//! The client's roster, and when it requests the list.

use alloc::format;
use alloc::vec;

use super::bench::*;
use crate::client::event::{ClientEvent, ClientState};
use crate::client::mirror::RosterDiff;
use crate::model::status::Status;

#[test]
fn presence_events_replace_the_list() {
    let mut bench = Bench::live(config(), 4, &format!("[{}]", row("a", 0)));
    assert_eq!(bench.status("instance:a"), Some(Status::Active));
    bench.receive(&format!(
        r#"{{"type":"event","event":"presence","payload":{{"presence":[{}]}},"seq":1,
            "stateVersion":{{"presence":2,"health":1}}}}"#,
        row("b", 0)
    ));
    assert_eq!(
        (bench.status("instance:a"), bench.status("instance:b")),
        (None, Some(Status::Active))
    );
    let expected = RosterDiff {
        added: vec!["instance:b".into()],
        removed: vec!["instance:a".into()],
        ..RosterDiff::default()
    };
    assert_eq!(bench.events.last(), Some(&ClientEvent::Roster(expected)));
}

#[test]
fn statuses_change_on_the_gateways_clock() {
    let mut bench = Bench::live(config(), 4, &format!("[{},{}]", gateway(), row("a", 20_000)));
    bench.pass_with_ticks(97_000);
    assert_eq!(bench.count("system-presence"), 0);
    // Two seconds before, the client requests the list; nothing is new in it.
    bench.pass(1_001);
    assert_eq!(bench.count("system-presence"), 1);
    let list = format!("[{}]", row("a", 20_000));
    bench.answer("system-presence", &list);
    bench.pass(1_999);
    assert_eq!(
        (bench.now.age_ms - START.age_ms, bench.status("instance:a")),
        (100_000, Some(Status::Active))
    );
    bench.pass(1);
    assert_eq!(bench.status("instance:a"), Some(Status::Idle));
    assert_eq!(bench.status_events(), 1);
}

/// Answers a request for the list like a gateway that just received a pong.
fn answer_fresh(bench: &mut Bench) {
    if bench.client.hold_until_ms().is_some() {
        let ts = bench.server_ms();
        let list = format!(r#"[{{"instanceId":"a","reason":"connect","ts":{ts}}}]"#);
        bench.answer("system-presence", &list);
    }
}

#[test]
fn a_row_whose_touch_was_not_announced_does_not_flicker() {
    let mut bench = Bench::live(config(), 4, &format!("[{},{}]", gateway(), row("a", 0)));
    for second in 0..900 {
        bench.pass(1_000);
        answer_fresh(&mut bench);
        if second % 30 == 0 {
            bench.tick();
        }
    }
    assert_eq!(bench.status_events(), 0);
    assert_eq!(
        bench.count("system-presence"),
        7,
        "once per two minutes less two seconds"
    );
}

#[test]
fn late_timers_of_a_hidden_page_do_not_make_statuses_flap() {
    let mut bench = Bench::live(config(), 4, &format!("[{},{}]", gateway(), row("a", 0)));
    bench.client.set_visible(false, bench.now);
    for _ in 0..20 {
        // Frames arrive, but the timer fires only once a minute.
        bench.now = bench.now.after(25_000);
        bench.tick();
        bench.sleep(35_000);
        bench.now = bench.now.after(20);
        answer_fresh(&mut bench);
    }
    assert_eq!(
        (bench.status_events(), bench.client.state()),
        (0, ClientState::Live)
    );
}

#[test]
fn statuses_wait_at_most_5_s_for_an_answer() {
    let mut bench = Bench::live(config(), 4, &format!("[{},{}]", gateway(), row("a", 0)));
    bench.pass_with_ticks(118_001);
    assert_eq!(bench.count("system-presence"), 1);
    bench.pass(4_999);
    assert_eq!(bench.status("instance:a"), Some(Status::Active));
    bench.pass(1);
    assert_eq!(bench.status("instance:a"), Some(Status::Idle));
}

#[test]
fn a_watched_roster_of_protocol_3_is_requested_every_30_s() {
    let mut bench = Bench::live(config(), 3, &format!("[{}]", gateway()));
    bench.pass_with_ticks(90_000);
    assert_eq!(bench.count("system-presence"), 0);
    bench.client.set_watched(true, bench.now);
    bench.drain();
    for asked in 1..=3 {
        assert_eq!(bench.count("system-presence"), asked);
        bench.answer("system-presence", &format!("[{}]", gateway()));
        bench.pass(29_999);
        bench.tick();
        assert_eq!(bench.count("system-presence"), asked);
        bench.pass(1);
    }
    bench.client.set_visible(false, bench.now);
    let asked = bench.count("system-presence");
    bench.answer("system-presence", &format!("[{}]", gateway()));
    bench.pass_with_ticks(60_000);
    assert_eq!(bench.count("system-presence"), asked);

    let mut newer = Bench::live(config(), 4, &format!("[{}]", gateway()));
    newer.client.set_watched(true, newer.now);
    newer.pass_with_ticks(90_000);
    assert_eq!(newer.count("system-presence"), 0, "protocol 4 announces connects");
}

#[test]
fn rows_age_and_expire_while_offline() {
    let mut bench = Bench::live(config(), 4, &format!("[{},{}]", gateway(), row("a", 0)));
    bench.close(1006, "");
    assert!(bench.client.mirror().is_offline());
    bench.pass(120_001);
    assert_eq!(bench.status("instance:a"), Some(Status::Idle));
    bench.pass(180_000);
    assert_eq!(bench.status("instance:a"), Some(Status::Stale));
    bench.pass(300_000);
    assert!(bench.client.mirror().is_empty());
}

#[test]
fn steps_of_the_wall_clock_do_not_change_ages() {
    let mut bench = Bench::live(config(), 4, &format!("[{},{}]", gateway(), row("a", 0)));
    bench.pass(50_000);
    // The wall clock is set back by a day, and a tick later forward by two, which looks like a sleep for one tick.
    bench.now.wall_ms -= 86_400_000;
    bench.tick();
    assert_eq!(bench.client.server_ms(bench.now), bench.server_ms());
    bench.now.wall_ms += 2 * 86_400_000;
    bench.tick();
    bench.pass(30_000);
    bench.answer("system-presence", &format!("[{},{}]", gateway(), row("a", 0)));
    bench.tick();
    assert_eq!(bench.client.server_ms(bench.now), bench.server_ms());
    assert_eq!(bench.status("instance:a"), Some(Status::Active));
}
