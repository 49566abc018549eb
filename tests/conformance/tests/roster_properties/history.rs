//! Histories: what may happen to a roster, in any order.

use std::sync::Arc;

use presence_conformance::model::text::{is_placeholder, normalise};
use presence_core::model::beacon::Beacon;
use presence_core::model::entry::MAX_SAFE_INTEGER;
use presence_core::model::{ClientInfo, Role};
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) type Text = Box<str>;

/// One operation. Connections are chosen by any number, modulo the number of open ones.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Connect(Client),
    /// A beacon about anything, by an open connection with or without a quota, or by a closed one.
    Beacon(Beacon, Sender),
    /// A beacon with the ids of the connection's own handshake; rebuilds the row if it is gone.
    OwnBeacon(usize, Beacon),
    /// A beacon with the ids of its handshake, of a connection whose mode makes no row.
    RowlessBeacon(Client, Beacon),
    Pong(usize),
    Close(usize, bool),
    /// A node reports its user's last input, or clears it.
    Report(usize, Option<u64>),
    /// The last input that the connection reported ends.
    Withdraw(usize),
    /// A stale row: what arrives for it changes nothing.
    LatePong(usize),
    WallStep(i64),
    Pass(u64),
    /// To the moment the roster asked to be settled at.
    Deadline,
    Suspend {
        asleep_ms: u64,
        window_ms: u64,
    },
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Sender {
    Admin,
    Quota(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) info: Arc<ClientInfo>,
    pub(crate) role: Role,
    pub(crate) scopes: Arc<[Text]>,
    pub(crate) device_id: Option<Text>,
    pub(crate) remote_ip: Option<Text>,
    pub(crate) user: Option<Text>,
}

const INSTANCES: &[&str] = &[
    "inst-a",
    "Inst-A",
    " INST-a\t",
    "\u{feff}inst-A\u{2028}",
    "inst-a\u{85}",
    "inst-b",
    "été",
    "ÉTÉ",
    "e\u{301}te\u{301}",
    "ΟΔΟΣ",
    "οδος",
    "İ",
    "i\u{307}",
    "dev-1",
    "hostx",
    "10.0.0.5",
    "hello",
    "gateway-1",
    " Gateway-1 ",
    "conn-1",
    "undefined",
    " NULL ",
    "00000000-0000-0000-0000-000000000000",
    " ",
    "",
];
const DEVICES: &[&str] = &[
    "dev-1",
    "DEV-1",
    " dev-1 ",
    "dev-2",
    "inst-a",
    "gateway-1",
    "none",
    "\u{a0}",
];
const TEXTS: &[&str] = &[
    "Unknown",
    "Node: undefined (N/A) · app (none) · last input 3s ago · mode unknown · reason periodic",
    "Node: none (10.0.0.7) · app null · last input 3s ago · mode none · reason periodic",
    "hello",
    "Hello",
    "été",
    "hostx",
    "Node: hostx (10.0.0.5) · app 1.2 · last input 12s ago · mode local · reason launch",
    "node:HOSTX (ip-unknown)·app 2·last input 99999999999999999999s ago·mode remote·reason periodic",
    "Node: Pete's Mac (10.0.0.5) · app 1.2 · last input 12s ago · mode local · reason launch",
    "Node: inst-a (10.0.0.6) · app 1.3 · last input 0s ago · mode ui · reason periodic",
    "sixty-three characters and then a pair, that is cut away whole..😀 tail one",
    "sixty-three characters and then a pair, that is cut away whole..😀 tail two",
    "sixty-two characters and then a blank, which the key does not...  tail",
];
const MODES: &[&str] = &["ui", "webchat", " UI ", "node", "local"];
const IPS: &[&str] = &[
    "192.0.2.7",
    "127.9.9.9",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:192.0.2.9",
    "2001:db8::1",
    "ip-unknown",
    "::",
];
/// Around what the roster takes for a step.
const WALL_STEPS: &[i64] = &[-2_001, -2_000, -1_999, 1_000, 1_001, 2_000, 2_001];
const WORDS: &[&str] = &[
    "",
    "(none)",
    "a",
    "B",
    "operator",
    "operator.read",
    "operator.write",
    "node",
];

fn word(words: &'static [&'static str]) -> impl Strategy<Value = Text> {
    select(words).prop_map(Into::into)
}

fn maybe(words: &'static [&'static str]) -> impl Strategy<Value = Option<Text>> {
    prop::option::weighted(0.4, word(words))
}

/// Ids that collide, one that many have, and enough that do not to fill the roster.
fn instance() -> impl Strategy<Value = Option<Text>> {
    prop_oneof![
        3 => Just(None),
        3 => word(INSTANCES).prop_map(Some),
        3 => Just(Some("inst-a".into())),
        3 => (0..40_u32).prop_map(|n| Some(format!("n{n}").into())),
    ]
}

fn device() -> impl Strategy<Value = Option<Text>> {
    let device = prop_oneof![2 => word(DEVICES), 1 => Just("dev-1".into())];
    prop::option::weighted(0.5, device)
}

fn set() -> impl Strategy<Value = Vec<Text>> {
    prop::collection::vec(select(&WORDS[1..]).prop_map(Into::into), 0..3)
}

fn client() -> impl Strategy<Value = Client> {
    let info = (
        (
            word(&["cli", "openclaw-macos", "unknown"]),
            word(&["1", "2", "undefined"]),
            word(&["macos", "linux"]),
            word(MODES),
        ),
        (
            maybe(&["Studio", "inst-a", "N/A", "none"]),
            maybe(&["Mac"]),
            maybe(&["Mac16,6"]),
            instance(),
            maybe(&["UTC"]),
        ),
    )
        .prop_map(
            |((id, version, platform, mode), (display_name, family, model, instance_id, time_zone))| {
                ClientInfo {
                    id,
                    version,
                    platform,
                    mode,
                    display_name,
                    device_family: family,
                    model_identifier: model,
                    instance_id,
                    time_zone,
                }
            },
        );
    // A verified device id is the digest of a key, never blank.
    let device = device().prop_map(|id| id.filter(|id| normalise(id).is_some() && !is_placeholder("id", id)));
    (
        info,
        select(&[Role::Operator, Role::Node]),
        set(),
        device,
        maybe(IPS),
        maybe(&["ann", "Ann", "bob"]),
    )
        .prop_map(|(info, role, scopes, device_id, remote_ip, user)| Client {
            info: Arc::new(info),
            role,
            scopes: scopes.into(),
            device_id,
            remote_ip,
            user,
        })
}

fn beacon() -> impl Strategy<Value = Beacon> {
    let seconds = prop_oneof![
        4 => Just(None),
        2 => (0..400_u64).prop_map(Some),
        1 => select(&[MAX_SAFE_INTEGER - 1, MAX_SAFE_INTEGER, u64::MAX]).prop_map(Some),
    ];
    let ids = prop_oneof![3 => (instance(), device()), 2 => Just((None, None))];
    (
        (word(TEXTS), ids, maybe(WORDS), maybe(IPS), maybe(MODES)),
        (
            maybe(WORDS),
            maybe(WORDS),
            maybe(WORDS),
            maybe(WORDS),
            maybe(WORDS),
        ),
        (seconds, set(), set(), prop::bool::weighted(0.1)),
    )
        .prop_map(
            |((text, (instance_id, device_id), host, ip, mode), fields, (seconds, roles, scopes, clear))| {
                // Written out whole, so that the compiler asks for a new member.
                Beacon {
                    text: Beacon::new(&text).text,
                    instance_id,
                    device_id,
                    host,
                    ip,
                    mode,
                    version: fields.0,
                    platform: fields.1,
                    device_family: fields.2,
                    model_identifier: fields.3,
                    last_input_seconds: seconds,
                    reason: fields.4,
                    roles,
                    scopes,
                    clear_last_input: clear,
                    ttl_ms: None,
                }
            },
        )
}

/// Small steps, steps around the TTL, and jumps far beyond it.
fn span(ttl_ms: u64) -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..3_u64,
        4 => 0..=ttl_ms / 4,
        2 => ttl_ms / 2..=ttl_ms,
        2 => ttl_ms - 2..ttl_ms + 3,
        1 => ttl_ms..ttl_ms * 40,
    ]
}

pub(crate) fn op(ttl_ms: u64) -> impl Strategy<Value = Op> {
    let any_conn = || 0..1_000_usize;
    let sender = prop_oneof![1 => Just(Sender::Admin), 2 => any_conn().prop_map(Sender::Quota)];
    prop_oneof![
        6 => client().prop_map(Op::Connect),
        6 => (beacon(), sender).prop_map(|(beacon, sender)| Op::Beacon(beacon, sender)),
        3 => (any_conn(), beacon()).prop_map(|(conn, beacon)| Op::OwnBeacon(conn, beacon)),
        1 => (client(), beacon()).prop_map(|(client, beacon)| Op::RowlessBeacon(client, beacon)),
        4 => any_conn().prop_map(Op::Pong),
        4 => (any_conn(), any::<bool>()).prop_map(|(conn, proof)| Op::Close(conn, proof)),
        4 => (any_conn(), prop::option::weighted(0.7, prop_oneof![0..100_u64, 0..=2_592_000_u64]))
            .prop_map(|(conn, seconds)| Op::Report(conn, seconds)),
        2 => any_conn().prop_map(Op::Withdraw),
        1 => any_conn().prop_map(Op::LatePong),
        1 => prop_oneof![select(WALL_STEPS), -100_000_000..100_000_000_i64].prop_map(Op::WallStep),
        3 => span(ttl_ms).prop_map(Op::Pass),
        1 => Just(Op::Deadline),
        2 => (prop_oneof![span(ttl_ms), ttl_ms * 3 / 4..ttl_ms], 1..=ttl_ms / 4)
            .prop_map(|(asleep_ms, window_ms)| Op::Suspend { asleep_ms, window_ms }),
    ]
}

pub(crate) fn history() -> impl Strategy<Value = (usize, u64, Vec<(u64, Op)>)> {
    (2..=30_usize, select(&[1_000_u64, 10_000, 300_000])).prop_flat_map(|(cap, ttl_ms)| {
        let pause = prop_oneof![3 => Just(0), 1 => 0..=ttl_ms / 16];
        (
            Just(cap),
            Just(ttl_ms),
            prop::collection::vec((pause, op(ttl_ms)), 1..80),
        )
    })
}
