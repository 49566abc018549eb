//! A gateway in virtual time, and clients.

use super::*;

/// A gateway in virtual time.
pub(super) struct Lab {
    pub(super) hub: Hub,
    pub(super) now: Now,
    pub(super) reader: ConnId,
    joined: usize,
}

/// A client as a test describes it.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) id: Option<&'static str>,
    pub(super) host: Option<&'static str>,
    pub(super) ip: Option<&'static str>,
    pub(super) device: Option<&'static str>,
    pub(super) mode: &'static str,
    pub(super) role: Role,
    pub(super) skew_ms: Option<i64>,
}

pub(super) const MAC: Client = Client {
    id: Some("mac-1"),
    host: Some("studio"),
    ip: Some("192.0.2.7"),
    device: None,
    mode: "ui",
    role: Role::Operator,
    skew_ms: None,
};

impl Lab {
    pub(super) fn new(max_entries: usize) -> Self {
        let mut hub = hub_of(max_entries);
        let mut reader = handshake("reader", "cli", &["operator.read"]);
        Arc::make_mut(&mut reader.client).id = "reader".into();
        let reader = hub.join(reader, START);
        Self {
            hub,
            now: START,
            reader,
            joined: 0,
        }
    }

    pub(super) fn join(&mut self, client: &Client) -> ConnId {
        self.joined += 1;
        let handshake = Handshake {
            conn_id: alloc::format!("c-{}", self.joined).into(),
            role: client.role,
            client: Arc::new(ClientInfo {
                id: "openclaw-macos".into(),
                version: "1".into(),
                platform: "macos".into(),
                mode: client.mode.into(),
                display_name: client.host.map(Into::into),
                instance_id: client.id.map(Into::into),
                ..ClientInfo::default()
            }),
            device_id: client.device.map(Into::into),
            remote_ip: client.ip.map(Into::into),
            clock_skew_ms: client.skew_ms,
            ..handshake("x", "ui", &["operator.read", "operator.write"])
        };
        self.hub.join(handshake, self.now)
    }

    pub(super) fn leave(&mut self, conn: ConnId) {
        self.hub.leave(conn, LeaveCause::PeerClosed, self.now);
    }

    /// Advances the time; the live clients answer pings, except those in `dead`.
    pub(super) fn pass(&mut self, ms: u64, dead: &[ConnId]) {
        let until = self.now.after(ms);
        while self
            .hub
            .poll_timeout()
            .is_some_and(|due_ms| due_ms <= until.age_ms)
        {
            let due_ms = self.hub.poll_timeout().unwrap().max(self.now.age_ms);
            self.now = self.now.after(due_ms - self.now.age_ms);
            self.hub.handle_timeout(self.now);
            self.answer(dead);
        }
        self.now = until;
        self.hub.handle_timeout(self.now);
        self.answer(dead);
    }

    fn answer(&mut self, dead: &[ConnId]) {
        let mut pinged = Vec::new();
        while let Some(output) = self.hub.poll_output() {
            if let HubOutput::Ping(conn) = output
                && !dead.contains(&conn)
            {
                pinged.push(conn);
            }
        }
        for conn in pinged {
            self.hub.pong(conn, self.now);
        }
    }

    pub(super) fn beacon(&mut self, conn: ConnId, params: Value) -> Value {
        call(&mut self.hub, conn, "system-event", params, self.now)
    }

    /// The codes of the findings, and the findings.
    pub(super) fn found(&mut self) -> (Vec<String>, Vec<Value>) {
        let mut answer = call(
            &mut self.hub,
            self.reader,
            "presence.explain",
            json!({}),
            self.now,
        );
        let Value::Array(found) = answer["payload"]["findings"].take() else {
            panic!("{answer}");
        };
        for finding in &found {
            assert!(finding["fixHint"].as_str().unwrap().len() > 40, "{finding}");
            assert!(!finding["evidence"].as_array().unwrap().is_empty(), "{finding}");
        }
        let codes = found
            .iter()
            .map(|finding| finding["code"].as_str().unwrap().into());
        (codes.collect(), found)
    }

    pub(super) fn assert_finds(&mut self, code: &str, rows: &Value) -> Value {
        let (codes, mut found) = self.found();
        assert_eq!(codes, [code], "{found:?}");
        assert_eq!(found[0]["rows"], *rows, "{found:?}");
        found.remove(0)
    }

    pub(super) fn assert_silent(&mut self) {
        let (codes, found) = self.found();
        assert_eq!(codes, Vec::<String>::new(), "{found:?}");
    }
}
