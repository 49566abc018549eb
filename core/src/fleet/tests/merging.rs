use super::*;

#[test]
fn one_row_for_an_instance_that_several_gateways_have() {
    let mut world = World::new(&["home", "vps"]);
    world.beacon("Tab-1", "mac");
    world.wait(10);
    world.put(0, r#"{"instanceId":"tab-1","ip":"10.0.0.7","mode":"ui"}"#, 0);
    world.put(1, r#"{"instanceId":"TAB-1","version":"9"}"#, 5);
    world.send_delta();
    assert_eq!(world.names(), ["tab-1", "home", "vps"]);
    let row = &world.list()[1];
    assert_eq!(
        (
            row.str("host"),
            row.str("ip"),
            row.str("version"),
            row.str("mode")
        ),
        (Some("mac"), Some("10.0.0.7"), Some("9"), Some("ui"))
    );
    assert_eq!(world.client.len(), 4);
}

#[test]
fn a_row_names_its_gateway_unless_it_is_also_an_own_row() {
    let mut world = World::new(&["home", "vps"]);
    world.beacon("here-1", "mac");
    world.put(0, r#"{"instanceId":"both"}"#, 9);
    world.put(1, r#"{"instanceId":"both"}"#, 5);
    world.put(0, r#"{"instanceId":"far","gateway":"elsewhere"}"#, 0);
    world.put(1, r#"{"instanceId":"here-1"}"#, 0);
    world.send_delta();
    let from = |name: &str| Some(name.to_string());
    assert_eq!(
        world.gateways(),
        BTreeMap::from([
            ("own".into(), None),
            ("here-1".into(), None),
            ("both".into(), from("home")),
            ("far".into(), from("home")),
            ("home".into(), from("home")),
            ("vps".into(), from("vps")),
        ])
    );
    for row in world.list() {
        assert_eq!(
            row.get("gateway"),
            None,
            "standard clients do not know the member"
        );
    }
}

/// Gateways of protocol 3 list a client with a device key under the key's id, whatever its `instanceId` is.
#[test]
fn a_row_of_a_device_is_its_only_instance() {
    let mut world = World::new(&["home", "vps"]);
    world.put(0, r#"{"instanceId":"D1","deviceId":"d1","ip":"10.0.0.7"}"#, 0);
    world.send_delta();
    assert_eq!(world.names(), ["D1", "home", "vps"]);
    world.put(1, r#"{"instanceId":"tab","deviceId":"D1","version":"9"}"#, 5);
    world.send_delta();
    assert_eq!(world.names(), ["tab", "home", "vps"]);
    assert_eq!(world.list()[1].str("ip"), Some("10.0.0.7"));
    assert_eq!(world.client.len(), 4);

    // With two tabs, either could be the row's instance.
    world.put(1, r#"{"instanceId":"other tab","deviceId":"d1"}"#, 5);
    world.send_delta();
    assert_eq!(world.names(), ["D1", "other tab", "tab", "home", "vps"]);
    world.remove(1, "tab");
    world.send_delta();
    assert_eq!(world.names(), ["other tab", "home", "vps"]);

    // A gateway that lists both shows that they are two.
    world.put(0, r#"{"instanceId":"other tab"}"#, 3);
    world.send_delta();
    assert_eq!(world.names(), ["D1", "other tab", "home", "vps"]);
    world.remove(0, "D1");
    world.remove(0, "other tab");
    world.remove(1, "other tab");
    world.send_delta();
    assert_eq!(world.names(), ["home", "vps"]);
}

#[test]
fn a_row_of_several_gateways_does_not_alternate_between_them() {
    let mut world = World::new(&["home", "vps"]);
    let row = r#"{"instanceId":"both","reason":"connect"}"#;
    world.put(0, row, 0);
    world.put(1, row, 0);
    world.send_delta();
    let version = world.version();
    for source in [1, 0, 1] {
        world.wait(25_000);
        world.put(source, row, 0);
        assert_eq!(world.version(), version, "a sign of life is no news");
        assert_eq!(world.gateways()["both"].as_deref(), Some("home"));
    }
    // Not after it left.
    world.put(0, r#"{"instanceId":"both","reason":"disconnect"}"#, 0);
    world.send_delta();
    assert_eq!(world.gateways()["both"].as_deref(), Some("vps"));
}

#[test]
fn rows_without_ids_stay_apart_by_gateway() {
    let mut world = World::new(&["home", "vps"]);
    world.put(0, r#"{"host":"kitchen","mode":"node"}"#, 3);
    world.put(1, r#"{"host":"kitchen","mode":"node"}"#, 2);
    world.send_delta();
    assert_eq!(world.names(), ["kitchen", "kitchen", "home", "vps"]);
}

#[test]
fn rows_with_the_id_of_this_gateway_are_left_out() {
    let mut world = World::new(&["home"]);
    world.put(0, r#"{"instanceId":" OWN ","host":"thief"}"#, 0);
    world.put(
        0,
        r#"{"instanceId":"pi","host":"pi","mode":"gateway","reason":"self"}"#,
        0,
    );
    // A client that runs on the observed gateway's machine, under its id.
    let mut client = world.row(r#"{"instanceId":"pi","host":"pi","mode":"cli"}"#, 0);
    client.key = "row:client".into();
    let update = SourceUpdate {
        put: vec![client],
        is_here: true,
        ..SourceUpdate::default()
    };
    world.fleet.apply(SourceId(0), update, world.now);
    world.send_delta();
    let list = world.list();
    assert_eq!(list[0].str("host"), Some("here"));
    assert_eq!(list.len(), 3, "{list:?}");
    assert!(list.iter().all(|row| row.str("host") != Some("thief")));
    assert_eq!(world.client.rows()[0].entry().str("host"), Some("here"));
}

/// Every reader sees the id of an observed gateway, and clients merge rows by their ids.
#[test]
fn no_other_row_is_listed_with_the_id_of_an_observed_gateway() {
    let mut world = World::new(&["home", "vps"]);
    let own_row = |id: &str| format!(r#"{{"instanceId":"{id}","mode":"gateway","reason":"self"}}"#);
    world.beacon("pi", "thief");
    world.put(1, r#"{"instanceId":"Pi","deviceId":"d"}"#, 5);
    world.send_delta();
    assert_eq!(world.names(), ["pi", "home", "vps"]);

    world.put(0, &own_row("pi"), 0);
    world.send_delta();
    assert_eq!(world.names(), ["thief", "pi", "vps"]);
    assert_eq!(world.list()[1].device_key(), None);
    let from = |name: &str| Some(name.to_string());
    assert_eq!(
        world.gateways(),
        BTreeMap::from([
            ("own".into(), None),
            ("thief".into(), None),
            ("pi".into(), from("home")),
            ("vps".into(), from("vps")),
        ])
    );

    // A sign of life is no news.
    let version = world.version();
    world.put(0, &own_row("pi"), 0);
    assert_eq!(world.version(), version);

    // After a restart the gateway has another id.
    world.put(0, &own_row("pi-2"), 0);
    world.send_delta();
    assert_eq!(world.names(), ["pi", "pi-2", "vps"]);
    assert_eq!(world.client.len(), 4);
}

#[test]
fn the_order_of_updates_does_not_change_the_merged_rows() {
    let rows = [
        (0, r#"{"instanceId":"a","host":"one","roles":["x"]}"#, 7),
        (1, r#"{"instanceId":"A","host":"two","roles":["y"]}"#, 7),
        (1, r#"{"instanceId":"b","deviceId":"d","reason":"disconnect"}"#, 4),
        (0, r#"{"instanceId":"c","deviceId":"d"}"#, 4),
        (0, r#"{"deviceId":"d","ip":"10.0.0.1"}"#, 2),
        (2, r#"{"host":"plain"}"#, 2),
    ];
    let mut texts = BTreeMap::new();
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut order = rows.to_vec();
        random.shuffle(&mut order);
        // Some updates are repeated, and some have no effect.
        order.extend_from_within(..3);
        let mut world = World::new(&["home", "vps", "work"]);
        for (source, row, age_ms) in order {
            world.put(source, r#"{"instanceId":"gone"}"#, 1);
            world.put(source, row, age_ms);
            world.remove(source, "gone");
            if random.bool() {
                world.send_delta();
            }
        }
        world.send_delta();
        let text = world.fleet.encode_list(world.now);
        texts.entry(text.to_string()).or_insert(seed);
    }
    assert_eq!(texts.len(), 1, "{texts:#?}");
}
