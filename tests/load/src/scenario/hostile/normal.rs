//! Delay of a normal client during an attack.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::bench::{Bench, WAIT};
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::stats::ms;

/// Intervals of calls, requests to `/healthz`, and new clients.
const CALL_EVERY: Duration = Duration::from_millis(100);
const LOOK_EVERY: Duration = Duration::from_millis(200);
const CLIENT_EVERY: Duration = Duration::from_millis(500);

/// A normal client.
#[derive(Default)]
pub(super) struct Normal {
    /// Wait for each answer, in ms.
    pub(super) waits: Vec<f64>,
    /// Clients that could not connect, and wrong answers.
    pub(super) failed: u32,
    asked: u64,
}

impl Normal {
    pub(super) fn run(
        &mut self,
        bench: &Bench,
        fleet: &mut Fleet,
        address: SocketAddr,
        time: Duration,
    ) -> Result<(), BenchError> {
        let begun = Instant::now();
        let (mut call_at, mut look_at, mut client_at) = (begun, begun, begun);
        while begun.elapsed() < time {
            if Instant::now() >= call_at {
                call_at += CALL_EVERY;
                self.asked += 1;
                let text = format!(r#"{{"type":"req","id":"h{}","method":"health"}}"#, self.asked);
                let asked = Instant::now();
                let is_answered = fleet.request(0, &text, WAIT)?;
                self.note(asked, is_answered);
            }
            if Instant::now() >= look_at {
                look_at += LOOK_EVERY;
                let asked = Instant::now();
                let is_answered = is_healthy(address).unwrap_or(false);
                self.note(asked, is_answered);
            }
            if Instant::now() >= client_at {
                client_at += CLIENT_EVERY;
                let asked = Instant::now();
                let mut fresh = Fleet::new(address, None)?;
                let opened = fresh.open(vec![bench.profiles.observer(false, false)], 1, WAIT)?;
                self.note(asked, opened.failures.is_empty());
            }
            let next = call_at.min(look_at).min(client_at);
            fleet.rest(next.saturating_duration_since(Instant::now()))?;
        }
        Ok(())
    }

    fn note(&mut self, asked: Instant, is_answered: bool) {
        self.waits.push(ms(asked.elapsed()));
        self.failed += u32::from(!is_answered);
    }
}

/// Whether `/healthz` answers 200.
fn is_healthy(address: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&address, WAIT)?;
    stream.set_read_timeout(Some(WAIT))?;
    stream.write_all(
        format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"HTTP/1.1 200")
}
