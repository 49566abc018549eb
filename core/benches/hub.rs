//! The cost of one frame between the socket's text and the outbox's frames: a beacon and its answer, a
//! `system-presence` and its answer, on a gateway of 200 connections and 200 rows.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench that cannot be set up must not measure something else"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use presence_core::server::{
    ConnId, Connection, ConnectionOutput, DeviceEvidence, Evidence, Hub, HubConfig, HubOutput, Item,
    OriginEvidence, Outbox, SecretEvidence,
};
use presence_core::wire::Limits;
use presence_core::{Now, PresenceEntry};

const CLIENTS: usize = 200;

struct World {
    hub: Hub,
    clients: Vec<Client>,
    now: Now,
}

struct Client {
    machine: Connection,
    outbox: Outbox,
    conn: ConnId,
}

impl World {
    fn new() -> Self {
        let now = Now {
            age_ms: 1_000,
            wall_ms: 1_800_000_000_000,
        };
        let config = HubConfig {
            limits: Limits::default(),
            ttl_ms: 300_000,
            max_entries: CLIENTS + 1,
            ephemeral_modes: Vec::new(),
            hash_seed: 0x5eed,
            server_version: "1.0.0".into(),
            boot_id: "boot".into(),
            self_entry: PresenceEntry::default(),
            auth_mode: "none",
        };
        let mut world = Self {
            hub: Hub::new(config, now),
            clients: Vec::new(),
            now,
        };
        (0..CLIENTS).for_each(|number| world.join(number));
        world
    }

    fn join(&mut self, number: usize) {
        let limits = Limits::default();
        let mut machine = Connection::new(
            &limits,
            format!("conn-{number}").into(),
            "nonce".into(),
            Some(format!("10.0.0.{number}").into()),
            self.now,
        );
        let connect = format!(
            r#"{{"type":"req","id":"1","method":"connect","params":{{"minProtocol":3,"maxProtocol":4,
            "client":{{"id":"openclaw-macos","version":"2026.9.6","platform":"macos 26.1.0","mode":"ui",
            "displayName":"host-{number}","instanceId":"{}","deviceFamily":"Mac","modelIdentifier":"Mac16,6"}},
            "scopes":["operator.read"]}}}}"#,
            instance(number)
        );
        machine.handle_text(&connect, self.now);
        let evidence = Evidence {
            origin: OriginEvidence::Allowed,
            secret: SecretEvidence::NotRequired,
            device: DeviceEvidence::Absent,
            grant: presence_core::server::Grant::default(),
        };
        machine.handle_evidence(&evidence, self.now);
        let joined = std::iter::from_fn(|| machine.poll_output()).find_map(|output| match output {
            ConnectionOutput::Join(handshake) => Some(self.hub.join(*handshake, self.now)),
            _ => None,
        });
        self.clients.push(Client {
            machine,
            outbox: Outbox::new(limits.buffered_bytes),
            conn: joined.unwrap(),
        });
        self.drain();
    }

    /// Handles a frame of a client, and takes the resulting frames out of the outboxes. Returns their bytes.
    fn frame(&mut self, client: usize, text: &str) -> usize {
        let from = &mut self.clients[client];
        from.machine.handle_text(black_box(text), self.now);
        while let Some(output) = from.machine.poll_output() {
            match output {
                ConnectionOutput::Call(request) => self.hub.call(from.conn, &request, self.now),
                other => panic!("{other:?}"),
            }
        }
        self.drain()
    }

    fn drain(&mut self) -> usize {
        let mut bytes = 0;
        while let Some(output) = self.hub.poll_output() {
            let HubOutput::Send(conn, item) = output else {
                continue;
            };
            let Some(client) = self.clients.get_mut(conn.slot as usize) else {
                continue;
            };
            assert!(!matches!(item, Item::Close(_)));
            client.outbox.push(item).unwrap();
            while let Some(outgoing) = client.outbox.pop() {
                bytes += outgoing.segments().iter().map(|part| part.len()).sum::<usize>();
            }
        }
        bytes
    }
}

fn instance(number: usize) -> String {
    format!("7f3b2a10-1c2d-4e5f-8a9b-{number:012x}")
}

fn beacon(number: usize, round: usize) -> String {
    format!(
        r#"{{"type":"req","id":"{round}","method":"system-event","params":{{"text":"Node: host-{number} · app 2026.9.6 · mode local · reason periodic","instanceId":"{}","host":"host-{number}","ip":"10.0.0.{number}","mode":"local","version":"2026.9.6","platform":"macos 26.1.0","deviceFamily":"Mac","modelIdentifier":"Mac16,6","lastInputSeconds":{},"reason":"periodic"}}}}"#,
        instance(number),
        round % 60
    )
}

/// Measures one frame of every client in turn, a tenth of a millisecond apart.
fn measure(world: &mut World, iterations: u64, text: impl Fn(usize, usize) -> String) -> Duration {
    let mut time = Duration::ZERO;
    let mut left = iterations as usize;
    let mut round = 0;
    while left > 0 {
        let count = left.min(CLIENTS);
        left -= count;
        round += 1;
        let texts: Vec<String> = (0..count).map(|number| text(number, round)).collect();
        // Pings are answered, or all clients would be dropped.
        for client in 0..CLIENTS {
            world.hub.pong(world.clients[client].conn, world.now);
        }
        world.drain();
        let start = Instant::now();
        for (number, text) in texts.iter().enumerate() {
            if number % 10 == 0 {
                world.now = world.now.after(1);
            }
            black_box(world.frame(number, text));
        }
        time += start.elapsed();
    }
    time
}

fn bench(criterion: &mut Criterion) {
    let mut world = World::new();
    let mut run = |name: &str, text: &dyn Fn(usize, usize) -> String| {
        let mut group = criterion.benchmark_group(name);
        group
            .sample_size(20)
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(2))
            .throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::from_parameter(CLIENTS), |bencher| {
            bencher.iter_custom(|iterations| measure(&mut world, iterations, text));
        });
    };
    run("hub-beacon", &beacon);
    run("hub-system-presence", &|_, round| {
        format!(r#"{{"type":"req","id":"{round}","method":"system-presence","params":{{}}}}"#)
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
