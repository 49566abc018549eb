//! One connection to NATS.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use async_nats::jetstream::kv::{Entry, Operation, Store, UpdateErrorKind, Watch};
use async_nats::{Client, ConnectOptions};
use futures_util::StreamExt;
use futures_util::future::{try_join, try_join_all};
use futures_util::stream::ReadyChunks;
use presence_core::cluster::{
    ClusterBatch, ClusterInput, ClusterOutput, Restart, TAKEOVER_MS, claim, is_claimed_by,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{info, warn};

use super::buckets::{self, Answers, Buckets, LEASES, ROWS};
use super::entries::{Ages, ServerClock, input};
use super::past::Past;
use super::problem::Problem;
use super::{LIMIT, Port, STARTING, probe};
use crate::config::ClusterConfig;

/// Time limit for the end of the snapshot, which is not visible when its last rows expire meanwhile.
const SNAPSHOT_LIMIT: Duration = Duration::from_secs(2);
/// Interval of pings: two without an answer end the connection.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// Most entries that are handed to the driver at once.
const MAX_ENTRIES: usize = 256;
/// Messages of one watch that may wait.
const MAX_WAITING: usize = 16_384;
/// Commands that may wait for the connection.
const MAX_COMMANDS: usize = 512;

/// The parameters of a session.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub(super) config: &'a ClusterConfig,
    pub(super) boot_id: &'a str,
    pub(super) servers: &'a str,
}

/// A write that is on its way.
type Writing<'a> = Pin<Box<dyn Future<Output = Result<(), Problem>> + Send + 'a>>;

/// Both watches. Chunks: what has arrived is handed over at once.
struct Watches {
    leases: ReadyChunks<Watch>,
    rows: ReadyChunks<Watch>,
    ages: Ages,
}

impl Session<'_> {
    /// Runs until an error. Also returns how long the roster was shared, from the first write that the server accepted.
    pub(super) async fn run(&self, port: &mut Port, past: &mut Past) -> (Option<Duration>, Problem) {
        let mut shared_since = None;
        let ended = self.join_and_serve(port, past, &mut shared_since).await;
        let shared = shared_since.map(|since: Instant| since.elapsed());
        (shared, ended.err().unwrap_or(Problem::Stopped))
    }

    async fn join_and_serve(
        &self,
        port: &mut Port,
        past: &mut Past,
        shared_since: &mut Option<Instant>,
    ) -> Result<(), Problem> {
        let mut stopping = port.stopping.clone();
        let (lost, mut is_lost) = watch::channel(false);
        let (buckets, mut watches) = tokio::select! {
            joined = self.join(port, past, lost, is_lost.clone()) => joined?,
            _ = stopping.wait_for(|is_stopping| *is_stopping) => return Err(Problem::Stopped),
        };
        let served = tokio::select! {
            served = self.serve(&buckets, &mut watches, &mut is_lost, port, past.announce_after(), shared_since) => served,
            problem = probe::servers_change(&buckets) => Err(problem),
        };
        if matches!(served, Err(Problem::Stopped)) {
            // The other gateways then list at once that this one is gone.
            let _ = timeout(LIMIT, buckets.leases.delete(&*self.config.name)).await;
        }
        served
    }

    /// Connects, claims the name and reads both buckets.
    async fn join(
        &self,
        port: &Port,
        past: &mut Past,
        lost: watch::Sender<bool>,
        mut is_lost: watch::Receiver<bool>,
    ) -> Result<(Buckets, Watches), Problem> {
        let began = Instant::now();
        let client = self.connect(lost, past.connect_limit()).await?;
        let answers = Answers::of(began.elapsed(), past.silences);
        past.connecting = Some(began.elapsed());
        let context = async_nats::jetstream::new(client);
        let buckets = buckets::open(&context, self.servers, answers).await?;
        // Before the claim, which shows the server's clock: a suspension after that is noticed.
        if !port.send_inputs(vec![ClusterInput::Joining]).await {
            return Err(Problem::Stopped);
        }
        let clock = tokio::select! {
            clock = self.claim(&buckets.leases, answers, port) => clock?,
            _ = is_lost.wait_for(|is_lost| *is_lost) => return Err(self.lost()),
        };
        let watches = self.snapshot(&buckets, answers, clock, port).await?;
        Ok((buckets, watches))
    }

    async fn connect(&self, lost: watch::Sender<bool>, limit: Duration) -> Result<Client, Problem> {
        let fail = |error| Problem::connect(self.servers.to_owned(), &error);
        let lost = std::sync::Arc::new(lost);
        let mut options = ConnectOptions::new()
            .name(format!("presence-gateway {}", self.config.name))
            .connection_timeout(limit)
            .request_timeout(Some(LIMIT))
            .ping_interval(PING_INTERVAL)
            .subscription_capacity(MAX_WAITING)
            .client_capacity(MAX_COMMANDS)
            .ignore_discovered_servers()
            // A lost connection ends the session: the next one starts with a snapshot.
            .max_reconnects(self.config.servers.len())
            .reconnect_delay_callback(|_| Duration::ZERO)
            .tls_client_config(self.config.tls.for_nats())
            .event_callback(move |event| {
                let lost = std::sync::Arc::clone(&lost);
                async move {
                    if matches!(event, async_nats::Event::Disconnected | async_nats::Event::Closed) {
                        lost.send_replace(true);
                    }
                }
            });
        // The client reads neither from the URLs.
        let secret = self.config.servers.iter().find(|server| server.has_user_pass());
        if let Some(server) = secret {
            let (user, password) = (server.username().unwrap_or_default(), server.password());
            options = match password {
                Some(password) => options.user_and_password(user.to_owned(), password.to_owned()),
                None => options.token(user.to_owned()),
            };
        }
        if let Some(credentials) = &self.config.credentials {
            // They were read at the start.
            options = options
                .credentials(credentials)
                .map_err(|_| Problem::Credentials(self.servers.to_owned()))?;
        }
        options.connect(&self.config.servers[..]).await.map_err(fail)
    }

    fn lost(&self) -> Problem {
        Problem::Lost(self.servers.to_owned())
    }

    /// Writes the lease of this process, unless another one renews its own under the name.
    async fn claim(&self, leases: &Store, answers: Answers, port: &Port) -> Result<ServerClock, Problem> {
        let name = &*self.config.name;
        let value = || claim(self.boot_id).into_bytes().into();
        let read = || answers.wait(LEASES, leases.entry(name));
        let is_other =
            |entry: &Entry| entry.operation == Operation::Put && !is_claimed_by(&entry.value, self.boot_id);
        let mut found = read().await?;
        if let Some(other) = found.as_ref().filter(|entry| is_other(entry)) {
            let revision = other.revision;
            let why = format!("waiting for the lease of an earlier process called '{name}' to end");
            port.degraded.send_if_modified(|degraded| {
                let is_new = degraded.as_deref().is_none_or(|why| why == STARTING);
                if is_new {
                    *degraded = Some(why.as_str().into());
                }
                is_new
            });
            tokio::time::sleep(Duration::from_millis(TAKEOVER_MS)).await;
            found = read().await?;
            if found
                .as_ref()
                .is_some_and(|entry| is_other(entry) && entry.revision != revision)
            {
                return Err(Problem::NameTaken(name.into()));
            }
        }
        // Deletions have revisions, too.
        let revision = found.map_or(0, |entry| entry.revision);
        let write = async {
            match leases.update(name, value(), revision).await {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(false),
                Err(error) => Err(error),
            }
        };
        let claimed = answers.wait(LEASES, write).await?;
        let at = Instant::now();
        match read().await? {
            Some(entry) if claimed && !is_other(&entry) => Ok(ServerClock {
                claimed_ns: entry.created.unix_timestamp_nanos(),
                at,
            }),
            Some(_) => Err(Problem::NameTaken(name.into())),
            None => Err(Problem::Restart(Restart::Resync)),
        }
    }

    /// Starts the watches, and hands the state of both buckets to the driver.
    async fn snapshot(
        &self,
        buckets: &Buckets,
        answers: Answers,
        clock: ServerClock,
        port: &Port,
    ) -> Result<Watches, Problem> {
        let Buckets { leases, rows } = buckets;
        let (last_lease, last_row) = try_join(
            last_revision(leases, LEASES, answers),
            last_revision(rows, ROWS, answers),
        )
        .await?;
        let (leases, rows) = try_join(
            answers.wait(LEASES, leases.watch_with_history(">")),
            answers.wait(ROWS, rows.watch_with_history(">")),
        )
        .await?;
        let mut watches = Watches {
            leases: leases.ready_chunks(MAX_ENTRIES),
            rows: rows.ready_chunks(MAX_ENTRIES),
            ages: Ages {
                clock,
                last_lease,
                last_row,
            },
        };
        let mut parts = Vec::new();
        let deadline = Instant::now() + SNAPSHOT_LIMIT;
        // Rows first: a lease states how old they are.
        for (watch, bucket) in [(&mut watches.rows, ROWS), (&mut watches.leases, LEASES)] {
            let last = watches.ages.last(bucket);
            let mut is_complete = last == 0;
            while !is_complete {
                let chunk = tokio::select! {
                    chunk = watch.next() => chunk,
                    () = sleep_until(deadline) => break,
                };
                let ends = |entry: &Entry| entry.delta == 0 || entry.revision >= last;
                is_complete = chunk.iter().flatten().flatten().any(ends);
                parts.push(self.inputs(chunk, bucket, &watches.ages)?);
            }
        }
        parts.push(vec![ClusterInput::Settled]);
        for inputs in parts {
            if !port.send_inputs(inputs).await {
                return Err(Problem::Stopped);
            }
        }
        Ok(watches)
    }

    /// Passes entries to the driver, and batches to the server. Announces that the roster is shared when it has been
    /// for `announce_after`.
    async fn serve(
        &self,
        buckets: &Buckets,
        watches: &mut Watches,
        is_lost: &mut watch::Receiver<bool>,
        port: &mut Port,
        announce_after: Duration,
        shared_since: &mut Option<Instant>,
    ) -> Result<(), Problem> {
        let mut announce_at = None;
        let mut writing: Option<Writing<'_>> = None;
        let mut stopping = port.stopping.clone();
        loop {
            let inputs = tokio::select! {
                _ = is_lost.wait_for(|is_lost| *is_lost) => return Err(self.lost()),
                _ = stopping.wait_for(|is_stopping| *is_stopping) => return Err(Problem::Stopped),
                chunk = watches.leases.next() => self.inputs(chunk, LEASES, &watches.ages)?,
                chunk = watches.rows.next() => self.inputs(chunk, ROWS, &watches.ages)?,
                written = finished(&mut writing) => {
                    written?;
                    writing = None;
                    // The server can refuse the first write: its buckets may have bounds on bytes.
                    if shared_since.is_none() {
                        let now = Instant::now();
                        *shared_since = Some(now);
                        announce_at = Some(now + announce_after);
                    }
                    vec![ClusterInput::Written]
                }
                () = reached(announce_at) => {
                    announce_at = None;
                    info!(name = %self.config.name, servers = self.servers, "the roster is shared with the fleet");
                    port.degraded.send_replace(None);
                    continue;
                }
                output = port.outputs.recv() => match output {
                    None => return Err(Problem::Stopped),
                    Some(ClusterOutput::Write(batch)) => {
                        writing = Some(Box::pin(self.write(buckets, batch)));
                        continue;
                    }
                    Some(ClusterOutput::Restart(Restart::NameTaken)) => {
                        return Err(Problem::NameTaken(self.config.name.clone()));
                    }
                    Some(ClusterOutput::Restart(why)) => return Err(Problem::Restart(why)),
                    Some(ClusterOutput::Warn(text)) => {
                        warn!("{}", text.escape_debug());
                        continue;
                    }
                },
            };
            if !port.send_inputs(inputs).await {
                return Err(Problem::Stopped);
            }
        }
    }

    fn inputs(
        &self,
        chunk: Option<Vec<Result<Entry, async_nats::jetstream::kv::WatcherError>>>,
        bucket: &'static str,
        ages: &Ages,
    ) -> Result<Vec<ClusterInput>, Problem> {
        let mut inputs = Vec::new();
        for entry in chunk.ok_or_else(|| self.lost())? {
            let entry = entry.map_err(|error| Problem::bucket(bucket, &error))?;
            let age_ms = ages.of(&entry, bucket);
            inputs.extend(input(entry, age_ms, bucket == LEASES));
        }
        Ok(inputs)
    }

    /// Writes the rows, then the lease.
    async fn write(&self, buckets: &Buckets, batch: ClusterBatch) -> Result<(), Problem> {
        let name = &*self.config.name;
        let row = |number: u64, value: Option<String>| async move {
            let key = format!("{name}.{number}");
            let failed = |error: &dyn std::error::Error| Problem::bucket(ROWS, error);
            match value {
                Some(value) => buckets
                    .rows
                    .put(key, value.into())
                    .await
                    .map(drop)
                    .map_err(|error| failed(&error)),
                None => buckets.rows.delete(key).await.map_err(|error| failed(&error)),
            }
        };
        let write = async {
            try_join_all(batch.rows.into_iter().map(|write| row(write.number, write.value))).await?;
            if let Some(lease) = batch.lease {
                let put = buckets.leases.put(name, lease.into()).await;
                put.map_err(|error| Problem::bucket(LEASES, &error))?;
            }
            Ok(())
        };
        timeout(LIMIT, write).await.unwrap_or_else(|_| Err(self.lost()))
    }
}

/// Waits for the write, if there is one.
async fn finished(writing: &mut Option<Writing<'_>>) -> Result<(), Problem> {
    match writing {
        Some(writing) => writing.await,
        None => std::future::pending().await,
    }
}

/// Waits until the moment, if there is one.
async fn reached(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// The last revision in the bucket, which ends a snapshot; 0: it is empty.
async fn last_revision(store: &Store, bucket: &'static str, answers: Answers) -> Result<u64, Problem> {
    let state = answers.wait(bucket, store.stream.get_info()).await?.state;
    Ok(if state.messages == 0 {
        0
    } else {
        state.last_sequence
    })
}
