use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::Status;
use crate::client::config::{BeaconOccasions, BeaconPolicy, DeviceKey};
use crate::client::json::Json;
use crate::client::mirror::RosterDiff;
use crate::protocol::{ClientInfo, ConnectParams};
use crate::server::system_event::parse_system_event;

/// The gateway's clock when the tests start; the client's own is hours off.
const SERVER: u64 = 1_800_000_000_000;
const START: Now = Now {
    age_ms: 1_000,
    wall_ms: SERVER - 5 * 3_600_000,
};

fn config() -> ClientConfig {
    let client = ClientInfo {
        id: "gateway-client".into(),
        version: "1.0".into(),
        platform: "linux".into(),
        mode: "backend".into(),
        display_name: Some("Dash".into()),
        instance_id: Some("Dash-1".into()),
        time_zone: Some("Europe/Paris".into()),
        ..ClientInfo::default()
    };
    ClientConfig {
        token: Some("secret".into()),
        ..ClientConfig::new(client)
    }
}

/// A client and the outputs it made, under virtual time.
struct Bench {
    client: Client,
    now: Now,
    sent: Vec<Json>,
    closes: Vec<(u64, u16, &'static str)>,
    opened: u64,
    signs: Vec<String>,
    events: Vec<ClientEvent>,
}

impl Bench {
    fn new(config: ClientConfig) -> Self {
        let mut bench = Self {
            client: Client::new(config, START),
            now: START,
            sent: Vec::new(),
            closes: Vec::new(),
            opened: 0,
            signs: Vec::new(),
            events: Vec::new(),
        };
        bench.client.start(START);
        bench.drain();
        bench
    }

    /// A bench whose client is live on a gateway that lists `presence`.
    fn live(config: ClientConfig, protocol: u32, presence: &str) -> Self {
        let mut bench = Self::new(config);
        bench.shake_hands(protocol, presence);
        bench
    }

    fn shake_hands(&mut self, protocol: u32, presence: &str) {
        self.client.handle_open(self.opened, self.now);
        self.challenge();
        self.hello(
            protocol,
            presence,
            r#"{"role":"operator","scopes":["operator.admin"]}"#,
        );
        assert_eq!(self.client.state(), ClientState::Live);
    }

    fn server_ms(&self) -> u64 {
        SERVER + self.now.age_ms - START.age_ms
    }

    fn challenge(&mut self) {
        let ts = self.server_ms();
        self.hear(&format!(
            r#"{{"type":"event","event":"connect.challenge","payload":{{"nonce":"n-1","ts":{ts}}}}}"#
        ));
    }

    fn hello(&mut self, protocol: u32, presence: &str, auth: &str) {
        let id = self.last("connect").get("id").unwrap().clone();
        self.hear(&format!(
            r#"{{"type":"res","id":{id},"ok":true,"payload":{{"type":"hello-ok","protocol":{protocol},
                "server":{{"version":"t","connId":"c"}},"features":{{"methods":[],"events":[]}},"auth":{auth},
                "snapshot":{{"presence":{presence},"stateVersion":{{"presence":1,"health":1}}}},
                "policy":{{"tickIntervalMs":30000}}}}}}"#
        ));
    }

    fn refuse(&mut self, error: &str) {
        let id = self.last("connect").get("id").unwrap().clone();
        self.hear(&format!(
            r#"{{"type":"res","id":{id},"ok":false,"error":{error}}}"#
        ));
    }

    fn hear(&mut self, text: &str) {
        self.client.handle_text(self.opened, text, self.now);
        self.drain();
    }

    fn close(&mut self, code: u16, reason: &str) {
        self.client.handle_close(self.opened, code, reason, self.now);
        self.drain();
    }

    fn tick(&mut self) {
        let ts = self.server_ms();
        self.hear(&format!(
            r#"{{"type":"event","event":"tick","payload":{{"ts":{ts}}}}}"#
        ));
    }

    fn answer(&mut self, method: &str, payload: &str) {
        let id = self.last(method).get("id").unwrap().clone();
        self.hear(&format!(
            r#"{{"type":"res","id":{id},"ok":true,"payload":{payload}}}"#
        ));
    }

    /// Lets time pass without any frame, timers on time.
    fn pass(&mut self, ms: u64) {
        let end = self.now.after(ms);
        while let Some(due_ms) = self.client.poll_timeout().filter(|&due_ms| due_ms <= end.age_ms) {
            let step = due_ms.saturating_sub(self.now.age_ms);
            self.now = self.now.after(step);
            self.client.handle_timeout(self.now);
            self.drain();
            let next = self.client.poll_timeout();
            assert!(
                next.is_none_or(|next| next > self.now.age_ms),
                "a timer is due again at once: {next:?}"
            );
        }
        self.now = end;
    }

    /// Lets time pass with a tick every 30 s.
    fn pass_with_ticks(&mut self, ms: u64) {
        let end_ms = self.now.age_ms + ms;
        while self.now.age_ms + 30_000 <= end_ms {
            self.pass(30_000);
            self.tick();
        }
        self.pass(end_ms - self.now.age_ms);
    }

    /// Lets time pass with timers that do not fire, then fires one.
    fn sleep(&mut self, ms: u64) {
        self.now = self.now.after(ms);
        self.client.handle_timeout(self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                ClientOutput::Open { socket } => self.opened = socket,
                ClientOutput::Send { socket, text } => {
                    assert_eq!(socket, self.opened);
                    self.sent.push(Json::parse(&text).unwrap());
                }
                ClientOutput::Close { socket, code, reason } => self.closes.push((socket, code, reason)),
                ClientOutput::Sign { payload, .. } => self.signs.push(payload.into()),
                ClientOutput::Event(event) => self.events.push(event),
            }
        }
    }

    fn last(&self, method: &str) -> &Json {
        let is_it = |frame: &&Json| frame.get("method").and_then(Json::as_str) == Some(method);
        self.sent.iter().rev().find(is_it).unwrap()
    }

    fn count(&self, method: &str) -> usize {
        self.sent
            .iter()
            .filter(|frame| frame.get("method").and_then(Json::as_str) == Some(method))
            .count()
    }

    fn status(&self, key: &str) -> Option<Status> {
        self.client.mirror().row(key).map(|row| row.status())
    }

    /// The status changes that were told.
    fn status_events(&self) -> usize {
        self.events
            .iter()
            .filter(|event| matches!(event, ClientEvent::Roster(diff) if !diff.status.is_empty()))
            .count()
    }

    fn problem(&self) -> &str {
        &self.client.problem().unwrap().code
    }
}

fn row(id: &str, age_ms: u64) -> String {
    format!(
        r#"{{"instanceId":"{id}","reason":"connect","ts":{}}}"#,
        SERVER - age_ms
    )
}

/// The gateway's own row, so that lists are never empty.
fn gateway() -> String {
    format!(r#"{{"mode":"gateway","reason":"self","ts":{SERVER}}}"#)
}

// ---- handshake ------------------------------------------------------------------------------------

#[test]
fn connects_with_members_that_both_generations_know() {
    let mut bench = Bench::new(config());
    assert_eq!(bench.client.state(), ClientState::Connecting);
    bench.client.handle_open(1, bench.now);
    assert_eq!(
        (bench.client.state(), bench.sent.len()),
        (ClientState::Handshaking, 0)
    );
    bench.challenge();
    assert_eq!(
        bench.last("connect").get("params").unwrap().to_string(),
        concat!(
            r#"{"minProtocol":3,"maxProtocol":4,"client":{"id":"gateway-client","version":"1.0","platform":"linux","#,
            r#""mode":"backend","displayName":"Dash","instanceId":"Dash-1"},"caps":["presence-delta"],"#,
            r#""role":"operator","scopes":["operator.read"],"auth":{"token":"secret"}}"#
        )
    );
    bench.challenge();
    assert_eq!(bench.count("connect"), 1, "a second challenge is ignored");
    bench.hello(4, "[]", "{}");
    assert_eq!(bench.client.state(), ClientState::Live);
    assert_eq!(bench.client.server_ms(bench.now), SERVER);
}

#[test]
fn a_device_signs_the_challenge_with_the_gateways_time() {
    let device = DeviceKey {
        id: "d1".into(),
        public_key: "pk".into(),
    };
    let beacons = BeaconPolicy::every(60_000);
    let mut bench = Bench::new(ClientConfig {
        device: Some(device),
        beacons,
        ..config()
    });
    bench.client.handle_open(1, bench.now);
    bench.challenge();
    let text =
        format!("v2|d1|gateway-client|backend|operator|operator.read,operator.admin|{SERVER}|secret|n-1");
    assert_eq!((bench.signs.as_slice(), bench.sent.len()), (&[text][..], 0));
    bench.client.handle_signature(1, Some("sig"), bench.now);
    bench.drain();
    let params = bench.last("connect").get("params").unwrap();
    let device = params.get("device").unwrap().to_string();
    assert_eq!(
        device,
        format!(r#"{{"id":"d1","publicKey":"pk","signature":"sig","signedAt":{SERVER},"nonce":"n-1"}}"#)
    );
    // What our own gateway makes of it.
    let params: serde_json::Value = serde_json::from_str(&params.to_string()).unwrap();
    let parsed = ConnectParams::parse(&params).unwrap();
    assert_eq!(
        (parsed.protocol(), &*parsed.scopes[1]),
        (Some(4), "operator.admin")
    );
    bench.client.handle_signature(1, Some("again"), bench.now);
    bench.drain();
    assert_eq!(bench.count("connect"), 1);
}

#[test]
fn a_key_that_cannot_sign_is_left_out() {
    let device = Some(DeviceKey {
        id: "d1".into(),
        public_key: "pk".into(),
    });
    let mut bench = Bench::new(ClientConfig {
        device,
        token: Some("".into()),
        ..config()
    });
    bench.client.handle_open(1, bench.now);
    bench.challenge();
    bench.client.handle_signature(1, None, bench.now);
    bench.drain();
    let params = bench.last("connect").get("params").unwrap();
    assert_eq!((params.get("device"), params.get("auth")), (None, None));
}

#[test]
fn a_gateway_that_asks_for_one_number_gets_it_at_once() {
    let mut bench = Bench::new(config());
    bench.client.handle_open(1, bench.now);
    bench.challenge();
    bench.refuse(
        r#"{"code":"INVALID_REQUEST","message":"protocol mismatch","details":{"expectedProtocol":3}}"#,
    );
    assert_eq!((bench.opened, bench.client.state()), (2, ClientState::Connecting));
    bench.client.handle_open(2, bench.now);
    bench.challenge();
    let numbers = |bench: &Bench| {
        let params = bench.last("connect").get("params").unwrap().clone();
        (
            params.get("minProtocol").unwrap().as_u64(),
            params.get("maxProtocol").unwrap().as_u64(),
        )
    };
    assert_eq!(numbers(&bench), (Some(3), Some(3)));
    // One that changes its mind is not asked without end.
    bench.refuse(
        r#"{"code":"INVALID_REQUEST","message":"protocol mismatch","details":{"expectedProtocol":4}}"#,
    );
    assert!(matches!(bench.client.state(), ClientState::Waiting { .. }));
    bench.pass(1_000);
    bench.client.handle_open(3, bench.now);
    bench.challenge();
    assert_eq!(numbers(&bench), (Some(4), Some(4)));
    bench.refuse(
        r#"{"code":"INVALID_REQUEST","message":"protocol mismatch","details":{"expectedProtocol":4}}"#,
    );
    assert_eq!(bench.client.state(), ClientState::Refused);
}

#[test]
fn a_wrong_token_stops_with_a_remedy() {
    let mut bench = Bench::new(config());
    bench.client.handle_open(1, bench.now);
    bench.challenge();
    bench.refuse(r#"{"code":"INVALID_REQUEST","message":"unauthorized: gateway token mismatch (x)"}"#);
    assert_eq!(bench.client.state(), ClientState::Refused);
    assert_eq!(bench.closes, [(1, 4008, "connect failed")]);
    let problem = bench.client.problem().unwrap();
    assert_eq!(&*problem.code, "AUTH_TOKEN_MISMATCH");
    assert!(problem.remedy.contains("token"));
    let told = ClientEvent::State {
        state: ClientState::Refused,
        problem: Some(Box::new(problem.clone())),
    };
    assert_eq!(bench.events.last(), Some(&told));
    assert_eq!(bench.client.poll_timeout(), None);
    bench.close(1008, "unauthorized");
    bench.client.start(bench.now);
    bench.drain();
    assert_eq!((bench.opened, bench.client.state()), (2, ClientState::Connecting));
}

#[test]
fn a_gateway_that_is_busy_says_when_to_come_back() {
    for (error, at_least_ms) in [
        (
            r#"{"code":"UNAVAILABLE","message":"starting","retryable":true,"retryAfterMs":5000}"#,
            5_000,
        ),
        (
            r#"{"code":"INVALID_REQUEST","message":"x","details":{"code":"AUTH_RATE_LIMITED"},"retryAfterMs":300000}"#,
            300_000,
        ),
    ] {
        let mut bench = Bench::new(config());
        bench.client.handle_open(1, bench.now);
        bench.challenge();
        bench.refuse(error);
        bench.client.set_online(true, bench.now);
        bench.drain();
        bench.pass(at_least_ms - 1);
        assert!(matches!(bench.client.state(), ClientState::Waiting { .. }));
        bench.pass(1);
        assert_eq!((bench.client.state(), bench.opened), (ClientState::Connecting, 2));
    }
}

#[test]
fn handshakes_have_deadlines() {
    let mut bench = Bench::new(config());
    bench.pass(14_999);
    assert_eq!(bench.client.state(), ClientState::Connecting);
    bench.pass(1);
    assert_eq!((bench.problem(), bench.closes.len()), ("OPEN_TIMEOUT", 1));
    bench.pass(1_000);
    assert_eq!(bench.opened, 2);
    bench.client.handle_open(2, bench.now);
    bench.pass(15_000);
    assert_eq!((bench.problem(), bench.closes.len()), ("HELLO_TIMEOUT", 2));
}

#[test]
fn a_gateway_that_takes_the_scopes_away_is_told_of() {
    let mut bench = Bench::new(config());
    bench.client.handle_open(1, bench.now);
    bench.challenge();
    bench.hello(4, "[]", r#"{"role":"operator","scopes":[]}"#);
    let problem = bench.events.iter().find_map(|event| match event {
        ClientEvent::NoReadScope(problem) => Some(problem.clone()),
        _ => None,
    });
    let problem = problem.unwrap();
    assert_eq!(&*problem.code, "NO_READ_SCOPE");
    assert!(problem.remedy.contains("device key"));
    bench.client.set_watched(true, bench.now);
    bench.pass_with_ticks(600_000);
    assert_eq!(
        bench.count("system-presence"),
        0,
        "what is refused is not asked for"
    );
}

#[test]
fn what_closed_sockets_still_say_is_ignored() {
    let mut bench = Bench::new(config());
    bench.close(1006, "");
    bench.pass(1_000);
    assert_eq!(bench.opened, 2);
    bench.client.handle_open(1, bench.now);
    bench.client.handle_text(1, "{}", bench.now);
    bench.client.handle_close(1, 4001, "", bench.now);
    bench.client.handle_signature(1, Some("x"), bench.now);
    bench.drain();
    assert_eq!(bench.client.state(), ClientState::Connecting);
}

// ---- the roster -----------------------------------------------------------------------------------

#[test]
fn presence_events_replace_the_list() {
    let mut bench = Bench::live(config(), 4, &format!("[{}]", row("a", 0)));
    assert_eq!(bench.status("instance:a"), Some(Status::Active));
    bench.hear(&format!(
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
    // Two seconds before, the gateway is asked; it has heard nothing new.
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

/// Answers a question for the list as a gateway does that saw a pong just now.
fn answer_fresh(bench: &mut Bench) {
    if bench.client.hold_until_ms().is_some() {
        let ts = bench.server_ms();
        let list = format!(r#"[{{"instanceId":"a","reason":"connect","ts":{ts}}}]"#);
        bench.answer("system-presence", &list);
    }
}

#[test]
fn a_row_that_was_touched_in_silence_does_not_flicker() {
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
fn a_late_timer_of_a_hidden_page_does_not_flap() {
    let mut bench = Bench::live(config(), 4, &format!("[{},{}]", gateway(), row("a", 0)));
    bench.client.set_visible(false, bench.now);
    for _ in 0..20 {
        // Frames come through, the timer fires only once a minute.
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
fn a_question_without_an_answer_holds_statuses_only_so_long() {
    let mut bench = Bench::live(config(), 4, &format!("[{},{}]", gateway(), row("a", 0)));
    bench.pass_with_ticks(118_001);
    assert_eq!(bench.count("system-presence"), 1);
    bench.pass(4_999);
    assert_eq!(bench.status("instance:a"), Some(Status::Active));
    bench.pass(1);
    assert_eq!(bench.status("instance:a"), Some(Status::Idle));
}

#[test]
fn a_watched_roster_of_protocol_3_is_asked_for_every_30_s() {
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
    assert_eq!(
        newer.count("system-presence"),
        0,
        "protocol 4 announces who connects"
    );
}

#[test]
fn offline_the_rows_age_and_go() {
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
fn a_client_whose_clocks_jump_counts_the_same_ages() {
    let mut bench = Bench::live(config(), 4, &format!("[{},{}]", gateway(), row("a", 0)));
    bench.pass(50_000);
    // The wall clock is set back by a day, and a tick later forward by two.
    bench.now.wall_ms -= 86_400_000;
    bench.tick();
    assert_eq!(bench.client.server_ms(bench.now), bench.server_ms());
    bench.now.wall_ms += 2 * 86_400_000;
    bench.tick();
    assert_eq!(bench.client.server_ms(bench.now), bench.server_ms());
    assert_eq!(bench.status("instance:a"), Some(Status::Active));
}

// ---- gaps and versions ----------------------------------------------------------------------------

fn event(name: &str, seq: u64) -> String {
    format!(r#"{{"type":"event","event":"{name}","payload":{{}},"seq":{seq}}}"#)
}

#[test]
fn a_gap_on_protocol_4_is_a_loss() {
    let mut bench = Bench::live(config(), 4, &format!("[{}]", gateway()));
    for seq in [7, 8] {
        bench.hear(&event("health", seq));
    }
    assert_eq!(bench.count("system-presence"), 0, "numbers start anywhere");
    bench.hear(&event("health", 10));
    assert_eq!(bench.count("system-presence"), 1);
    // While that is under way another gap asks once more, after the answer.
    bench.hear(&event("health", 12));
    assert_eq!(bench.count("system-presence"), 1);
    bench.answer("system-presence", &format!("[{}]", gateway()));
    assert_eq!(bench.count("system-presence"), 2);
}

#[test]
fn a_gap_on_protocol_3_is_looked_into_quietly() {
    let mut bench = Bench::live(config(), 3, &format!("[{}]", gateway()));
    let mut seq = 1;
    for _ in 0..12 {
        bench.hear(&event("agent", seq));
        seq += 3;
        bench.pass(5_000);
        if bench.client.hold_until_ms().is_some() {
            bench.answer("system-presence", &format!("[{}]", gateway()));
        }
    }
    assert_eq!(
        bench.count("system-presence"),
        2,
        "in a minute, at most once per 30 s"
    );
}

#[test]
fn a_list_that_shows_a_gap_also_fills_it() {
    let mut bench = Bench::live(config(), 4, &format!("[{}]", gateway()));
    bench.hear(&event("health", 1));
    bench.hear(&format!(
        r#"{{"type":"event","event":"presence","payload":{{"presence":[{}]}},"seq":9}}"#,
        row("a", 0)
    ));
    assert_eq!(bench.count("system-presence"), 0);
    bench.hear(&event("health", 10));
    assert_eq!(bench.count("system-presence"), 0);
}

#[test]
fn a_version_that_no_event_brought_is_asked_for() {
    // Protocol 3 counts a connect and tells nobody; its health event shows the number.
    let mut bench = Bench::live(config(), 3, &format!("[{}]", gateway()));
    let health = r#"{"type":"event","event":"health","payload":{},"stateVersion":{"presence":2,"health":5}}"#;
    bench.hear(health);
    assert_eq!(bench.count("system-presence"), 1);
    bench.answer("system-presence", &format!("[{}]", gateway()));
    bench.hear(health);
    bench.pass(29_000);
    assert_eq!(bench.count("system-presence"), 1);
}

// ---- deltas ---------------------------------------------------------------------------------------

const KEYED: &str = r#"[{"instanceId":"a","ts":1800000000000}],"keys":["a"],"version":4,"x":[]"#;

#[test]
fn deltas_are_applied_and_gaps_resynced() {
    let mut bench = Bench::live(config(), 4, KEYED);
    let delta = |from: u64, to: u64, seq: u64| {
        format!(
            r#"{{"type":"event","event":"presence.delta","seq":{seq},"stateVersion":{{"presence":{to},"health":1}},
                "payload":{{"from":{from},"to":{to},"removals":[],"touched":[],
                "upserts":[{{"key":"b","entry":{{"instanceId":"b","ts":{SERVER}}}}}]}}}}"#
        )
    };
    bench.hear(&delta(4, 5, 1));
    assert_eq!(bench.status("instance:b"), Some(Status::Active));
    assert_eq!(bench.count("presence.snapshot"), 0);
    bench.hear(&delta(6, 7, 2));
    assert_eq!(bench.count("presence.snapshot"), 1);
    bench.answer(
        "presence.snapshot",
        r#"{"presence":[{"instanceId":"c","ts":1800000000000}],"keys":["c"],"version":7}"#,
    );
    assert_eq!(
        (bench.client.mirror().version(), bench.client.mirror().len()),
        (Some(7), 1)
    );
    bench.hear(
        r#"{"type":"event","event":"presence.snapshot","seq":9,
            "payload":{"presence":[{"instanceId":"d","ts":1800000000000}],"keys":["d"],"version":9}}"#,
    );
    assert_eq!(
        (bench.status("instance:d"), bench.count("presence.snapshot")),
        (Some(Status::Active), 1)
    );
    bench.client.set_watched(true, bench.now);
    bench.pass_with_ticks(300_000);
    assert_eq!(
        bench.count("system-presence"),
        0,
        "deltas tell of touches by themselves"
    );
}

#[test]
fn a_digest_that_disagrees_is_resynced_unless_the_snapshot_disagrees_too() {
    let off = r#"{"type":"event","event":"presence.delta","payload":{"from":4,"to":5,"upserts":[],"removals":[],
        "touched":[],"digest":"0000000000000001"}}"#;
    let digest = {
        let mut mirror = Mirror::new(crate::client::MirrorConfig::default());
        let text = format!(r#"{{"presence":{KEYED}}}"#);
        mirror.apply_keyed(&Json::parse(&text).unwrap(), SERVER);
        (0..2u64)
            .map(|n| format!("{n:016x}"))
            .find(|digest| mirror.agrees_with(digest))
    };
    assert_eq!(digest, None, "the made-up digests are wrong");
    let mut bench = Bench::live(config(), 4, KEYED);
    bench.hear(off);
    assert_eq!(
        bench.count("presence.snapshot"),
        0,
        "the snapshot stated no digest to rely on"
    );
    let raw = crate::client::RawEntry::parse_list(r#"[{"instanceId":"a","ts":1}]"#).unwrap();
    let right = format!("{:016x}", crate::digest::of_raw("a", &raw[0]));
    let mut bench = Bench::live(config(), 4, &format!(r#"{KEYED},"digest":"{right}""#));
    bench.hear(off);
    assert_eq!(bench.count("presence.snapshot"), 1);
}

#[test]
fn a_gateway_that_cannot_resync_is_asked_for_lists_instead() {
    let mut bench = Bench::live(config(), 4, KEYED);
    bench.hear(r#"{"type":"event","event":"presence.delta","payload":{"from":9,"to":10}}"#);
    let id = bench.last("presence.snapshot").get("id").unwrap().clone();
    bench.hear(&format!(
        r#"{{"type":"res","id":{id},"ok":false,"error":{{"code":"INVALID_REQUEST","message":"unknown method"}}}}"#
    ));
    assert_eq!(bench.problem(), "RESYNC_FAILED");
    bench.pass(1_000);
    bench.shake_hands(4, &format!("[{}]", gateway()));
    let caps = bench.last("connect").at(&["params", "caps"]).unwrap();
    assert_eq!(caps.to_string(), "[]");
}

// ---- silence --------------------------------------------------------------------------------------

#[test]
fn two_missing_ticks_end_the_connection() {
    let mut bench = Bench::live(config(), 4, &format!("[{}]", gateway()));
    bench.pass(20_000);
    bench.hear("not even JSON");
    bench.pass(59_999);
    assert_eq!(bench.client.state(), ClientState::Live);
    bench.pass(1);
    assert_eq!(bench.closes, [(1, 4000, "tick timeout")]);
    assert_eq!(bench.problem(), "TICK_TIMEOUT");
    bench.pass(1_000);
    assert_eq!(bench.opened, 2);
}

#[test]
fn a_client_that_slept_gives_the_socket_a_chance() {
    let mut bench = Bench::live(config(), 4, &format!("[{}]", gateway()));
    bench.sleep(3_600_000);
    assert_eq!(
        (bench.client.state(), bench.count("system-presence")),
        (ClientState::Live, 1)
    );
    // The tick that waited in the socket, then the answer.
    bench.tick();
    let ts = bench.server_ms();
    bench.answer(
        "system-presence",
        &format!(r#"[{{"mode":"gateway","reason":"self","ts":{ts}}}]"#),
    );
    bench.pass(50_000);
    assert_eq!(bench.client.state(), ClientState::Live);

    let mut dead = Bench::live(config(), 4, &format!("[{}]", gateway()));
    dead.sleep(3_600_000);
    dead.pass(14_999);
    assert_eq!(dead.client.state(), ClientState::Live);
    dead.pass(1);
    assert_eq!(dead.problem(), "TICK_TIMEOUT");
}

#[test]
fn a_dead_socket_is_noticed_even_if_every_timer_is_late() {
    let mut bench = Bench::live(config(), 4, &format!("[{}]", gateway()));
    let mut minutes = 0;
    while bench.client.state() == ClientState::Live {
        bench.sleep(75_000);
        minutes += 1;
        assert!(minutes < 10, "never noticed");
    }
    assert_eq!(bench.problem(), "TICK_TIMEOUT");
}

#[test]
fn a_network_that_is_back_is_not_waited_for() {
    let mut bench = Bench::live(config(), 4, &format!("[{}]", gateway()));
    bench.pass(5_000);
    bench.client.set_online(true, bench.now);
    bench.drain();
    assert_eq!(
        bench.count("system-presence"),
        1,
        "an old connection must show that it still carries"
    );
    bench.pass(15_000);
    assert_eq!(bench.problem(), "TICK_TIMEOUT");
}

// ---- reconnects -----------------------------------------------------------------------------------

#[test]
fn waits_grow_until_a_connection_was_stable() {
    let mut bench = Bench::new(ClientConfig { seed: 5, ..config() });
    let mut total = 0;
    for _ in 0..8 {
        bench.close(1006, "");
        let ClientState::Waiting { at_ms } = bench.client.state() else {
            panic!("not waiting")
        };
        let wait_ms = at_ms - bench.now.age_ms;
        assert!(wait_ms <= 30_000);
        total += wait_ms;
        bench.pass(wait_ms);
        assert_eq!(bench.client.state(), ClientState::Connecting);
    }
    assert!(total > 20_000, "{total}");
    bench.shake_hands(4, "[]");
    bench.pass_with_ticks(30_000);
    bench.close(1012, "service restart");
    let ClientState::Waiting { at_ms } = bench.client.state() else {
        panic!("not waiting")
    };
    assert!(at_ms - bench.now.age_ms <= 1_000);
}

#[test]
fn a_page_that_is_shown_tries_at_once() {
    let mut bench = Bench::new(config());
    for _ in 0..6 {
        bench.close(1006, "");
        bench.pass(30_000);
    }
    bench.close(1006, "");
    bench.client.set_visible(false, bench.now);
    bench.client.set_visible(true, bench.now);
    bench.drain();
    assert_eq!(bench.client.state(), ClientState::Connecting);
    // But not again and again.
    bench.close(1006, "");
    for is_visible in [false, true, false, true] {
        bench.client.set_visible(is_visible, bench.now);
        bench.drain();
    }
    assert!(matches!(bench.client.state(), ClientState::Waiting { .. }));
}

#[test]
fn an_announced_restart_is_waited_for() {
    let mut bench = Bench::live(config(), 4, "[]");
    bench.hear(
        r#"{"type":"event","event":"shutdown","payload":{"reason":"gateway restarting","restartExpectedMs":4000}}"#,
    );
    let told = ClientEvent::Shutdown {
        reason: "gateway restarting".into(),
        restart_expected_ms: Some(4_000),
    };
    assert!(bench.events.contains(&told));
    bench.close(1012, "service restart");
    let ClientState::Waiting { at_ms } = bench.client.state() else {
        panic!("not waiting")
    };
    assert!((4_000..=5_000).contains(&(at_ms - bench.now.age_ms)));
}

#[test]
fn revoked_credentials_stop() {
    let mut bench = Bench::live(config(), 4, "[]");
    bench.close(4001, "gateway auth changed");
    assert_eq!(
        (bench.client.state(), bench.problem()),
        (ClientState::Refused, "CREDENTIALS_REVOKED")
    );
}

#[test]
fn a_stopped_client_is_quiet_until_it_is_started_again() {
    let mut bench = Bench::live(config(), 4, &format!("[{}]", row("a", 0)));
    bench.client.stop(bench.now);
    bench.drain();
    assert_eq!(bench.closes, [(1, 1000, "")]);
    assert_eq!(
        (bench.client.state(), bench.client.mirror().len()),
        (ClientState::Closed, 1)
    );
    bench.client.stop(bench.now);
    bench.pass(10_000_000);
    assert_eq!((bench.closes.len(), bench.client.poll_timeout()), (1, None));
    bench.client.start(bench.now);
    bench.drain();
    assert_eq!(bench.opened, 2);
}

// ---- requests -------------------------------------------------------------------------------------

#[test]
fn every_request_gets_an_answer() {
    let mut bench = Bench::live(config(), 4, "[]");
    let ids: Vec<u64> = (0..4)
        .map(|_| bench.client.request("health", None, bench.now).unwrap())
        .collect();
    bench.drain();
    assert_eq!(
        bench.sent.last().unwrap().to_string(),
        format!(r#"{{"type":"req","id":"{}","method":"health"}}"#, ids[3])
    );
    bench.hear(&format!(
        r#"{{"type":"res","id":"{}","ok":true,"payload":{{"z":1,"a":2}}}}"#,
        ids[0]
    ));
    bench.hear(&format!(
        r#"{{"type":"res","id":"{}","ok":false,"error":{{"code":"FORBIDDEN","message":"missing scope: operator.x"}}}}"#,
        ids[1]
    ));
    bench.hear(&format!(r#"{{"type":"res","id":"{}","ok":true}}"#, ids[0]));
    bench.pass(30_000);
    bench.client.request("late", None, bench.now).unwrap();
    bench.close(1006, "");
    let answers: Vec<String> = bench
        .events
        .iter()
        .filter_map(|event| match event {
            ClientEvent::Response {
                id,
                result: Ok(payload),
            } => Some(format!("{id} {payload}")),
            ClientEvent::Response {
                id,
                result: Err(problem),
            } => Some(format!("{id} {}", problem.code)),
            _ => None,
        })
        .collect();
    let expected = [
        format!(r#"{} {{"z":1,"a":2}}"#, ids[0]),
        format!("{} FORBIDDEN", ids[1]),
        format!("{} TIMEOUT", ids[2]),
        format!("{} TIMEOUT", ids[3]),
        format!("{} DISCONNECTED", ids[3] + 1),
    ];
    assert_eq!(answers, expected);
    assert_eq!(
        bench.client.request("health", None, bench.now),
        Err(CallError::NotConnected)
    );
}

#[test]
fn requests_under_way_are_bounded() {
    let mut bench = Bench::live(config(), 4, "[]");
    let sent = (0..1_000)
        .filter(|_| bench.client.request("health", None, bench.now).is_ok())
        .count();
    assert_eq!(sent, 256);
    assert_eq!(
        bench.client.request("health", None, bench.now),
        Err(CallError::TooMany)
    );
}

// ---- beacons --------------------------------------------------------------------------------------

fn beaconing() -> ClientConfig {
    let occasions = BeaconOccasions {
        every_ms: Some(60_000),
        ..BeaconOccasions::default()
    };
    let device = Some(DeviceKey {
        id: "d1".into(),
        public_key: "pk".into(),
    });
    ClientConfig {
        beacons: BeaconPolicy::On(occasions),
        device,
        ..config()
    }
}

fn live_beaconing() -> Bench {
    let mut bench = Bench::new(beaconing());
    bench.client.handle_open(1, bench.now);
    bench.challenge();
    bench.client.handle_signature(1, Some("sig"), bench.now);
    bench.drain();
    bench.hello(4, &format!("[{}]", gateway()), "{}");
    bench
}

fn reason(bench: &Bench) -> String {
    bench
        .last("system-event")
        .at(&["params", "reason"])
        .unwrap()
        .as_str()
        .unwrap()
        .to_string()
}

#[test]
fn a_beacon_says_who_where_and_how_long_ago() {
    let mut bench = live_beaconing();
    assert_eq!(
        (bench.count("system-event"), reason(&bench).as_str()),
        (1, "launch")
    );
    bench.client.report_input(bench.now);
    bench.pass(5_000);
    let params = bench.last("system-event").get("params").unwrap();
    assert_eq!(
        params.to_string(),
        concat!(
            r#"{"text":"Node: Dash · app 1.0 · last input 5s ago · mode backend · reason periodic","#,
            r#""instanceId":"Dash-1","deviceId":"d1","host":"Dash","mode":"backend","version":"1.0","#,
            r#""platform":"linux","reason":"periodic","lastInputSeconds":5}"#
        )
    );
    let params: serde_json::Value = serde_json::from_str(&params.to_string()).unwrap();
    assert_eq!(parse_system_event(&params).unwrap().last_input_seconds, Some(5));
    bench.answer("system-event", r#"{"ok":true}"#);
    assert_eq!(bench.events.last(), Some(&ClientEvent::BeaconAccepted));
}

#[test]
fn beacons_come_at_their_occasions_and_not_more_often() {
    let mut bench = live_beaconing();
    bench.pass_with_ticks(60_000);
    assert_eq!(
        (bench.count("system-event"), reason(&bench).as_str()),
        (2, "periodic")
    );
    // Back after more than two minutes; typing on does not count.
    bench.client.report_input(bench.now);
    bench.pass(5_000);
    assert_eq!(bench.count("system-event"), 3);
    for _ in 0..10 {
        bench.client.report_input(bench.now);
        bench.pass(1_000);
    }
    assert_eq!(bench.count("system-event"), 3);
    // Hidden and shown in one breath: one beacon.
    for is_visible in [false, true, false] {
        bench.client.set_visible(is_visible, bench.now);
    }
    bench.drain();
    assert_eq!(bench.count("system-event"), 4);
}

#[test]
fn a_reconnect_says_connect() {
    let mut bench = live_beaconing();
    bench.close(1006, "");
    bench.pass(1_000);
    bench.client.handle_open(2, bench.now);
    bench.challenge();
    bench.client.handle_signature(2, Some("sig"), bench.now);
    bench.drain();
    bench.hello(4, "[]", "{}");
    assert_eq!(
        (bench.count("system-event"), reason(&bench).as_str()),
        (2, "connect")
    );
}

#[test]
fn a_refused_beacon_turns_beacons_off_and_nothing_else() {
    let mut bench = live_beaconing();
    let id = bench.last("system-event").get("id").unwrap().clone();
    bench.hear(&format!(
        r#"{{"type":"res","id":{id},"ok":false,"error":{{"code":"FORBIDDEN","message":"missing scope: operator.admin",
            "details":{{"code":"MISSING_SCOPE"}}}}}}"#
    ));
    assert!(
        matches!(bench.events.last(), Some(ClientEvent::BeaconRefused(problem)) if &*problem.code == "MISSING_SCOPE")
    );
    bench.pass_with_ticks(300_000);
    assert_eq!(
        (bench.count("system-event"), bench.client.state()),
        (1, ClientState::Live)
    );
    let told = bench
        .events
        .iter()
        .filter(|event| matches!(event, ClientEvent::BeaconRefused(_)))
        .count();
    assert_eq!(told, 1);
    assert!(bench.client.mirror().len() == 1 && !bench.client.mirror().is_offline());
}

#[test]
fn without_a_policy_beacons_are_sent_on_demand_only() {
    let mut bench = Bench::live(config(), 4, "[]");
    bench.client.report_input(bench.now);
    bench.client.set_visible(false, bench.now);
    bench.pass_with_ticks(600_000);
    assert_eq!(bench.count("system-event"), 0);
    bench.client.beacon("instances-refresh", bench.now).unwrap();
    bench.drain();
    assert_eq!(reason(&bench), "instances-refresh");
}

// ---- a gateway that means harm --------------------------------------------------------------------

#[test]
fn no_frame_breaks_it() {
    let texts = [
        "",
        "null",
        "[]",
        "{}",
        "5",
        "\"x\"",
        r#"{"type":5}"#,
        r#"{"type":"event"}"#,
        r#"{"type":"res","id":"1"}"#,
        r#"{"type":"res","id":"99999999999999999999999","ok":true}"#,
        r#"{"type":"event","event":"presence"}"#,
        r#"{"type":"event","event":"presence","payload":{"presence":5},"seq":-1}"#,
        r#"{"type":"event","event":"presence","payload":{"presence":[5,null,{},{"ts":-1},{"ts":1e300}]},"seq":1e300}"#,
        r#"{"type":"event","event":"presence","payload":{"presence":[]},"seq":18446744073709551615}"#,
        r#"{"type":"event","event":"tick","payload":{"ts":18446744073709551615}}"#,
        r#"{"type":"event","event":"tick","payload":{"ts":0}}"#,
        r#"{"type":"event","event":"tick","payload":[]}"#,
        r#"{"type":"event","event":"shutdown","payload":{"restartExpectedMs":18446744073709551615}}"#,
        r#"{"type":"event","event":"presence.delta","payload":{"from":0,"to":18446744073709551615}}"#,
        r#"{"type":"event","event":"x","stateVersion":{"presence":18446744073709551615}}"#,
        r#"{"type":"event","event":"connect.challenge","payload":{"nonce":"","ts":"x"}}"#,
        r#"{"type":"event","event":"connect.challenge","payload":{"nonce":"n"}}"#,
        r#"{"type":"res","id":"1","ok":true,"payload":{"type":"hello-ok","protocol":99999999999}}"#,
    ];
    for protocol in [0, 3, 4] {
        let mut bench = match protocol {
            0 => Bench::new(config()),
            protocol => Bench::live(config(), protocol, KEYED),
        };
        bench.client.handle_open(bench.opened, bench.now);
        for text in texts {
            bench.hear(text);
            bench.pass(1_000);
        }
        bench.pass(100_000);
    }
}
