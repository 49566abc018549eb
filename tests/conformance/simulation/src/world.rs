//! A gateway and its clients, joined by queues instead of sockets.

mod gateway;
mod line;
mod peer;
mod serve;

use presence_core::Now;
use presence_core::client::{Client, ClientConfig};
use presence_core::server::{Hub, HubConfig};

use self::line::Line;
use self::peer::shifted;
use crate::trace::Trace;
use crate::virtual_hub;

pub use self::gateway::Listed;
pub use self::line::{Fault, Pace};
pub use self::peer::{Peer, config, plain, with_device};

/// The secret of every gateway here.
pub const TOKEN: &str = "the-token";

/// A gateway, its clients, and the lines between them.
#[derive(Debug)]
pub struct World {
    /// The gateway's clocks.
    pub now: Now,
    /// The gateway.
    pub hub: Hub,
    /// Its clients.
    pub peers: Vec<Peer>,
    /// Whether the gateway takes connections.
    pub is_up: bool,
    /// Whether the gateway's machine is suspended: what is sent to it waits, and its timers do too.
    pub is_suspended: bool,
    /// Every frame that arrived, and what else was noted.
    pub trace: Trace,
    config: HubConfig,
    /// The names of the gateways that it observes.
    sources: Vec<Box<str>>,
    lines: Vec<Line>,
    /// Counts lines.
    opened: u64,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A gateway with the product's defaults, without clients.
    #[must_use]
    pub fn new() -> Self {
        Self::with_hub(virtual_hub::config(300_000, 200, 50))
    }

    /// The same with other figures.
    #[must_use]
    pub fn with_hub(config: HubConfig) -> Self {
        Self::observing(config, Vec::new(), virtual_hub::START)
    }

    /// A gateway that observes others of these names, whose clocks read `now`.
    #[must_use]
    pub fn observing(config: HubConfig, sources: Vec<Box<str>>, now: Now) -> Self {
        Self {
            now,
            hub: gateway::hub(&config, &sources, now),
            peers: Vec::new(),
            is_up: true,
            is_suspended: false,
            trace: Trace::new(),
            config,
            sources,
            lines: Vec::new(),
            opened: 0,
        }
    }

    /// Adds a client whose clocks are ahead by these ms, and starts it.
    pub fn add_skewed(&mut self, config: ClientConfig, ahead: (i64, i64)) -> usize {
        let now = shifted(self.now, ahead);
        let info = &config.client;
        let name = info.instance_id.as_ref().or(info.display_name.as_ref());
        let name = name.map(ToString::to_string).unwrap_or_default();
        let mut client = Client::new(config.clone(), now);
        client.start(now);
        self.peers.push(Peer {
            client,
            config,
            name,
            ahead,
            events: Vec::new(),
            sent: Vec::new(),
            pace: Pace::default(),
            is_suspended: false,
            is_cut_off: false,
            proof_ms: None,
            closed_ms: None,
        });
        self.settle();
        self.peers.len() - 1
    }

    /// Adds a client and starts it.
    pub fn add(&mut self, config: ClientConfig) -> usize {
        self.add_skewed(config, (0, 0))
    }

    /// Lets the application of a client do something.
    pub fn with<T>(&mut self, peer: usize, act: impl FnOnce(&mut Client, Now) -> T) -> T {
        let now = self.peer_now(peer);
        let result = act(&mut self.peers[peer].client, now);
        self.settle();
        result
    }

    /// The socket of a client dies without a word.
    pub fn cut(&mut self, peer: usize) {
        for line in self.lines_of(peer) {
            line.is_cut = true;
        }
    }

    /// The socket of a client fails, and both ends are notified.
    pub fn break_off(&mut self, peer: usize) {
        let now = self.now;
        for line in self.lines_of(peer) {
            line.fail(now);
        }
        self.settle();
    }

    /// Sets the fate of the next frame to a client that holds `text`.
    pub fn spoil_to_client(&mut self, peer: usize, text: &'static str, fault: Fault) {
        for line in self.lines_of(peer) {
            line.to_client_fault = Some((text, fault));
        }
    }

    /// Sets the fate of the next frame from a client that holds `text`.
    pub fn spoil_to_gateway(&mut self, peer: usize, text: &'static str, fault: Fault) {
        for line in self.lines_of(peer) {
            line.to_gateway_fault = Some((text, fault));
        }
    }

    /// Nothing passes on a client's line for that long; then all of it does.
    pub fn hold(&mut self, peer: usize, ms: u64) {
        let until_ms = self.now.age_ms + ms;
        for line in self.lines_of(peer) {
            line.held_ms = until_ms;
        }
    }

    /// The wall clock of a client is set by this many ms.
    pub fn step_peer(&mut self, peer: usize, ms: i64) {
        self.peers[peer].ahead.1 += ms;
    }

    /// From now on a client's lines are that fast, the one it has included.
    pub fn set_pace(&mut self, peer: usize, pace: Pace) {
        self.peers[peer].pace = pace;
        for line in self.lines_of(peer) {
            line.pace = pace;
        }
    }

    /// A client's machine wakes up: its timers come first, then what waited in its socket.
    pub fn wake(&mut self, peer: usize) {
        self.peers[peer].is_suspended = false;
        let now = self.peer_now(peer);
        self.peers[peer].client.handle_timeout(now);
        self.settle();
    }

    /// All machines sleep for this long. Timers that became due fire at its end.
    pub fn sleep(&mut self, ms: u64) {
        self.now = self.now.after(ms);
        self.fire();
    }

    /// Lets time pass, every timer on time.
    pub fn pass(&mut self, ms: u64) {
        let end_ms = self.now.age_ms + ms;
        let mut rounds = 0;
        while let Some(due_ms) = self.next_due_ms().filter(|&due_ms| due_ms <= end_ms) {
            rounds += 1;
            assert!(rounds < 100_000, "time does not pass");
            self.now = self.now.after(due_ms.saturating_sub(self.now.age_ms));
            self.fire();
        }
        self.now = self.now.after(end_ms - self.now.age_ms);
        self.settle();
    }

    /// The readings of a client's clocks.
    pub fn peer_now(&self, peer: usize) -> Now {
        shifted(self.now, self.peers[peer].ahead)
    }

    /// The rows a client shows: key and status.
    pub fn shown(&self, peer: usize) -> Vec<(String, &'static str)> {
        let rows = self.peers[peer].client.mirror().rows();
        rows.into_iter()
            .map(|row| (row.key().to_owned(), row.status().label()))
            .collect()
    }

    /// How often a client called `method`.
    pub fn calls(&self, peer: usize, method: &str) -> usize {
        let is_it = |frame: &&serde_json::Value| frame["method"] == method;
        self.peers[peer].sent.iter().filter(is_it).count()
    }

    fn lines_of(&mut self, peer: usize) -> impl Iterator<Item = &mut Line> {
        self.lines
            .iter_mut()
            .filter(move |line| line.peer == peer && !line.is_over)
    }

    pub(crate) fn next_due_ms(&self) -> Option<u64> {
        let peers = self
            .peers
            .iter()
            .filter(|peer| !peer.is_suspended)
            .filter_map(|peer| {
                let due_ms = peer.client.poll_timeout()?;
                Some(due_ms.saturating_add_signed(-peer.ahead.0))
            });
        let lines = self
            .lines
            .iter()
            .filter_map(|line| line.due_ms(self.peers[line.peer].is_suspended, self.is_suspended));
        let hub = self.hub.poll_timeout().filter(|_| self.is_served());
        peers.chain(lines).chain(hub).min()
    }

    pub(crate) fn fire(&mut self) {
        if self.is_served() {
            self.hub.handle_timeout(self.now);
            for line in &mut self.lines {
                line.connection.handle_timeout(self.now);
            }
        }
        for peer in 0..self.peers.len() {
            if !self.peers[peer].is_suspended {
                let now = self.peer_now(peer);
                self.peers[peer].client.handle_timeout(now);
            }
        }
        self.settle();
    }

    /// Whether the gateway's process runs.
    pub(crate) fn is_served(&self) -> bool {
        self.is_up && !self.is_suspended
    }
}
