use super::*;

fn reasons(world: &mut World) -> Vec<(String, Option<String>)> {
    let list = world.list().into_iter().skip(1);
    let reason = |row: &RawEntry| row.str("reason").map(ToString::to_string);
    let name = |row: &RawEntry| {
        row.str("instanceId")
            .or_else(|| row.str("host"))
            .unwrap()
            .to_string()
    };
    list.map(|row| (name(&row), reason(&row))).collect()
}

#[test]
fn times_are_on_the_clock_of_this_gateway() {
    let mut world = World::new(&["home"]);
    let mut row = world.row(
        r#"{"instanceId":"a","ts":5,"onlineSince":1,"lastActivityAt":2}"#,
        2_000,
    );
    row.online_since_ms = Some(row.heard_ms - 60_000);
    row.last_activity_ms = Some(row.heard_ms - 1_000);
    let update = SourceUpdate {
        put: vec![row],
        is_here: true,
        ..SourceUpdate::default()
    };
    world.fleet.apply(SourceId(0), update, world.now);
    let times = |world: &mut World| {
        let (wall_ms, row) = (world.now.wall_ms, world.list().remove(1));
        ["ts", "onlineSince", "lastActivityAt"].map(|name| wall_ms - row.integer(name).unwrap())
    };
    assert_eq!(times(&mut world), [2_000, 62_000, 3_000]);

    // The wall clock of this machine steps by an hour: the row's age is unchanged.
    world.send_delta();
    world.now.wall_ms += 3_600_000;
    world.wait(0);
    world.send_delta();
    assert_eq!(times(&mut world), [2_000, 62_000, 3_000]);
    assert_eq!(world.client.rows()[1].age_ms(world.wall_ms()), 2_000);
}

#[test]
fn rows_of_an_unreachable_gateway_leave_after_its_lease() {
    let mut world = World::new(&["home"]);
    world.put(0, r#"{"host":"pi","mode":"gateway","reason":"self"}"#, 0);
    world.put(0, r#"{"instanceId":"a","reason":"connect"}"#, 1_000);
    world.lose(0);
    world.send_delta();
    assert_eq!(world.fleet.poll_timeout(), Some(world.now.age_ms + LEASE_MS));

    world.wait(LEASE_MS - 1);
    assert!(
        world.send_delta().contains(r#""upserts":[]"#),
        "a restart is no departure"
    );
    world.wait(1);
    world.send_delta();
    let disconnect = Some("disconnect".to_string());
    assert_eq!(
        reasons(&mut world),
        [("a".into(), disconnect), ("pi".into(), Some("self".into()))]
    );
    assert_eq!(world.client.rows()[2].status(), crate::Status::Stale);
    assert_eq!(world.client.left_len(), 1);

    // From its last proof of life on.
    world.wait(TTL - 1_000 - LEASE_MS);
    assert_eq!(reasons(&mut world).len(), 2);
    world.wait(1);
    assert_eq!(reasons(&mut world), [("pi".into(), Some("self".into()))]);
    assert!(world.send_delta().contains(r#""reason":"expired""#));

    // The gateway itself stays listed, and ages.
    world.wait(10 * TTL);
    assert_eq!(world.names(), ["pi"]);
    let lost_ms = 11 * TTL - 999 - LEASE_MS;
    assert_eq!(world.list()[1].ts(), Some(world.now.wall_ms - lost_ms - 300_001));
}

/// Another gateway reports proofs of life of connected clients every 60 s at most, and leaves out moves of up to 30 s.
#[test]
fn with_a_short_ttl_a_gateway_that_can_be_reached_decides_which_rows_it_has() {
    let config = RosterConfig {
        ttl_ms: 60_000,
        ..RosterConfig::default()
    };
    let mut world = World::with(&["home"], config);
    let row = r#"{"instanceId":"a","reason":"connect"}"#;
    world.put(0, row, 0);
    world.send_delta();
    let version = world.version();
    for _ in 0..3 {
        for _ in 0..5 {
            world.wait(17_000);
            assert_eq!(world.names(), ["a", "home"]);
        }
        world.put(0, row, 0);
        assert_eq!(world.version(), version);
    }
    // It still removes what is not mentioned any more.
    world.wait(150_000);
    assert_eq!(world.names(), ["a", "home"]);
    world.wait(1);
    assert_eq!(world.names(), ["home"]);

    // A gateway that cannot be reached decides nothing after its lease.
    world.put(0, row, 0);
    world.wait(85_000);
    world.lose(0);
    world.wait(LEASE_MS - 1);
    assert_eq!(reasons(&mut world)[0].1, Some("connect".into()));
    world.wait(1);
    assert_eq!(world.names(), ["home"]);
}

#[test]
fn a_suspension_of_this_machine_removes_no_rows() {
    let mut world = World::new(&["home"]);
    world.put(0, r#"{"instanceId":"a","reason":"connect"}"#, 0);
    world.now = world.now.after(3_600_000);
    world.fleet.wake_up(world.now);
    world.wait(LEASE_MS - 1);
    assert_eq!(world.names(), ["a", "home"]);
    // Sources without a frame until then are suspended.
    assert_eq!(world.fleet.poll_timeout(), Some(world.now.age_ms + 1));
    world.wait(1);
    assert_eq!(world.names(), ["home"]);
}

#[test]
fn a_gateway_that_reconnects_has_its_rows_again() {
    let mut world = World::new(&["home"]);
    world.put(0, r#"{"instanceId":"a","reason":"connect"}"#, 0);
    world.put(0, r#"{"host":"pi","mode":"gateway","reason":"self"}"#, 1_000);
    world.lose(0);
    world.wait(LEASE_MS);
    assert_eq!(reasons(&mut world)[0].1, Some("disconnect".into()));
    assert_eq!(world.list()[2].ts(), Some(world.now.wall_ms - 300_001));
    let version = world.version();
    let back = SourceUpdate {
        is_here: true,
        ..SourceUpdate::default()
    };
    world.fleet.apply(SourceId(0), back, world.now);
    assert!(world.version() > version);
    world.send_delta();
    assert_eq!(reasons(&mut world)[0].1, Some("connect".into()));
    assert_eq!(world.client.left_len(), 0);
    assert_eq!(world.list()[2].ts(), Some(world.now.wall_ms - LEASE_MS - 1_000));
}

#[test]
fn a_gateway_that_never_answered_is_stale() {
    let mut world = World::new(&["home"]);
    world.snapshot();
    let row = world.client.rows()[1];
    assert_eq!(
        (row.entry().str("host"), row.status()),
        (Some("home"), crate::Status::Stale)
    );
    world.put(0, r#"{"host":"pi","mode":"gateway","reason":"self"}"#, 0);
    world.send_delta();
    let row = world.client.rows()[1];
    assert_eq!(
        (row.entry().str("host"), row.status()),
        (Some("pi"), crate::Status::Active)
    );
}

#[test]
fn proofs_of_life_are_not_changes() {
    let mut world = World::new(&["home"]);
    world.put(0, r#"{"instanceId":"a","lastInputSeconds":3}"#, 0);
    world.send_delta();
    let version = world.version();
    world.wait(25_000);
    world.put(0, r#"{"instanceId":"a","lastInputSeconds":28}"#, 0);
    assert_eq!(world.version(), version);
    assert!(world.send_delta().contains(r#""touched":[]"#));
    world.wait(25_000);
    world.put(0, r#"{"instanceId":"a","lastInputSeconds":53}"#, 0);
    assert_eq!(world.version(), version);
    let delta = world.send_delta();
    assert!(delta.contains(r#""upserts":[]"#), "{delta}");
    assert!(delta.contains(r#"["GATEWAY:home/row:a","#), "{delta}");
    // Input is a change.
    world.put(0, r#"{"instanceId":"a","lastInputSeconds":0}"#, 0);
    assert!(world.version() > version);
}

#[test]
fn a_new_clock_estimate_is_not_a_change() {
    let mut world = World::new(&["home"]);
    let mut row = world.row(r#"{"instanceId":"a"}"#, 60_000);
    row.online_since_ms = Some(row.heard_ms - 60_000);
    let mut put = |row: &SourceRow| {
        let update = SourceUpdate {
            put: vec![row.clone()],
            is_here: true,
            ..SourceUpdate::default()
        };
        world.fleet.apply(SourceId(0), update, world.now);
        (world.version(), world.send_delta())
    };
    let (version, _) = put(&row);
    row.heard_ms += 50_000;
    row.online_since_ms = row.online_since_ms.map(|at_ms| at_ms + 7);
    let (after, delta) = put(&row);
    assert_eq!(after, version);
    assert!(delta.contains(r#""touched":[["GATEWAY:home/row:a","#), "{delta}");
    // Backwards, too.
    row.heard_ms -= 7;
    row.online_since_ms = row.online_since_ms.map(|at_ms| at_ms - 14);
    assert_eq!(put(&row).0, version);
}
