//! Connections to open, and the result.

use std::rc::Rc;
use std::time::Duration;

use presence_core::client::ClientConfig;

use crate::error::BenchError;
use crate::signer::Signer;

/// A connection to open.
pub(crate) struct Plan {
    /// Configuration of the client; `None` for a connection to the bare server.
    pub(crate) client: Option<ClientConfig>,
    pub(crate) signer: Option<Rc<Signer>>,
    /// Whether its frames are kept for [`mirrored`](crate::client::LoadClient::mirrored).
    pub(crate) keeps: bool,
}

/// Result of opening connections.
#[derive(Debug)]
pub(crate) struct Opened {
    /// From the first SYN to the last hello.
    pub(crate) time: Duration,
    /// Why connections failed, one text for each.
    pub(crate) failures: Vec<String>,
}

impl Opened {
    /// An error if a connection failed.
    pub(crate) fn complete(self) -> Result<Duration, BenchError> {
        match self.failures.into_iter().next() {
            None => Ok(self.time),
            Some(failure) => Err(BenchError::Gateway(format!(
                "a client did not connect: {failure}"
            ))),
        }
    }
}
