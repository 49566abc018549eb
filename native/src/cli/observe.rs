//! `serve --observe`: clients of other gateways, whose rows this gateway lists too.

use std::net::IpAddr;
use std::time::Duration;

use presence_core::client::{ClientEvent, ClientState, Problem};
use presence_core::observer::{Observation, config, retry_ms};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{info, warn};

use super::Failure;
use super::client::{Link, words};
use super::options::Observed;
use crate::feed::Feed;
use crate::identity;

/// One observed gateway and the connection to it.
#[derive(Debug)]
pub(super) struct Observer {
    name: Box<str>,
    link: Link,
    observation: Observation,
    /// What was logged last, so that a gateway that stays away is one line and not one per attempt.
    said: Option<Box<str>>,
    /// When to ask again after a refusal.
    retry_at: Option<Instant>,
}

/// Makes the clients, which reads the device key: later no file can be opened.
///
/// # Errors
/// Those of [`Link::new`].
pub(super) fn observers(observed: Vec<Observed>) -> Result<Vec<Observer>, Failure> {
    let observer = |observed: Observed| {
        let mut link = Link::new(
            observed.target,
            config(env!("CARGO_PKG_VERSION"), &identity::platform()),
        )?;
        // Where connects are not announced the list is asked for every 30 s.
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

/// Observes each until the set is dropped. `boot_id` is that of this gateway.
pub(super) fn observe(observers: Vec<Observer>, feeds: Vec<Feed>, boot_id: &str) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for (observer, feed) in observers.into_iter().zip(feeds) {
        tasks.spawn(observer.run(feed, boot_id.to_owned()));
    }
    tasks
}

impl Observer {
    /// The port of the gateway.
    pub(super) fn port(&self) -> u16 {
        self.link.target().port
    }

    /// Whether its address has to be looked up.
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
                    if state == ClientState::Live && self.is_itself(&boot_id) {
                        warn!(gateway = %self.name, url = self.link.url(), "this is the address of this gateway itself: not observed");
                        return self.link.stop().await;
                    }
                    self.note(state, problem.as_deref());
                }
                ClientEvent::NoReadScope(problem) => self.complain(&problem),
                _ => {}
            }
        }
    }

    fn is_itself(&self, boot_id: &str) -> bool {
        let hello = self.link.machine().hello();
        hello.is_some_and(|hello| hello.boot_id.as_deref() == Some(boot_id))
    }

    fn note(&mut self, state: ClientState, problem: Option<&Problem>) {
        if state == ClientState::Live {
            self.said = None;
            let protocol = self.link.machine().hello().map_or(0, |hello| hello.protocol);
            info!(gateway = %self.name, url = self.link.url(), protocol, "observed");
        }
        let Some(problem) = problem else { return };
        if state == ClientState::Refused {
            let retry = Duration::from_millis(retry_ms(problem));
            self.retry_at = Some(Instant::now() + retry);
        }
        self.complain(problem);
    }

    /// Logs a problem once until it is another one.
    fn complain(&mut self, problem: &Problem) {
        if self.said.as_deref() == Some(&*problem.code) {
            return;
        }
        self.said = Some(problem.code.clone());
        let retry_s = self
            .retry_at
            .map(|at| at.saturating_duration_since(Instant::now()).as_secs());
        warn!(
            gateway = %self.name,
            url = self.link.url(),
            code = %problem.code,
            retry_s,
            "cannot observe it: {}",
            words(problem)
        );
    }
}
