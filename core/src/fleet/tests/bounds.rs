use super::*;

#[test]
fn a_source_has_at_most_as_many_rows_as_a_roster() {
    let config = RosterConfig {
        max_entries: 5,
        ..RosterConfig::default()
    };
    let mut world = World::with(&["home", "vps"], config);
    for age_ms in (0..20).rev() {
        world.put(0, &format!(r#"{{"instanceId":"{age_ms}"}}"#), age_ms);
    }
    world.put(1, r#"{"instanceId":"other"}"#, 100);
    world.put(0, r#"{"instanceId":"too old"}"#, 50);
    assert_eq!(world.names(), ["0", "1", "2", "3", "other", "home", "vps"]);
    assert_eq!(world.fleet.sources().next().unwrap().left_out, 17);
    world.send_delta();

    // Rows that left are evicted first, even fresher ones.
    world.put(0, r#"{"instanceId":"0","reason":"disconnect"}"#, 0);
    world.put(0, r#"{"instanceId":"new"}"#, 2);
    assert_eq!(world.names(), ["1", "2", "new", "3", "other", "home", "vps"]);
    world.send_delta();
}

#[test]
fn a_source_has_at_most_the_bytes_of_a_roster() {
    let mut world = World::new(&["home"]);
    let text = "x".repeat(MAX_ROW_BYTES);
    world.put(0, &format!(r#"{{"instanceId":"large","text":"{text}"}}"#), 0);
    assert_eq!(world.names(), ["home"]);

    let config = RosterConfig {
        max_entries: 1_000,
        ..RosterConfig::default()
    };
    let mut world = World::with(&["home"], config);
    let text = &text[100..];
    for number in 0..600 {
        world.put(0, &format!(r#"{{"instanceId":"{number}","text":"{text}"}}"#), 0);
    }
    world.version();
    let list = world.fleet.encode_list(world.now);
    let most = max_list_bytes(1_000);
    assert!(
        list.len() > most / 2 && list.len() < most + most / 10,
        "{}",
        list.len()
    );
}

#[test]
fn many_sources_share_the_bounds_of_a_list() {
    let config = RosterConfig {
        max_entries: 5_000,
        ..RosterConfig::default()
    };
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut world = World::with(&names, config);
    for source in 0..8 {
        for number in 0..700 {
            world.put(source, &format!(r#"{{"instanceId":"{source}-{number}"}}"#), 0);
        }
    }
    assert_eq!(world.names().len(), 8 * (MAX_ROWS - 5_000) / 8);
}

#[test]
fn rows_beyond_the_bound_do_not_reappear() {
    let mut world = World::new(&["home"]);
    world.put(0, r#"{"instanceId":"old"}"#, 300_001);
    world.put(0, r#"{"instanceId":"nearly"}"#, 300_000);
    assert_eq!(world.names(), ["nearly", "home"]);
}

#[test]
fn names_are_checked() {
    let check = |names: &[&str]| {
        let names: Vec<Box<str>> = names.iter().map(|name| (*name).into()).collect();
        validate_names(&names)
    };
    assert_eq!(check(&["home", "vps-2"]), Ok(()));
    assert_eq!(check(&["a", "b", "a"]), Err(NameError::Repeated("a".into())));
    for name in ["", "Home", "a/b", "ü", &"x".repeat(MAX_NAME_BYTES + 1)] {
        assert_eq!(check(&[name]), Err(NameError::Invalid(name.into())));
    }
    assert_eq!(check(&["x"; MAX_SOURCES + 1]), Err(NameError::TooMany));
}

#[test]
fn a_source_that_does_not_exist_changes_nothing() {
    let mut world = World::new(&["home"]);
    world.put(7, r#"{"instanceId":"a"}"#, 0);
    assert_eq!(world.names(), ["home"]);
}

#[test]
fn growing_rows_stay_within_the_bytes() {
    let config = RosterConfig {
        max_entries: 1_000,
        ..RosterConfig::default()
    };
    let mut world = World::with(&["home"], config);
    let text = "x".repeat(8_000);
    for number in 0..900 {
        world.put(0, &format!(r#"{{"instanceId":"{number}"}}"#), 0);
    }
    for number in 0..900 {
        world.put(
            0,
            &format!(r#"{{"instanceId":"{number}","text":"{text}"}}"#),
            -number,
        );
    }
    world.version();
    let bytes = world.fleet.encode_list(world.now).len();
    let most = max_list_bytes(1_000);
    assert!(bytes > most / 2 && bytes < most + most / 10, "{bytes}");
    // The freshest rows remain.
    assert_eq!(world.names().first().unwrap(), "899");
    world.send_delta();
}

#[test]
fn a_row_that_became_too_large_is_not_listed_with_old_values() {
    let mut world = World::new(&["home"]);
    world.put(0, r#"{"instanceId":"a","host":"before"}"#, 0);
    let text = "x".repeat(MAX_ROW_BYTES);
    world.put(0, &format!(r#"{{"instanceId":"a","text":"{text}"}}"#), 0);
    assert_eq!(world.names(), ["home"]);
    assert_eq!(world.fleet.sources().next().unwrap().left_out, 1);
    world.send_delta();
}

#[test]
fn the_number_of_peers_is_bounded_where_rows_leave_room_for_more() {
    let mut world = World::new(&[]);
    for number in 0..MAX_PEERS {
        world.fleet.add_peer(&format!("g{number}")).unwrap();
    }
    assert_eq!(world.fleet.add_peer("more"), Err(PeerError::TooMany(MAX_PEERS)));
    assert!(world.fleet.add_peer("g0").is_ok(), "it is listed already");
}
