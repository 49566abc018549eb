//! The wire format: frames, `connect` parameters, errors, close codes and limits
//! (SPEC 2). Shared by the server's and the client's state machines.

mod beacon;
pub mod close;
pub mod connect;
pub mod device;
pub mod error;
pub mod frame;
pub mod history;
pub mod limits;
pub mod message;
pub mod method;
pub mod node_event;
pub mod params;
pub mod presence;
pub mod request;
mod skew;
pub(crate) mod tree;

pub use close::CloseFrame;
pub use connect::{AuthParams, ConnectParams, DeviceProof, NEWEST_PROTOCOL};
pub use error::{ErrorKind, WireError};
pub use frame::{EventFrame, EventParts, ResponseFrame};
pub use limits::Limits;
pub use method::{Access, Call, Method};
pub use node_event::{NodeEvent, NodeReport};
pub use request::{FrameError, Request};
