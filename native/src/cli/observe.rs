//! `serve --observe`: clients of other gateways, whose rows this gateway lists too.

use std::convert::Infallible;
use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use presence_core::client::{ClientEvent, ClientState, Problem};
use presence_core::observer::{Observation, config, retry_ms};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::{info, warn};

use super::client::{Link, words};
use super::options::Observed;
use super::{Failure, runtime};
use crate::feed::Feed;
use crate::identity;
use crate::log::escaped;

/// Most bytes of a gateway's code in the log. Those of real gateways have at most 33.
const MAX_CODE_BYTES: usize = 64;

/// One observed gateway and the connection to it.
#[derive(Debug)]
pub(super) struct Observer {
    name: Box<str>,
    link: Link,
    observation: Observation,
    /// Code of the problem that was logged last: repeated attempts with one problem are one line of the log.
    said: Option<Box<str>>,
    /// When to connect again after a refusal.
    retry_at: Option<Instant>,
}

/// Creates the clients. Reads the device key, because the sandbox later denies access to files.
///
/// # Errors
/// Those of [`Link::new`].
pub(super) fn observers(observed: Vec<Observed>) -> Result<Vec<Observer>, Failure> {
    let observer = |observed: Observed| {
        let mut link = Link::new(
            observed.target,
            config(env!("CARGO_PKG_VERSION"), &identity::platform()),
        )?;
        // Gateways that do not announce connects are asked for their list every 30 s.
        link.watch();
        Ok(Observer {
            name: observed.name,
            link,
            observation: Observation::default(),
            said: None,
            retry_at: None,
        })
    };
    observed.into_iter().map(observer).collect()
}

/// Runs the observers until the result is dropped. Each has a thread: reading a long list must not delay the clients of
/// this gateway. `boot_id` is that of this gateway.
pub(super) fn observe(
    observers: Vec<Observer>,
    feeds: Vec<Feed>,
    boot_id: &str,
) -> Vec<oneshot::Sender<Infallible>> {
    let start = |(observer, feed): (Observer, Feed)| {
        let (stop, stopped) = oneshot::channel();
        let (name, boot_id) = (observer.name.clone(), boot_id.to_owned());
        let thread = thread::Builder::new().name("observer".to_owned());
        let started = thread.spawn(move || match runtime() {
            Ok(runtime) => runtime.block_on(async {
                tokio::select! {
                    () = observer.run(feed, boot_id) => {}
                    _ = stopped => {}
                }
            }),
            Err(error) => warn!(gateway = %observer.name, "cannot observe: {error}"),
        });
        if let Err(error) = started {
            warn!(gateway = %name, %error, "cannot observe: there is no thread for it");
        }
        stop
    };
    observers.into_iter().zip(feeds).map(start).collect()
}

impl Observer {
    /// The port of the gateway.
    pub(super) fn port(&self) -> u16 {
        self.link.target().port
    }

    /// Whether its host is a name, which needs a DNS lookup.
    pub(super) fn has_name(&self) -> bool {
        let host = self.link.target().host.trim_matches(['[', ']']);
        host.parse::<IpAddr>().is_err()
    }

    async fn run(mut self, feed: Feed, boot_id: String) {
        self.link.start();
        loop {
            let retry_at = self.retry_at;
            let retry = async {
                match retry_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let event = tokio::select! {
                event = self.link.next() => event,
                () = retry => {
                    self.retry_at = None;
                    self.link.start();
                    continue;
                }
            };
            match event {
                ClientEvent::Roster(diff) => {
                    let (client, now) = (self.link.machine(), self.link.now());
                    let update = self.observation.update(client, &diff, now);
                    if !feed.send(update).await {
                        return;
                    }
                }
                ClientEvent::State { state, problem } => {
                    if state == ClientState::Live && self.is_own_boot_id(&boot_id) {
                        warn!(gateway = %self.name, url = self.link.url(), "this is the URL of this gateway itself, which is not observed: remove it from --observe");
                        return self.link.stop().await;
                    }
                    self.note(state, problem.as_deref());
                }
                ClientEvent::NoReadScope(problem) => self.log_problem(&problem),
                _ => {}
            }
        }
    }

    fn is_own_boot_id(&self, boot_id: &str) -> bool {
        let hello = self.link.machine().hello();
        hello.is_some_and(|hello| hello.boot_id.as_deref() == Some(boot_id))
    }

    fn note(&mut self, state: ClientState, problem: Option<&Problem>) {
        if state == ClientState::Live {
            self.said = None;
            let protocol = self.link.machine().hello().map_or(0, |hello| hello.protocol);
            info!(gateway = %self.name, url = self.link.url(), protocol, "observing");
        }
        let Some(problem) = problem else { return };
        if state == ClientState::Refused {
            let retry = Duration::from_millis(retry_ms(problem));
            self.retry_at = Some(Instant::now() + retry);
        }
        self.log_problem(problem);
    }

    /// Logs a problem, unless the last line had the same code.
    fn log_problem(&mut self, problem: &Problem) {
        if self.said.as_deref() == Some(&*problem.code) {
            return;
        }
        self.said = Some(problem.code.clone());
        let retry_s = self.retry_at.map(|_| retry_ms(problem) / 1_000);
        warn!(
            gateway = %self.name,
            url = self.link.url(),
            code = %escaped(&problem.code, MAX_CODE_BYTES),
            retry_s,
            "cannot observe {}: {}",
            self.name,
            advice(&self.name, problem)
        );
    }
}

/// The problem in words, with the options of `serve` in place of those of `list`.
fn advice(name: &str, problem: &Problem) -> String {
    let code = &*problem.code;
    if code == "CREDENTIALS_REVOKED" || code.starts_with("AUTH_") && code != "AUTH_RATE_LIMITED" {
        // The gateway's own hint names the variable that holds the secret of this gateway.
        let message = words(&Problem {
            remedy: Box::default(),
            ..problem.clone()
        });
        return format!(
            "it answered `{message}`. Set its secret with --observe-token-file {name}=FILE, --observe-token or \
             --observe-password, and restart this gateway"
        );
    }
    words(problem)
        .replace("--tls-ca", "--observe-tls-ca")
        .replace("--tls-fingerprint", "--observe-tls-fingerprint")
}
