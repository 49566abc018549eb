//! Many connections and one thread: opens them, keeps them busy, waits for what they should see.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};
use presence_core::client::{Client, ClientConfig};

use crate::clock;
use crate::error::BenchError;
use crate::link::{Link, Stage};
use crate::signer::Signer;

/// What is read at once, whoever it is from.
const READ_BYTES: usize = 256 * 1024;
/// How long to wait for the system at most before looking at the clock.
const SLICE: Duration = Duration::from_millis(50);

/// A connection to open.
pub(crate) struct Plan {
    /// The client; `None` for a connection to the bare server.
    pub(crate) client: Option<ClientConfig>,
    pub(crate) signer: Option<Rc<Signer>>,
    /// Whether its frames are kept, for [`Link::mirrored`].
    pub(crate) keeps: bool,
}

/// What every connection of a fleet should see.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// A presence version at least this.
    Version(u64),
    /// So many presence frames since the connection was opened.
    Frames(u64),
}

/// Answers every response with the next request: writes request number `n` of the connection's into
/// the buffer.
pub(crate) type NextRequest = Box<dyn FnMut(&mut Link, usize, u64)>;

/// How opening connections went.
#[derive(Debug)]
pub(crate) struct Opened {
    /// From the first SYN to the last hello.
    pub(crate) time: Duration,
    /// What went wrong with those that are not there.
    pub(crate) failures: Vec<String>,
}

impl Opened {
    /// All are there, or nothing can be measured.
    pub(crate) fn complete(self) -> Result<Duration, BenchError> {
        match self.failures.into_iter().next() {
            None => Ok(self.time),
            Some(failure) => Err(BenchError::Gateway(format!(
                "a client did not connect: {failure}"
            ))),
        }
    }
}

/// The connections to one server.
pub(crate) struct Fleet {
    pub(crate) links: Vec<Link>,
    address: SocketAddr,
    upgrade: String,
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    /// Not opened yet.
    plans: VecDeque<Plan>,
    opening: usize,
    concurrency: usize,
    /// When the last connection became live, or ended.
    settled_at: Instant,
    goal: Option<Goal>,
    reached: usize,
    reached_at: Instant,
    next_request: Option<NextRequest>,
    sent: u64,
}

impl Fleet {
    pub(crate) fn new(address: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            links: Vec::new(),
            address,
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
        })
    }

    /// Opens connections, so many at once, and waits until each is live or failed.
    pub(crate) fn open(
        &mut self,
        plans: Vec<Plan>,
        concurrency: usize,
        limit: Duration,
    ) -> io::Result<Opened> {
        let first = self.links.len();
        let begun = Instant::now();
        self.plans.extend(plans);
        self.concurrency = concurrency;
        self.fill_up()?;
        self.pump(limit, |fleet| fleet.opening == 0 && fleet.plans.is_empty())?;
        let missing = std::mem::take(&mut self.plans).len();
        let mut failures: Vec<String> = self.links[first..]
            .iter()
            .filter(|link| link.stage != Stage::Live)
            .map(|link| match &link.end {
                Some(end) => format!("{} {}", end.code, end.reason),
                None => "no hello in time".to_owned(),
            })
            .collect();
        failures.extend((0..missing).map(|_| "not opened in time".to_owned()));
        let time = self.settled_at.saturating_duration_since(begun);
        Ok(Opened { time, failures })
    }

    /// Serves all connections until `is_done` or for so long. Returns whether it was done.
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

    /// Serves all connections for so long.
    pub(crate) fn rest(&mut self, time: Duration) -> io::Result<()> {
        self.pump(time, |_| false).map(drop)
    }

    /// From now on every connection should see this.
    pub(crate) fn aim(&mut self, goal: Goal) {
        self.goal = Some(goal);
        self.reached = 0;
        for link in &mut self.links {
            link.is_there = false;
        }
        for number in 0..self.links.len() {
            self.note_goal(number);
        }
    }

    /// Waits until every live connection that reads has seen what [`aim`](Self::aim) named. Returns when
    /// the last did.
    pub(crate) fn reach(&mut self, limit: Duration) -> io::Result<Option<Instant>> {
        let wanted = self
            .links
            .iter()
            .filter(|link| link.stage == Stage::Live && !link.is_paused)
            .count();
        let is_reached = self.pump(limit, |fleet| fleet.reached >= wanted)?;
        Ok(is_reached.then_some(self.reached_at))
    }

    /// Makes every connection of `who` send `depth` requests, and the next for every answer, for so long;
    /// then waits for the answers that are missing. Returns the number of answers and the time from the
    /// first request to the last answer, and when that came.
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
            self.ask(number, depth as u64);
        }
        self.rest(time)?;
        self.next_request = None;
        let sent = self.sent;
        // Cheap enough for the end, not for every event of the load itself.
        self.pump(Duration::from_secs(30), |fleet| {
            fleet.responses() - before >= sent
        })?;
        let ended = Instant::now();
        Ok((self.responses() - before, ended - begun, ended))
    }

    /// Sends one request on a connection and waits for its answer. Returns when it came.
    pub(crate) fn request(&mut self, number: usize, text: &str, limit: Duration) -> io::Result<bool> {
        let before = self.links[number].seen;
        self.send(number, text);
        let is_answered = self.pump(limit, |fleet| {
            fleet.links[number].seen.responses > before.responses
        })?;
        Ok(is_answered && self.links[number].seen.refused == before.refused)
    }

    /// Sends a text on a connection.
    pub(crate) fn send(&mut self, number: usize, text: &str) {
        let link = &mut self.links[number];
        link.push(text);
        link.flush();
    }

    /// Reads from a paused connection again.
    pub(crate) fn resume(&mut self, number: usize) {
        self.links[number].is_paused = false;
        let mut buffer = std::mem::take(&mut self.buffer);
        self.serve(number, &mut buffer, false, true, true);
        self.buffer = buffer;
    }

    /// The connections that are live.
    pub(crate) fn live(&self) -> usize {
        self.links.iter().filter(|link| link.stage == Stage::Live).count()
    }

    /// The newest presence version that any connection has seen; 0: none was stated.
    pub(crate) fn newest_version(&self) -> u64 {
        self.links.iter().map(|link| link.seen.version).max().unwrap_or(0)
    }

    /// The newest presence version that the first `count` connections all have seen.
    pub(crate) fn version_of_first(&self, count: usize) -> u64 {
        let seen = self.links.iter().take(count).map(|link| link.seen.version);
        seen.min().unwrap_or(0)
    }

    /// The answers that all connections received so far.
    fn responses(&self) -> u64 {
        self.links.iter().map(|link| link.seen.responses).sum()
    }

    /// Those of the answers that said no.
    pub(crate) fn refused(&self) -> u64 {
        self.links.iter().map(|link| link.seen.refused).sum()
    }

    /// Bytes that all connections received so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.links.iter().map(|link| link.seen.bytes).sum()
    }

    fn ask(&mut self, number: usize, count: u64) {
        let Some(next_request) = &mut self.next_request else {
            return;
        };
        let link = &mut self.links[number];
        if link.stage != Stage::Live {
            return;
        }
        for _ in 0..count {
            next_request(link, number, self.sent);
            self.sent += 1;
        }
        link.flush();
    }

    fn serve(
        &mut self,
        number: usize,
        buffer: &mut [u8],
        is_writable: bool,
        is_readable: bool,
        is_closed: bool,
    ) {
        let Some(link) = self.links.get_mut(number) else {
            return;
        };
        let was_opening = !matches!(link.stage, Stage::Live | Stage::Ended);
        if is_writable {
            if link.stage == Stage::Connecting {
                link.handle_connected(&self.upgrade);
            } else {
                link.flush();
            }
        }
        if is_readable && link.stage != Stage::Connecting {
            let responses = link.seen.responses;
            link.read(buffer, is_closed, clock::now());
            let answered = link.seen.responses - responses;
            self.note_goal(number);
            if answered > 0 {
                self.ask(number, answered);
            }
        } else if is_closed && link.stage == Stage::Connecting {
            link.handle_connected(&self.upgrade);
        }
        let link = &self.links[number];
        if was_opening && matches!(link.stage, Stage::Live | Stage::Ended) {
            self.opening -= 1;
            self.settled_at = Instant::now();
        }
    }

    fn note_goal(&mut self, number: usize) {
        let link = &mut self.links[number];
        let is_there = match self.goal {
            None => return,
            Some(Goal::Version(version)) => link.seen.version >= version,
            Some(Goal::Frames(frames)) => link.seen.presence >= frames,
        };
        if is_there && !link.is_there {
            link.is_there = true;
            self.reached += 1;
            self.reached_at = Instant::now();
        }
    }

    fn fill_up(&mut self) -> io::Result<()> {
        while self.opening < self.concurrency
            && let Some(plan) = self.plans.pop_front()
        {
            let mut socket = mio::net::TcpStream::connect(self.address)?;
            let number = self.links.len();
            self.poll.registry().register(
                &mut socket,
                Token(number),
                Interest::READABLE | Interest::WRITABLE,
            )?;
            let now = clock::now();
            let machine = plan.client.map(|config| {
                let mut machine = Box::new(Client::new(config, now));
                machine.start(now);
                // The first output is the wish for a socket.
                while machine.poll_output().is_some() {}
                machine
            });
            self.links
                .push(Link::new(socket, machine, plan.signer, plan.keeps));
            self.opening += 1;
        }
        Ok(())
    }
}
