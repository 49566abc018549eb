//! One connection over a real socket: handshake, frames, slowness, the end.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod frames;
mod handshake;
mod lifetime;
mod slow_readers;
#[path = "../support/mod.rs"]
mod support;

use presence_gateway::AuthMode;
use serde_json::{Value, json};
use support::{Client, config, config_with, connect_params, raw_http, row, start, start_manual, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

const READ: &[&str] = &["operator.read"];
const ADMIN: &[&str] = &["operator.admin"];
