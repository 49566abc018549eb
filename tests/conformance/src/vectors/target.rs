//! The interface of the gateway that a script runs against.

use serde_json::{Map, Value};

use super::Failure;
use super::format::Config;

/// How a target is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The script's configuration.
    pub config: Config,
    /// The self row with some `ts`.
    pub self_row: Map<String, Value>,
    /// The wall clock at virtual time 0.
    pub start_wall_ms: u64,
}

/// How a connection is opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The client's address.
    pub from: String,
    /// The Origin header.
    pub origin: Option<String>,
    /// The user that the trusted proxy names.
    pub user: Option<String>,
}

/// Something a client received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A text frame.
    Text(String),
    /// A ping.
    Ping,
    /// The close.
    Close(u16, String),
}

/// A message that a client received, with its time.
#[derive(Clone, Debug)]
pub struct Received {
    /// The connection's name.
    pub conn: String,
    /// The virtual time, in ms.
    pub at: u64,
    /// What it is.
    pub item: Item,
}

/// A gateway under test, with its clients. Methods that name a connection fail when there is none.
pub trait Target: Sized {
    /// The word in a vector's `targets`.
    const NAME: &'static str;

    /// A gateway at virtual time 0.
    ///
    /// # Errors
    /// When it cannot be started.
    fn start(setup: &Setup) -> Result<Self, Failure>;

    /// Opens a connection.
    ///
    /// # Errors
    /// When the gateway does not let it.
    fn open(&mut self, conn: &str, opening: &Opening) -> Result<(), Failure>;

    /// Sends a text frame.
    ///
    /// # Errors
    /// When it cannot be sent.
    fn send(&mut self, conn: &str, text: String) -> Result<(), Failure>;

    /// Sends a pong.
    ///
    /// # Errors
    /// When it cannot be sent.
    fn pong(&mut self, conn: &str) -> Result<(), Failure>;

    /// Answers pings of a connection by itself, or not.
    ///
    /// # Errors
    /// When there is no such connection.
    fn auto_pong(&mut self, conn: &str, on: bool) -> Result<(), Failure>;

    /// Loses a connection's transport.
    ///
    /// # Errors
    /// When there is no such connection.
    fn drop_transport(&mut self, conn: &str) -> Result<(), Failure>;

    /// Closes a connection with 1000.
    ///
    /// # Errors
    /// When there is no such connection.
    fn close(&mut self, conn: &str) -> Result<(), Failure>;

    /// Stops reading on a connection, or goes on.
    ///
    /// # Errors
    /// When the target cannot do so.
    fn pause(&mut self, conn: &str, is_paused: bool) -> Result<(), Failure>;

    /// Keeps handshakes waiting for their judgement, or judges those that wait.
    ///
    /// # Errors
    /// When the target cannot do so.
    fn hold_handshakes(&mut self, on: bool) -> Result<(), Failure>;

    /// Lets `ms` pass, deadline by deadline.
    ///
    /// # Errors
    /// When the gateway does not come to rest.
    fn advance(&mut self, ms: u64) -> Result<(), Failure>;

    /// Lets `ms` pass in one go.
    ///
    /// # Errors
    /// When the gateway does not come to rest.
    fn suspend(&mut self, ms: u64) -> Result<(), Failure>;

    /// Steps the wall clock.
    fn step_wall(&mut self, by: i64);

    /// Stops the gateway.
    ///
    /// # Errors
    /// When it does not stop.
    fn shutdown(&mut self, reason: &str) -> Result<(), Failure>;

    /// Waits until everything that was sent has had its effects.
    ///
    /// # Errors
    /// When the gateway does not come to rest.
    fn settle(&mut self) -> Result<(), Failure>;

    /// The list and the presence version.
    ///
    /// # Errors
    /// When they cannot be had.
    fn list(&mut self) -> Result<(Value, u64), Failure>;

    /// The messages received since the last call, in order per connection.
    fn take_received(&mut self) -> Vec<Received>;
}
