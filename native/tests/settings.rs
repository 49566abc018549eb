//! Numbers at the ends of their range: a gateway refuses them by name, or runs with them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use presence_core::Now;
use presence_core::model::Role;
use presence_core::model::setting::MAX_SPAN_MS;
use presence_core::server::Permit;
#[cfg(feature = "webhook")]
use presence_gateway::WebhookConfig;
use presence_gateway::clock::Manual;
use presence_gateway::{
    AuthMode, Clock, Gateway, GatewayConfig, Keep, NamedToken, RecordTo, Requests, Secret, StartError, Tokens,
};
#[cfg(feature = "history")]
use presence_gateway::{DEFAULT_AGE_MS, DEFAULT_BYTES, HistoryConfig};

type Set = (&'static str, fn(&mut GatewayConfig, u64));

const EXTREMES: [u64; 8] = [
    0,
    1,
    2,
    MAX_SPAN_MS,
    MAX_SPAN_MS + 1,
    (1 << 53) - 1,
    1 << 53,
    u64::MAX,
];
const HOUR_MS: u64 = 3_600_000;
const MOST_TURNS: usize = 1_000;

const NUMBERS: [Set; 14] = [
    ("ttl_ms", |config, value| config.ttl_ms = value),
    ("max_entries", |config, value| config.max_entries = size(value)),
    ("drain_ms", |config, value| config.drain_ms = value),
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
    ("slots.max_connections", |config, value| {
        config.slots.max_connections = size(value);
    }),
    ("slots.max_unauthenticated", |config, value| {
        config.slots.max_unauthenticated = size(value);
    }),
    ("slots.max_unauthenticated_per_address", |config, value| {
        config.slots.max_unauthenticated_per_address = size(value);
    }),
];

/// A setting of a part that a gateway can have: name, least value, greatest value.
type Bounded = (&'static str, u64, u64, fn(&mut GatewayConfig, u64));

const PARTS: &[Bounded] = &[
    ("record.max_bytes", 4_096, 248 * 1024 * 1024, |config, value| {
        config.record = Some(RecordTo {
            max_bytes: value,
            ..record(Keep::Inputs { max_age: None })
        });
    }),
    ("record.keep.max_age_ms", 1_000, u64::MAX, |config, value| {
        let max_age = Some(Duration::from_millis(value));
        config.record = Some(record(Keep::Inputs { max_age }));
    }),
    ("record.keep.last_ms", 1_000, u64::MAX, |config, value| {
        config.record = Some(record(Keep::Last(
            Duration::from_millis(value),
            Requests::default(),
        )));
    }),
    #[cfg(feature = "history")]
    ("history.max_age_ms", 60_000, u64::MAX, |config, value| {
        config.history = Some(HistoryConfig {
            max_age_ms: value,
            ..history()
        });
    }),
    #[cfg(feature = "history")]
    ("history.max_bytes", 1_048_576, u64::MAX, |config, value| {
        config.history = Some(HistoryConfig {
            max_bytes: value,
            ..history()
        });
    }),
    #[cfg(feature = "webhook")]
    ("webhook.grace_ms", 0, 86_400_000, |config, value| {
        let secret = Secret::new("0123456789abcdef").unwrap();
        let mut webhook = WebhookConfig::new("http://127.0.0.1:9/", &secret, None).unwrap();
        webhook.grace_ms = value;
        config.webhook = Some(webhook);
    }),
];

fn record(keep: Keep) -> RecordTo {
    let file = || tempfile::tempfile().unwrap().into();
    RecordTo {
        file: file(),
        older: file(),
        max_bytes: 4_096,
        keep,
    }
}

#[cfg(feature = "history")]
fn history() -> HistoryConfig {
    HistoryConfig {
        path: "no-such-folder/history".into(),
        max_age_ms: DEFAULT_AGE_MS,
        max_bytes: DEFAULT_BYTES,
    }
}

fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[tokio::test]
async fn a_gateway_refuses_a_number_by_name_or_runs_an_hour_with_it() {
    for (name, set) in NUMBERS {
        for value in EXTREMES {
            let mut config = GatewayConfig::ephemeral();
            set(&mut config, value);
            let start = Now {
                age_ms: 1_000,
                wall_ms: 1_700_000_000_000,
            };
            let manual = Manual::new(start);
            let gateway = match Gateway::start(config, manual.clock()) {
                Err(StartError::Setting(error)) => {
                    assert_eq!(error.name(), name, "{error}");
                    continue;
                }
                started => started.unwrap(),
            };
            let mut turns = 0;
            while let Some(due_ms) = gateway.settle().await
                && due_ms <= start.age_ms + HOUR_MS
            {
                manual.advance(due_ms.saturating_sub(manual.now().age_ms));
                turns += 1;
                assert!(turns < MOST_TURNS, "{name} {value}");
            }
            gateway.shutdown().await;
        }
    }
}

#[tokio::test]
async fn the_name_is_in_the_refusal() {
    let mut config = GatewayConfig::ephemeral();
    config.max_entries = 1;
    let error = Gateway::bind(config).unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid configuration: max_entries: 1 is less than 2"
    );
}

#[tokio::test]
async fn each_part_has_its_bounds_and_a_gateway_starts_at_either_end() {
    for &(name, least, most, set) in PARTS {
        let config = |value| {
            let mut config = GatewayConfig::ephemeral();
            set(&mut config, value);
            config
        };
        for good in [least, most] {
            assert_eq!(config(good).validate(), Ok(()), "{name} {good}");
            let gateway = Gateway::start(config(good), Clock::system()).unwrap();
            gateway.shutdown().await;
        }
        for bad in [least.checked_sub(1), most.checked_add(1)].into_iter().flatten() {
            match Gateway::bind(config(bad)) {
                Err(StartError::Setting(error)) => assert_eq!(error.name(), name, "{error}"),
                other => panic!("{name} {bad}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_setting_without_the_one_that_it_needs_is_refused() {
    let permit = Permit {
        roles: [Role::Operator].into(),
        scopes: ["operator.read".into()].into(),
        hides_addresses: false,
    };
    let token = NamedToken::new("reader", &Secret::new("for reading").unwrap(), permit, None).unwrap();
    let tokens = Tokens::new(vec![token]).unwrap();
    let config = |set: &dyn Fn(&mut GatewayConfig)| {
        let mut config = GatewayConfig::ephemeral();
        set(&mut config);
        config
    };
    let header = || "x-user".parse().ok();
    for (good, name, bad) in [
        (
            config(&|config| {
                config.user_header = header();
                config.trusted_proxies = vec!["192.0.2.1/32".parse().unwrap()];
            }),
            "user_header",
            config(&|config| config.user_header = header()),
        ),
        (
            config(&|config| {
                config.tokens = Some(tokens.clone());
                config.auth = AuthMode::Token(Secret::new("a secret").unwrap());
            }),
            "tokens",
            config(&|config| config.tokens = Some(tokens.clone())),
        ),
        (
            GatewayConfig::ephemeral(),
            "hsts_s",
            config(&|config| config.hsts_s = Some(60)),
        ),
        (
            config(&|config| config.trusted_proxies = vec!["::ffff:10.0.0.0/104".parse().unwrap()]),
            "trusted_proxies",
            config(&|config| config.trusted_proxies = vec!["10.0.0.0/0".parse().unwrap()]),
        ),
        (
            GatewayConfig::ephemeral(),
            "trusted_proxies",
            config(&|config| config.trusted_proxies = vec!["::/1".parse().unwrap()]),
        ),
    ] {
        assert_eq!(good.validate(), Ok(()), "{name}");
        match Gateway::bind(bad) {
            Err(StartError::Setting(error)) => assert_eq!(error.name(), name, "{error}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}
