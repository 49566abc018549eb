//! The two buckets.

use std::time::Duration;

use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::kv::{Config, Store};
use async_nats::jetstream::stream::StorageType;
use async_nats::jetstream::{Context, ErrorCode};
use presence_core::cluster::{FORMAT, LEASE_MS, ROW_AGE_MS};
use tokio::time::timeout;

use super::problem::Problem;

/// The leases of all gateways.
pub(super) const LEASES: &str = "presence-leases";
/// The rows of all gateways.
pub(super) const ROWS: &str = "presence-rows";
/// How long the server keeps the marker of an expired entry.
const MARKER: Duration = Duration::from_secs(5);
/// Shortest and longest time limit of a request while the fleet is joined. A request to a bucket without a leader is
/// never answered, even if a leader is elected a moment later, so a short limit lets the next request get an answer.
const MIN_ANSWER_LIMIT: Duration = Duration::from_millis(250);
const MAX_ANSWER_LIMIT: Duration = Duration::from_secs(1);
/// Time limit of a request after [`SLOW_AFTER`] consecutive sessions without an answer: the servers are slow, not
/// without a leader.
const SLOW_ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// An election takes fewer sessions.
pub(super) const SLOW_AFTER: u32 = 40;

/// The description of a bucket.
fn description() -> String {
    format!("openclaw-presence fleet, format {FORMAT}")
}

/// Both buckets.
#[derive(Debug)]
pub(super) struct Buckets {
    pub(super) leases: Store,
    pub(super) rows: Store,
}

/// Time limit of requests, derived from the round-trip time to the server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answers(Duration);

impl Answers {
    /// Returns the limit for a server. `connecting` is the duration of the connect, which is several round trips;
    /// `silences` is the number of consecutive sessions without an answer.
    pub(super) fn of(connecting: Duration, silences: u32) -> Self {
        if silences >= SLOW_AFTER {
            return Self(SLOW_ANSWER_LIMIT);
        }
        Self((connecting * 4).clamp(MIN_ANSWER_LIMIT, MAX_ANSWER_LIMIT))
    }

    /// # Errors
    /// [`Problem::Silent`] without an answer within the limit, [`Problem::Bucket`] when the request fails.
    pub(super) async fn wait<T, E: std::error::Error>(
        self,
        bucket: &'static str,
        request: impl IntoFuture<Output = Result<T, E>>,
    ) -> Result<T, Problem> {
        let answer = timeout(self.0, request).await;
        answer
            .map_err(|_| Problem::Silent(bucket))?
            .map_err(|error| Problem::bucket(bucket, &error))
    }
}

/// Finds the buckets, or creates them in memory. Buckets that exist may be kept in files, and have replicas.
///
/// # Errors
/// [`Problem`] when that fails, or when a bucket is of another version.
pub(super) async fn open(context: &Context, servers: &str, answers: Answers) -> Result<Buckets, Problem> {
    Ok(Buckets {
        leases: open_one(context, (LEASES, LEASE_MS), servers, answers).await?,
        rows: open_one(context, (ROWS, ROW_AGE_MS), servers, answers).await?,
    })
}

async fn open_one(
    context: &Context,
    (bucket, age_ms): (&'static str, u64),
    servers: &str,
    answers: Answers,
) -> Result<Store, Problem> {
    let max_age = Duration::from_millis(age_ms);
    let stream = timeout(answers.0, context.get_stream(format!("KV_{bucket}"))).await;
    match stream.map_err(|_| Problem::Silent(bucket))? {
        Ok(stream) => {
            let config = &stream.cached_info().config;
            let stated = config.description.clone().unwrap_or_default();
            let what = if stated != description() {
                Some(format!("its description is `{}`", stated.escape_debug()))
            } else if config.max_age != max_age || config.max_messages_per_subject != 1 {
                Some("its history or max_age is another one".to_owned())
            } else {
                None
            };
            if let Some(what) = what {
                return Err(Problem::OtherBucket { bucket, what });
            }
        }
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                let config = Config {
                    bucket: bucket.to_owned(),
                    description: description(),
                    history: 1,
                    max_age,
                    storage: StorageType::Memory,
                    limit_markers: Some(MARKER),
                    ..Config::default()
                };
                // Another gateway may create it at the same time, with the same settings.
                if let Err(problem) = answers.wait(bucket, context.create_key_value(config)).await
                    && answers.wait(bucket, context.get_key_value(bucket)).await.is_err()
                {
                    return Err(problem);
                }
            }
            GetStreamErrorKind::JetStream(error)
                if matches!(
                    error.error_code(),
                    ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
                ) =>
            {
                return Err(Problem::NoJetStream(servers.to_owned()));
            }
            GetStreamErrorKind::Request if error.to_string().contains("no responders") => {
                return Err(Problem::NoJetStream(servers.to_owned()));
            }
            _ => return Err(Problem::bucket(bucket, &error)),
        },
    }
    answers.wait(bucket, context.get_key_value(bucket)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_for_slow_servers_follows_eventually() {
        let limit = |connecting_ms, silences| Answers::of(Duration::from_millis(connecting_ms), silences).0;
        assert_eq!(limit(2, 0), MIN_ANSWER_LIMIT);
        assert_eq!(limit(150, 0), Duration::from_millis(600));
        assert_eq!(limit(2_000, SLOW_AFTER - 1), MAX_ANSWER_LIMIT);
        assert_eq!(limit(2, SLOW_AFTER), SLOW_ANSWER_LIMIT);
    }
}
