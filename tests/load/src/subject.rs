//! The gateway that is measured: started anew for every measurement, or one that runs already.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::bare::{BareOptions, BareWork};
use crate::crew::Crew;
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::machine::{self, Cores};
use crate::stats;

/// How long a gateway may take to accept its first client.
const START_TIME: Duration = Duration::from_secs(120);
/// How long it may take to end.
const STOP_TIME: Duration = Duration::from_secs(10);

/// Where gateways come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// Our gateway: a program that takes the options of `presence-gateway serve`.
    Gateway(PathBuf),
    /// A command line, in which `{port}` and `{token}` are replaced.
    Command(Vec<String>),
    /// One that runs, with its process where that is known.
    Running(SocketAddr, Option<u32>),
}

/// Starts gateways.
#[derive(Clone, Debug)]
pub(crate) struct Launcher {
    pub(crate) source: Source,
    pub(crate) token: String,
    pub(crate) cores: Option<Cores>,
}

/// A gateway that accepts clients.
pub(crate) struct Subject {
    pub(crate) address: SocketAddr,
    pub(crate) pid: Option<u32>,
    /// From its start to its first hello; `None` for one that ran already.
    pub(crate) start: Option<Duration>,
    child: Option<Child>,
}

/// A bare server.
pub(crate) struct Bare {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Launcher {
    /// Whether gateways can be started and stopped.
    pub(crate) fn can_start(&self) -> bool {
        !matches!(self.source, Source::Running(..))
    }

    /// Whether they are ours, and take our options.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self.source, Source::Gateway(_))
    }

    /// A gateway with these options, if it is ours.
    pub(crate) fn start(&self, crew: &Crew, options: &[&str]) -> Result<Subject, BenchError> {
        let port = free_port()?;
        self.start_on(port, crew, options)
    }

    /// The same on this port.
    pub(crate) fn start_on(&self, port: u16, crew: &Crew, options: &[&str]) -> Result<Subject, BenchError> {
        let (program, arguments) = match &self.source {
            Source::Running(address, pid) => {
                return Ok(Subject {
                    address: *address,
                    pid: *pid,
                    start: None,
                    child: None,
                });
            }
            Source::Gateway(path) => {
                let port = port.to_string();
                let own = ["serve", "--port", &port, "--token", &self.token];
                let arguments = own.iter().chain(options).map(|word| (*word).to_owned()).collect();
                (path.clone(), arguments)
            }
            Source::Command(words) => {
                let mut words = words.iter().map(|word| {
                    word.replace("{port}", &port.to_string())
                        .replace("{token}", &self.token)
                });
                let program = words.next().unwrap_or_default();
                (program.into(), words.collect::<Vec<_>>())
            }
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let begun = Instant::now();
        let mut subject = Subject {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            pid: None,
            start: None,
            child: Some(self.spawn(&mut command)?),
        };
        subject.pid = subject.child.as_ref().map(Child::id);
        subject.wait_for_hello(crew, begun)?;
        subject.start = Some(begun.elapsed());
        Ok(subject)
    }

    /// A bare server, on the gateway's core.
    pub(crate) fn bare(&self, options: &BareOptions) -> Result<Bare, BenchError> {
        let mut command = Command::new(std::env::current_exe()?);
        let work = match options.work {
            BareWork::Broadcast => "broadcast",
            BareWork::Answer => "answer",
        };
        command
            .args(["bare", "--work", work])
            .args(["--text-bytes", &options.text_bytes.to_string()])
            .args(["--request-bytes", &options.request_bytes.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = self.spawn(&mut command)?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let mut bare = Bare {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            child,
        };
        let port = line
            .trim()
            .parse()
            .map_err(|_| BenchError::Gateway("the bare server did not start".to_owned()))?;
        bare.address.set_port(port);
        Ok(bare)
    }

    /// A child lives on the core that its parent is on when it is born.
    fn spawn(&self, command: &mut Command) -> Result<Child, BenchError> {
        if let Some(cores) = self.cores {
            machine::pin(cores.gateway);
        }
        let child = command.spawn();
        if let Some(cores) = self.cores {
            machine::pin(cores.generator);
        }
        child.map_err(|source| BenchError::Start {
            path: command.get_program().into(),
            source,
        })
    }
}

impl Subject {
    /// Tries until a client is let in.
    fn wait_for_hello(&mut self, crew: &Crew, begun: Instant) -> Result<(), BenchError> {
        let mut last = String::from("nobody listens");
        while begun.elapsed() < START_TIME {
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().ok()?) {
                return Err(BenchError::Gateway(format!("the gateway ended: {status}")));
            }
            if TcpStream::connect(self.address).is_err() {
                std::thread::sleep(Duration::from_micros(200));
                continue;
            }
            let mut fleet = Fleet::new(self.address)?;
            let opened = fleet.open(vec![crew.observer(false, false)], 1, Duration::from_secs(15))?;
            match opened.failures.into_iter().next() {
                None => return Ok(()),
                Some(failure) => last = failure,
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(BenchError::Gateway(format!(
            "the gateway let nobody in within {START_TIME:?}: {last}"
        )))
    }

    /// What it holds now, in kB, without its children.
    pub(crate) fn memory_kb(&self) -> f64 {
        self.pid
            .and_then(machine::memory_kb)
            .map_or(f64::NAN, |(now, _)| now)
    }

    /// What its children hold, in kB.
    pub(crate) fn children_kb(&self) -> f64 {
        self.pid
            .map(machine::descendants)
            .unwrap_or_default()
            .into_iter()
            .filter_map(machine::memory_kb)
            .fold(0.0, |sum, (now, _)| sum + now)
    }

    /// Processor time so far, in ms.
    pub(crate) fn cpu_ms(&self) -> f64 {
        self.pid.and_then(machine::cpu_time).map_or(f64::NAN, stats::ms)
    }

    /// Ends it without notice. One that was not started here goes on.
    pub(crate) fn kill(mut self) {
        self.end(Duration::ZERO);
    }

    fn end(&mut self, patience: Duration) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        // Its children would outlive it.
        let descendants = machine::descendants(child.id());
        if !patience.is_zero() {
            machine::terminate(child.id());
            let until = Instant::now() + patience;
            while Instant::now() < until && matches!(child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        // It may be gone already.
        let _ = child.kill();
        let _ = child.wait();
        for pid in descendants {
            machine::terminate(pid);
        }
    }
}

impl Bare {
    /// Processor time so far, in ms.
    pub(crate) fn cpu_ms(&self) -> f64 {
        machine::cpu_time(self.child.id()).map_or(f64::NAN, stats::ms)
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        self.end(STOP_TIME);
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16, BenchError> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
