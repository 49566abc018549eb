//! What goes over the wire: frames, `connect` parameters, errors, close codes and limits
//! (SPEC 2). Shared by the server's and the client's state machines.

pub mod close;
pub mod connect;
pub mod device;
pub mod error;
pub mod frame;
pub mod limits;
pub mod message;
pub mod method;
pub mod node_event;
pub mod params;
pub mod presence;
pub mod skew;

pub use close::CloseFrame;
pub use connect::{AuthParams, ConnectParams, DeviceProof};
pub use error::WireError;
pub use frame::{Frame, Request};
pub use limits::Limits;
pub use method::Method;
pub use skew::Skew;
