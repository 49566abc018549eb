//! Processes that are measured: gateways, and the bare server beside them.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;

use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::profiles::Profiles;
use crate::{stats, system};

/// Time a gateway may take to accept its first client.
const START_TIME: Duration = Duration::from_secs(120);
/// Time it may take to exit.
const STOP_TIME: Duration = Duration::from_secs(10);

/// A gateway that accepts clients.
pub(crate) struct GatewayProcess {
    pub(crate) address: SocketAddr,
    pub(crate) pid: Option<u32>,
    /// From its start to its first hello; `None` for one that was not started here.
    pub(crate) start: Option<Duration>,
    tls: Option<Arc<ClientConfig>>,
    child: Option<Child>,
}

/// A bare server.
pub(crate) struct BareProcess {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl GatewayProcess {
    /// A gateway that was not started here: it is never stopped either.
    pub(crate) fn running(address: SocketAddr, pid: Option<u32>) -> Self {
        Self {
            address,
            pid,
            start: None,
            tls: None,
            child: None,
        }
    }

    /// A gateway whose process was spawned at `begun`. Returns after its first hello.
    pub(crate) fn started(
        address: SocketAddr,
        child: Child,
        profiles: &Profiles,
        begun: Instant,
        tls: Option<Arc<ClientConfig>>,
    ) -> Result<Self, BenchError> {
        let mut gateway = Self {
            address,
            pid: Some(child.id()),
            start: None,
            tls,
            child: Some(child),
        };
        gateway.wait_for_hello(profiles, begun)?;
        gateway.start = Some(begun.elapsed());
        Ok(gateway)
    }

    /// Retries until the gateway accepts a client.
    fn wait_for_hello(&mut self, profiles: &Profiles, begun: Instant) -> Result<(), BenchError> {
        let mut last = String::from("nothing listens on the port");
        while begun.elapsed() < START_TIME {
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().ok()?) {
                return Err(BenchError::Gateway(format!("the gateway ended: {status}")));
            }
            if TcpStream::connect(self.address).is_err() {
                std::thread::sleep(Duration::from_micros(200));
                continue;
            }
            let mut fleet = Fleet::new(self.address, self.tls.clone())?;
            let opened = fleet.open(vec![profiles.observer(false, false)], 1, Duration::from_secs(15))?;
            match opened.failures.into_iter().next() {
                None => return Ok(()),
                Some(failure) => last = failure,
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(BenchError::Gateway(format!(
            "the gateway accepted no client within {START_TIME:?}: {last}"
        )))
    }

    /// Resident memory in kB, without its children.
    pub(crate) fn memory_kb(&self) -> f64 {
        self.pid
            .and_then(system::memory_kb)
            .map_or(f64::NAN, |(now, _)| now)
    }

    /// The most resident memory so far in kB, without its children.
    pub(crate) fn most_kb(&self) -> f64 {
        self.pid
            .and_then(system::memory_kb)
            .map_or(f64::NAN, |(_, most)| most)
    }

    /// Resident memory of its children, in kB.
    pub(crate) fn children_kb(&self) -> f64 {
        self.pid
            .map(system::descendants)
            .unwrap_or_default()
            .into_iter()
            .filter_map(system::memory_kb)
            .fold(0.0, |sum, (now, _)| sum + now)
    }

    /// Processor time so far, in ms.
    pub(crate) fn cpu_ms(&self) -> f64 {
        self.pid.and_then(system::cpu_time).map_or(f64::NAN, stats::ms)
    }

    /// Kills it, unless it was not started here.
    pub(crate) fn kill(mut self) {
        self.end(Duration::ZERO);
    }

    fn end(&mut self, patience: Duration) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        // Its children would outlive it.
        let descendants = system::descendants(child.id());
        if !patience.is_zero() {
            system::terminate(child.id());
            let until = Instant::now() + patience;
            while Instant::now() < until && matches!(child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        // It may be gone already.
        let _ = child.kill();
        let _ = child.wait();
        for pid in descendants {
            system::terminate(pid);
        }
    }
}

impl BareProcess {
    /// A bare server whose process was spawned. Returns once it listens.
    pub(crate) fn started(child: Child) -> Result<Self, BenchError> {
        let mut bare = Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            child,
        };
        let mut line = String::new();
        if let Some(output) = bare.child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let port = line
            .trim()
            .parse()
            .map_err(|_| BenchError::Gateway("the bare server did not start".to_owned()))?;
        bare.address.set_port(port);
        Ok(bare)
    }

    /// Processor time so far, in ms.
    pub(crate) fn cpu_ms(&self) -> f64 {
        system::cpu_time(self.child.id()).map_or(f64::NAN, stats::ms)
    }
}

impl Drop for GatewayProcess {
    fn drop(&mut self) {
        self.end(STOP_TIME);
    }
}

impl Drop for BareProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
