//! Every configuration names the setting that is out of bounds, and no value of any makes a machine panic.

use std::sync::Arc;

use presence_core::client::{
    BackoffConfig, BeaconOccasions, BeaconPolicy, Client, ClientConfig, MirrorConfig,
};
use presence_core::model::beacon::Beacon;
use presence_core::model::setting::{InvalidSetting, MAX_SPAN_MS, within};
use presence_core::model::status::Thresholds;
use presence_core::model::{ClientInfo, Role, scope};
use presence_core::roster::RosterConfig;
use presence_core::server::{Handshake, Hub, HubConfig, HubOutput};
use presence_core::wire::{Access, Call, Limits, Request};
use presence_core::{Now, PresenceEntry};

const EXTREMES: [u64; 9] = [
    0,
    1,
    2,
    MAX_SPAN_MS,
    MAX_SPAN_MS + 1,
    (1 << 53) - 1,
    1 << 53,
    u64::MAX - 1,
    u64::MAX,
];
const START: Now = Now {
    age_ms: 7_000,
    wall_ms: 1_700_000_000_000,
};
const HOUR_MS: u64 = 3_600_000;
/// More turns than a hub with the shortest intervals has: a tick, a ping and a pong every 100 ms.
const MOST_TURNS: u64 = 150_000;

type Set<T> = (&'static str, fn(&mut T, u64));

fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn number(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

const OF_HUB: [Set<HubConfig>; 10] = [
    ("ttl_ms", |config, value| config.ttl_ms = value),
    ("max_entries", |config, value| config.max_entries = size(value)),
    ("limits.preauth_frame_bytes", |config, value| {
        config.limits.preauth_frame_bytes = size(value);
    }),
    ("limits.payload_bytes", |config, value| {
        config.limits.payload_bytes = size(value);
    }),
    ("limits.buffered_bytes", |config, value| {
        config.limits.buffered_bytes = size(value);
    }),
    ("limits.handshake_ms", |config, value| {
        config.limits.handshake_ms = value;
    }),
    ("limits.tick_interval_ms", |config, value| {
        config.limits.tick_interval_ms = value;
    }),
    ("limits.stall_ms", |config, value| config.limits.stall_ms = value),
    ("limits.window_ms", |config, value| {
        config.limits.window_ms = value;
    }),
    ("limits.ping_interval_ms", |config, value| {
        config.limits.ping_interval_ms = value;
    }),
];

const OF_CLIENT: [Set<ClientConfig>; 11] = [
    ("handshake_ms", |config, value| config.handshake_ms = value),
    ("ttl_ms", |config, value| config.mirror.ttl_ms = value),
    ("max_rows", |config, value| config.mirror.max_rows = size(value)),
    ("thresholds.active_ms", |config, value| {
        config.mirror.thresholds = Thresholds {
            active_ms: value,
            idle_ms: value.max(300_000),
        };
    }),
    ("thresholds.idle_ms", |config, value| {
        config.mirror.thresholds.idle_ms = value;
    }),
    ("backoff.initial_ms", |config, value| {
        config.backoff.initial_ms = value;
    }),
    ("backoff.factor", |config, value| {
        config.backoff.factor = number(value);
    }),
    ("backoff.max_ms", |config, value| config.backoff.max_ms = value),
    ("backoff.stable_ms", |config, value| {
        config.backoff.stable_ms = value;
    }),
    ("beacons.every_ms", |config, value| {
        config.beacons = BeaconPolicy::every(value);
    }),
    ("beacons.idle_ms", |config, value| {
        config.beacons = BeaconPolicy::On(BeaconOccasions {
            idle_ms: value,
            ..BeaconOccasions::default()
        });
    }),
];

fn hub_config() -> HubConfig {
    HubConfig {
        limits: Limits::default(),
        ttl_ms: 300_000,
        max_entries: 200,
        ephemeral_modes: vec![],
        hash_seed: 7,
        server_version: "1".into(),
        boot_id: "boot".into(),
        self_entry: PresenceEntry::default(),
        auth_mode: "none",
    }
}

fn handshake(number: u64) -> Handshake {
    Handshake {
        request_id: "1".into(),
        conn_id: format!("conn-{number}").into(),
        protocol: 4,
        role: Role::Operator,
        scopes: [scope::ADMIN.into()].into(),
        client: Arc::new(ClientInfo {
            id: "test".into(),
            version: "1".into(),
            platform: "linux".into(),
            mode: "test".into(),
            instance_id: Some(format!("id-{number}").into()),
            ..ClientInfo::default()
        }),
        device_id: None,
        caps: vec![],
        commands: vec![],
        remote_ip: None,
        user: None,
        may_report_input: false,
        clock_skew_ms: None,
        visitor: None,
    }
}

fn client_config() -> ClientConfig {
    ClientConfig::new(Arc::unwrap_or_clone(handshake(0).client))
}

/// Two clients that answer pings and a beacon about a third, for an hour or for that many turns. Returns
/// the number of turns.
fn run(config: HubConfig, most_turns: u64) -> u64 {
    let mut now = START;
    let mut hub = Hub::new(config, now);
    hub.join(handshake(1), now);
    let conns = hub.join_all([handshake(2), handshake(3)], now);
    // The second beacon finds a row without a connection.
    for other in ["other", "another"] {
        let beacon = Beacon {
            instance_id: Some(other.into()),
            ..Beacon::new("hello")
        };
        let request = Request {
            id: "2".into(),
            access: Access::Operator,
            call: Ok(Call::SystemEvent(beacon.into())),
        };
        hub.call(conns[0], &request, now);
    }
    for turn in 0..most_turns {
        while let Some(output) = hub.poll_output() {
            if let HubOutput::Ping(conn) = output {
                hub.pong(conn, now);
            }
        }
        hub.handle_sent(now);
        match hub.poll_timeout() {
            Some(due_ms) if due_ms <= START.age_ms + HOUR_MS => {
                now = now.after(due_ms.saturating_sub(now.age_ms));
                hub.handle_timeout(now);
            }
            _ => return turn,
        }
    }
    most_turns
}

#[test]
fn a_hub_refuses_a_setting_by_name_or_runs_an_hour_with_it() {
    for (name, set) in OF_HUB {
        for value in EXTREMES {
            let mut config = hub_config();
            set(&mut config, value);
            match config.validate() {
                Err(error) => assert_eq!(error.name(), name, "{error}"),
                Ok(()) => assert!(run(config, MOST_TURNS) < MOST_TURNS, "{name} {value}"),
            }
        }
    }
}

#[test]
fn an_unvalidated_hub_does_not_panic() {
    for (_, set) in OF_HUB {
        for value in EXTREMES {
            let mut config = hub_config();
            set(&mut config, value);
            run(config, 1_000);
        }
    }
}

#[test]
fn a_tick_interval_that_never_ends_does_not_spin() {
    let mut config = hub_config();
    config.limits.tick_interval_ms = u64::MAX;
    assert_eq!(
        config.validate(),
        Err(InvalidSetting::TooLarge {
            name: "limits.tick_interval_ms",
            value: u64::MAX,
            most: MAX_SPAN_MS,
        })
    );
    assert!(run(config, MOST_TURNS) < 1_000);
}

#[test]
fn the_extremes_of_the_clocks_cause_no_panic() {
    // A machine whose clock starts at 1970 among them.
    for age_ms in [0, 1, u64::MAX - 10, u64::MAX] {
        for wall_ms in [0, 1, u64::MAX] {
            let mut now = Now { age_ms, wall_ms };
            let mut hub = Hub::new(hub_config(), now);
            for number in 0..3 {
                hub.join(handshake(number), now);
            }
            now = now.after(60_000);
            hub.handle_timeout(now);
            let list = hub.list(now);
            assert_eq!(list.len(), 4);
            assert!(list.iter().all(|entry| entry.ts < 1 << 53));
            while hub.poll_output().is_some() {}
        }
    }
}

#[test]
fn a_client_refuses_a_setting_by_name_or_tries_for_an_hour_with_it() {
    for (name, set) in OF_CLIENT {
        for value in EXTREMES {
            let mut config = client_config();
            set(&mut config, value);
            let is_valid = match config.validate() {
                Err(error) => {
                    assert_eq!(error.name(), name, "{error}");
                    false
                }
                Ok(()) => true,
            };
            let mut now = START;
            let mut client = Client::new(config, now);
            client.start(now);
            let mut turns = 0;
            loop {
                while client.poll_output().is_some() {}
                match client.poll_timeout() {
                    Some(due_ms) if due_ms <= START.age_ms + HOUR_MS && turns < MOST_TURNS => {
                        now = now.after(due_ms.saturating_sub(now.age_ms));
                        client.handle_timeout(now);
                        turns += 1;
                    }
                    _ => break,
                }
            }
            assert!(!is_valid || turns < MOST_TURNS, "{name} {value}");
        }
    }
}

#[test]
fn the_products_own_figures_are_valid() {
    assert_eq!(RosterConfig::default().validate(), Ok(()));
    assert_eq!(Limits::default().validate(), Ok(()));
    assert_eq!(Thresholds::default().validate(), Ok(()));
    assert_eq!(BackoffConfig::default().validate(), Ok(()));
    assert_eq!(MirrorConfig::default().validate(), Ok(()));
    assert_eq!(MirrorConfig::standalone().validate(), Ok(()));
    assert_eq!(hub_config().validate(), Ok(()));
    assert_eq!(client_config().validate(), Ok(()));
}

#[test]
fn the_cap_leaves_room_for_a_row_beside_the_gateways_own() {
    let config = |max_entries| RosterConfig {
        max_entries,
        ..RosterConfig::default()
    };
    assert_eq!(config(2).validate(), Ok(()));
    let error = config(1).validate().unwrap_err();
    assert_eq!(format!("{error}"), "max_entries: 1 is less than 2");
}

#[test]
fn bounds_are_inclusive() {
    assert_eq!(within("x", 2, 2..=3), Ok(()));
    assert_eq!(within("x", 3, 2..=3), Ok(()));
    assert_eq!(
        format!("{}", within("x", 1, 2..=3).unwrap_err()),
        "x: 1 is less than 2"
    );
    assert_eq!(
        format!("{}", within("x", 4, 2..=3).unwrap_err()),
        "x: 4 is more than 3"
    );
}
