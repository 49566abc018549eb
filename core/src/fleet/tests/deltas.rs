use super::*;

/// A client that gets a snapshot now.
fn fresh(world: &mut World) -> Mirror {
    let version = world.version();
    let text = world.fleet.encode_snapshot(version, world.now);
    let snapshot = Snapshot::read(&format!(r#"{{"presence":{text}}}"#)).unwrap();
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.apply_snapshot(snapshot, world.wall_ms());
    mirror
}

/// Compares the rows of clients that take deltas with a snapshot. `late` got a snapshot since the last delta.
fn check(world: &mut World, late: &mut Mirror, seed: u64) {
    let delta = Delta::read(&world.send_delta()).unwrap();
    late.apply_delta(delta, world.wall_ms());
    let fresh = fresh(world);
    let keys = |mirror: &Mirror| -> Vec<String> {
        let mut keys: Vec<String> = mirror.rows().iter().map(|row| row.key().to_string()).collect();
        keys.sort();
        keys
    };
    for client in [&world.client, late] {
        assert_eq!(fresh.digest(), client.digest(), "seed {seed}");
        assert_eq!(keys(&fresh), keys(client), "seed {seed}");
    }
}

#[test]
fn deltas_and_snapshots_lead_to_equal_lists() {
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let config = RosterConfig {
            max_entries: random.usize(2..8),
            ..RosterConfig::default()
        };
        let mut world = World::with(&["home", "vps"], config);
        let mut late = fresh(&mut world);
        for _ in 0..60 {
            let id = random.u8(0..6);
            let source = random.u8(0..2);
            let host = random.choice(["mac", "pi"]).unwrap();
            match random.u8(0..12) {
                0..=2 => world.beacon(&format!("i{id}"), host),
                3..=5 => {
                    let row = format!(
                        r#"{{"instanceId":"I{id}","host":"{host}","deviceId":"d{}"}}"#,
                        id / 2
                    );
                    world.put(source, &row, random.i64(0..40_000));
                }
                6 => world.put(
                    source,
                    &format!(r#"{{"host":"{host}","deviceId":"d{}"}}"#, id / 2),
                    0,
                ),
                7 => world.remove(source, &format!("I{id}")),
                8 => world.lose(source),
                9 => world.wait(random.u64(0..120_000)),
                // Another client gets a snapshot in between.
                10 => late = fresh(&mut world),
                _ => check(&mut world, &mut late, seed),
            }
        }
        check(&mut world, &mut late, seed);
    }
}

#[test]
fn a_row_of_a_snapshot_is_removed_by_a_later_delta() {
    let mut world = World::new(&["home"]);
    world.put(0, r#"{"instanceId":"brief"}"#, 0);
    world.snapshot();
    world.remove(0, "brief");
    assert!(
        world
            .send_delta()
            .contains(r#"{"key":"GATEWAY:home/row:brief","reason":"evicted"}"#)
    );
    // A row that no client received is not mentioned.
    world.put(0, r#"{"instanceId":"unseen"}"#, 0);
    world.remove(0, "unseen");
    assert!(!world.send_delta().contains("unseen"));
}

#[test]
fn the_removal_of_an_own_row_has_its_reason() {
    let config = RosterConfig {
        max_entries: 2,
        ..RosterConfig::default()
    };
    let mut world = World::with(&["home"], config);
    world.beacon("one", "mac");
    world.send_delta();
    world.beacon("two", "mac");
    assert!(world.send_delta().contains(r#"{"key":"one","reason":"evicted"}"#));
    world.wait(TTL + 1);
    assert!(world.send_delta().contains(r#"{"key":"two","reason":"expired"}"#));
}

#[test]
fn steps_of_the_last_input_add_up() {
    let mut world = World::new(&["home"]);
    let row = r#"{"instanceId":"typing","lastInputSeconds":0}"#;
    world.put(0, row, 0);
    world.send_delta();
    for _ in 0..5 {
        world.wait(1_000);
        world.put(0, row, 0);
        world.version();
    }
    world.send_delta();
    let list = world.list();
    let listed = list.iter().find(|row| row.str("instanceId") == Some("typing"));
    let rows = world.client.rows();
    let mut known = rows.iter().map(|row| row.entry());
    let known = known.find(|row| row.str("instanceId") == Some("typing"));
    assert_eq!(known.unwrap().ts(), listed.unwrap().ts());
}

#[test]
fn deltas_of_the_current_version_only_touch() {
    let mut world = World::new(&["home"]);
    world.put(0, r#"{"instanceId":"a"}"#, 0);
    // The row was in a snapshot, but in no delta.
    world.snapshot();
    assert!(world.send_delta().contains(r#""upserts":[],"removals":[]"#));
    world.remove(0, "a");
    world.snapshot();
    assert!(world.send_delta().contains(r#""upserts":[],"removals":[]"#));
    world.put(0, r#"{"instanceId":"b"}"#, 0);
    let text = world.send_delta();
    assert!(
        text.contains(r#"{"key":"GATEWAY:home/row:a","reason":"evicted"}"#),
        "{text}"
    );
}

/// Each snapshot makes its rows known to a client, and the number of snapshots is not bounded.
#[test]
fn removals_are_bounded() {
    let mut world = World::new(&["home"]);
    let known = |world: &World| world.fleet.sent.as_ref().unwrap().rows.len();
    for round in 0..200 {
        world.put(0, &format!(r#"{{"instanceId":"i{round}"}}"#), 0);
        fresh(&mut world);
        world.remove(0, &format!("i{round}"));
        assert!(known(&world) < 75, "{}", known(&world));
    }
    world.version();
    assert!(world.fleet.is_beyond_deltas());
    world.send_delta();
    assert!(!world.fleet.is_beyond_deltas());
}
