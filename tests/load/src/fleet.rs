//! Many clients on one thread: opens them, makes them send requests, waits for what they should receive.

mod plan;

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};
use presence_core::client::Client;
use rustls::ClientConfig;
use socket2::{Domain, Socket, Type};

use crate::client::{LoadClient, Stage};
use crate::clock;
use crate::line::Line;

pub(crate) use plan::{Opened, Plan};

/// Size of the read buffer, which all clients share.
const READ_BYTES: usize = 256 * 1024;
/// Longest wait for socket events.
const SLICE: Duration = Duration::from_millis(50);

/// The frames that every client of a fleet should receive.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// At least this presence version.
    Version(u64),
    /// This many presence frames since the connection was opened.
    Frames(u64),
}

/// Queues the next request of a client, given the client's number and the number of requests sent by all.
pub(crate) type NextRequest = Box<dyn FnMut(&mut LoadClient, usize, u64)>;

/// The clients of one server.
pub(crate) struct Fleet {
    pub(crate) clients: Vec<LoadClient>,
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    upgrade: String,
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    /// Not opened yet.
    plans: VecDeque<Plan>,
    opening: usize,
    concurrency: usize,
    /// When the last connection became live or ended.
    settled_at: Instant,
    goal: Option<Goal>,
    reached: usize,
    reached_at: Instant,
    next_request: Option<NextRequest>,
    sent: u64,
    /// How many clients connect from 127.0.0.1; as many more from each of the next addresses of loopback.
    per_address: usize,
}

impl Fleet {
    /// No clients yet; with `tls` they are encrypted.
    pub(crate) fn new(address: SocketAddr, tls: Option<Arc<ClientConfig>>) -> io::Result<Self> {
        Ok(Self {
            clients: Vec::new(),
            address,
            tls,
            upgrade: format!(
                "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            ),
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            buffer: vec![0; READ_BYTES],
            plans: VecDeque::new(),
            opening: 0,
            concurrency: 1,
            settled_at: Instant::now(),
            goal: None,
            reached: 0,
            reached_at: Instant::now(),
            next_request: None,
            sent: 0,
            per_address: usize::MAX,
        })
    }

    /// The same fleet, of which only `clients` may connect from one address: each address has a limited number of
    /// ports.
    pub(crate) fn with_many_addresses(mut self, clients: usize) -> Self {
        self.per_address = clients;
        self
    }

    /// Opens connections, up to `concurrency` at once, and waits until each is live or has failed.
    pub(crate) fn open(
        &mut self,
        plans: Vec<Plan>,
        concurrency: usize,
        limit: Duration,
    ) -> io::Result<Opened> {
        let first = self.clients.len();
        let begun = Instant::now();
        self.plans.extend(plans);
        self.concurrency = concurrency;
        self.fill_up()?;
        self.pump(limit, |fleet| fleet.opening == 0 && fleet.plans.is_empty())?;
        let missing = std::mem::take(&mut self.plans).len();
        let mut failures: Vec<String> = self.clients[first..]
            .iter()
            .filter(|client| client.stage != Stage::Live)
            .map(|client| match &client.end {
                Some(end) => format!("{} {}", end.code, end.reason),
                None => "no hello in time".to_owned(),
            })
            .collect();
        failures.extend((0..missing).map(|_| "not opened in time".to_owned()));
        let time = self.settled_at.saturating_duration_since(begun);
        Ok(Opened { time, failures })
    }

    /// Serves all connections until `is_done` or for `limit`. Returns whether it is done.
    pub(crate) fn pump(
        &mut self,
        limit: Duration,
        mut is_done: impl FnMut(&mut Self) -> bool,
    ) -> io::Result<bool> {
        let until = Instant::now() + limit;
        loop {
            if is_done(self) {
                return Ok(true);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            match self.poll.poll(&mut self.events, Some(left.min(SLICE))) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                outcome => outcome?,
            }
            let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
            let mut buffer = std::mem::take(&mut self.buffer);
            for event in &events {
                self.serve(
                    event.token().0,
                    &mut buffer,
                    event.is_writable(),
                    event.is_readable() || event.is_read_closed() || event.is_error(),
                    event.is_read_closed() || event.is_error(),
                );
            }
            self.events = events;
            self.buffer = buffer;
            self.fill_up()?;
        }
    }

    /// Serves all connections for `time`.
    pub(crate) fn rest(&mut self, time: Duration) -> io::Result<()> {
        self.pump(time, |_| false).map(drop)
    }

    /// Sets what every client should receive.
    pub(crate) fn aim(&mut self, goal: Goal) {
        self.goal = Some(goal);
        self.reached = 0;
        for client in &mut self.clients {
            client.has_reached_goal = false;
        }
        for number in 0..self.clients.len() {
            self.note_goal(number);
        }
    }

    /// Waits until every live client that reads has reached the goal of [`aim`](Self::aim). Returns when the last
    /// did.
    pub(crate) fn reach(&mut self, limit: Duration) -> io::Result<Option<Instant>> {
        let wanted = self
            .clients
            .iter()
            .filter(|client| client.stage == Stage::Live && !client.is_paused)
            .count();
        let is_reached = self.pump(limit, |fleet| fleet.reached >= wanted)?;
        Ok(is_reached.then_some(self.reached_at))
    }

    /// Keeps `depth` requests of each client of `who` in flight for `time`, then waits for the last answers. Returns
    /// the number of answers, the time from the first request to the last answer, and the moment of that.
    pub(crate) fn load(
        &mut self,
        who: std::ops::Range<usize>,
        depth: usize,
        time: Duration,
        next_request: NextRequest,
    ) -> io::Result<(u64, Duration, Instant)> {
        let before = self.responses();
        self.sent = 0;
        self.next_request = Some(next_request);
        let begun = Instant::now();
        for number in who {
            self.send_requests(number, depth as u64);
        }
        self.rest(time)?;
        self.next_request = None;
        let sent = self.sent;
        // Counting is too slow to do per event during the load.
        self.pump(Duration::from_secs(30), |fleet| {
            fleet.responses() - before >= sent
        })?;
        let ended = Instant::now();
        Ok((self.responses() - before, ended - begun, ended))
    }

    /// Sends one request and waits for its answer. Returns whether it was accepted.
    pub(crate) fn request(&mut self, number: usize, text: &str, limit: Duration) -> io::Result<bool> {
        let before = self.clients[number].seen;
        self.send(number, text);
        let is_answered = self.pump(limit, |fleet| {
            fleet.clients[number].seen.responses > before.responses
        })?;
        Ok(is_answered && self.clients[number].seen.refused == before.refused)
    }

    /// Sends a text.
    pub(crate) fn send(&mut self, number: usize, text: &str) {
        let client = &mut self.clients[number];
        client.push(text);
        client.flush();
    }

    /// Reads from a paused client again.
    pub(crate) fn resume(&mut self, number: usize) {
        self.clients[number].is_paused = false;
        let mut buffer = std::mem::take(&mut self.buffer);
        self.serve(number, &mut buffer, false, true, true);
        self.buffer = buffer;
    }

    /// Number of live clients.
    pub(crate) fn live(&self) -> usize {
        self.clients
            .iter()
            .filter(|client| client.stage == Stage::Live)
            .count()
    }

    /// Newest presence version that any client has received; 0 if none.
    pub(crate) fn newest_version(&self) -> u64 {
        self.clients
            .iter()
            .map(|client| client.seen.version)
            .max()
            .unwrap_or(0)
    }

    /// Newest presence version that each of the first `count` clients has received.
    pub(crate) fn version_of_first(&self, count: usize) -> u64 {
        let seen = self.clients.iter().take(count).map(|client| client.seen.version);
        seen.min().unwrap_or(0)
    }

    /// Answers that all clients have received.
    fn responses(&self) -> u64 {
        self.clients.iter().map(|client| client.seen.responses).sum()
    }

    /// Refusals among the answers.
    pub(crate) fn refused(&self) -> u64 {
        self.clients.iter().map(|client| client.seen.refused).sum()
    }

    /// Bytes that all clients have received.
    pub(crate) fn bytes(&self) -> u64 {
        self.clients.iter().map(|client| client.seen.bytes).sum()
    }

    fn send_requests(&mut self, number: usize, count: u64) {
        let Some(next_request) = &mut self.next_request else {
            return;
        };
        let client = &mut self.clients[number];
        if client.stage != Stage::Live {
            return;
        }
        for _ in 0..count {
            next_request(client, number, self.sent);
            self.sent += 1;
        }
        client.flush();
    }

    fn serve(
        &mut self,
        number: usize,
        buffer: &mut [u8],
        is_writable: bool,
        is_readable: bool,
        is_closed: bool,
    ) {
        let Some(client) = self.clients.get_mut(number) else {
            return;
        };
        let was_opening = !matches!(client.stage, Stage::Live | Stage::Ended);
        if is_writable {
            if client.stage == Stage::Connecting {
                client.handle_connected(&self.upgrade);
            } else {
                client.flush();
            }
        }
        if is_readable && client.stage != Stage::Connecting {
            let responses = client.seen.responses;
            client.read(buffer, is_closed, clock::now());
            let answered = client.seen.responses - responses;
            self.note_goal(number);
            if answered > 0 {
                self.send_requests(number, answered);
            }
        } else if is_closed && client.stage == Stage::Connecting {
            client.handle_connected(&self.upgrade);
        }
        let client = &self.clients[number];
        if was_opening && matches!(client.stage, Stage::Live | Stage::Ended) {
            self.opening -= 1;
            self.settled_at = Instant::now();
        }
    }

    fn note_goal(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let has_reached_goal = match self.goal {
            None => return,
            Some(Goal::Version(version)) => client.seen.version >= version,
            Some(Goal::Frames(frames)) => client.seen.presence >= frames,
        };
        if has_reached_goal && !client.has_reached_goal {
            client.has_reached_goal = true;
            self.reached += 1;
            self.reached_at = Instant::now();
        }
    }

    fn fill_up(&mut self) -> io::Result<()> {
        while self.opening < self.concurrency
            && let Some(plan) = self.plans.pop_front()
        {
            let number = self.clients.len();
            let mut socket = match number / self.per_address {
                0 => mio::net::TcpStream::connect(self.address)?,
                address => connect_from(address, self.address)?,
            };
            self.poll.registry().register(
                &mut socket,
                Token(number),
                Interest::READABLE | Interest::WRITABLE,
            )?;
            let line = Line::client(socket, self.address.ip(), self.tls.as_ref())?;
            let now = clock::now();
            let machine = plan.client.map(|config| {
                let mut machine = Box::new(Client::new(config, now));
                machine.start(now);
                // The first output asks for a socket, which is open already.
                while machine.poll_output().is_some() {}
                machine
            });
            self.clients
                .push(LoadClient::new(line, machine, plan.signer, plan.keeps));
            self.opening += 1;
        }
        Ok(())
    }
}

/// Begins to connect from 127.0.0.1 plus `address`.
fn connect_from(address: usize, to: SocketAddr) -> io::Result<mio::net::TcpStream> {
    let first = u32::from(Ipv4Addr::LOCALHOST);
    let from = Ipv4Addr::from(first + u32::try_from(address).unwrap_or(0));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    // It goes on while the caller waits for the socket; a failure is found then.
    let _ = socket.connect(&to.into());
    Ok(mio::net::TcpStream::from_std(socket.into()))
}
