//! One connection over a real socket: handshake, frames, slowness, the end.

mod frames;
mod handshake;
mod lifetime;
mod many_readers;
mod slow_readers;
#[path = "../support/mod.rs"]
mod support;

use presence_gateway::AuthMode;
use serde_json::{Value, json};
use support::frames::{TEXT, frame};
use support::log::Log;
use support::slow::{fill, small_socket, stops_reading, unread_answers, until_handled};
use support::{Client, config, config_with, connect_params, raw_http, row, start, start_manual, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

const READ: &[&str] = &["operator.read"];
const ADMIN: &[&str] = &["operator.admin"];
