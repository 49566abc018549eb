//! Time is virtual: it advances when all tasks wait.

use std::sync::Mutex;

use presence_core::roster::Visit;

use super::super::MAX_WAITING;
use super::*;

/// Answers as scripted, and records each event with its time.
#[derive(Clone, Debug)]
struct Server {
    seen: Arc<Mutex<Vec<(String, Duration)>>>,
    began: Instant,
    answer: fn(Duration, usize) -> Outcome,
    /// The duration of each attempt.
    takes: Duration,
}

impl Server {
    fn new(answer: fn(Duration, usize) -> Outcome, takes: Duration) -> Self {
        Self {
            seen: Arc::default(),
            began: Instant::now(),
            answer,
            takes,
        }
    }

    fn seen(&self) -> Vec<(String, Duration)> {
        self.seen.lock().unwrap().clone()
    }
}

impl Post for Server {
    async fn post(&mut self, event: &Event) -> Outcome {
        let at = self.began.elapsed();
        let count = {
            let mut seen = self.seen.lock().unwrap();
            seen.push((event.id.clone(), at));
            seen.len()
        };
        tokio::time::sleep(self.takes).await;
        (self.answer)(at, count)
    }
}

pub(in crate::webhook) fn event(number: u64) -> Event {
    let visit = Visit {
        key: "a".to_owned(),
        entry: "{}".into(),
        joined_ms: 1,
        left: None,
    };
    Event::new(&visit, "b", number).unwrap()
}

struct Running {
    queue: mpsc::Sender<Event>,
    stop: watch::Sender<bool>,
    delivery: Delivery,
    metrics: Arc<Metrics>,
}

fn running(server: &Server) -> Running {
    let (queue, events) = mpsc::channel(MAX_WAITING);
    let (stop, stopping) = watch::channel(false);
    let metrics = Arc::new(Metrics::new(0));
    let counted = Some(Arc::clone(&metrics));
    let delivery = Delivery::start(server.clone(), events, stopping, String::new(), counted);
    Running {
        queue,
        stop,
        delivery,
        metrics,
    }
}

impl Running {
    /// Waits until all events are sent and the task has ended.
    async fn end(self) -> Arc<Metrics> {
        drop(self.queue);
        self.delivery.task.await.unwrap();
        self.metrics
    }
}

/// Returns the numbers of delivered events, failed events, and attempts.
fn counts(metrics: &Metrics) -> (u64, u64, u64) {
    let events = |index| metrics.webhook_events.at(index).get();
    let attempts = (0..5).map(|index| metrics.webhook_attempts.at(index).get());
    (events(0), events(1), attempts.sum())
}

const HOUR: Duration = Duration::from_secs(3_600);
const UNAVAILABLE: Outcome = Outcome::Failed(StatusCode::SERVICE_UNAVAILABLE, None);

#[tokio::test(start_paused = true)]
async fn a_failing_server_is_tried_once_a_minute_and_gets_the_waiting_events_afterwards() {
    for takes in [Duration::ZERO, Duration::from_secs(10)] {
        let server = Server::new(
            |at, _| {
                if at < HOUR {
                    UNAVAILABLE
                } else {
                    Outcome::Delivered
                }
            },
            takes,
        );
        let running = running(&server);
        let mut queued = 0;
        // More events than the queue holds; the caller counts those that it drops.
        for number in 1..=2 * MAX_WAITING as u64 {
            queued += u64::from(running.queue.try_send(event(number)).is_ok());
        }
        assert_eq!(queued, MAX_WAITING as u64);
        let metrics = running.end().await;
        let seen = server.seen();
        let in_the_hour = seen.iter().filter(|(_, at)| *at < HOUR).count();
        assert!((50..=66).contains(&in_the_hour), "{in_the_hour}");
        let (delivered, failed, attempts) = counts(&metrics);
        assert_eq!(delivered + failed, queued);
        assert_eq!(attempts, seen.len() as u64);
        // Each failed event had eight attempts.
        assert_eq!(failed, in_the_hour as u64 / u64::from(MAX_ATTEMPTS));
        // The events arrive in order.
        let numbers: Vec<u64> = seen
            .iter()
            .map(|(id, _)| id.rsplit('-').next().unwrap().parse().unwrap())
            .collect();
        assert!(numbers.is_sorted());
    }
}

#[tokio::test(start_paused = true)]
async fn delays_double_up_to_a_minute_and_restart_after_a_success() {
    let server = Server::new(
        |_, count| {
            if count <= 8 || count == 10 {
                Outcome::Timeout
            } else {
                Outcome::Delivered
            }
        },
        Duration::ZERO,
    );
    let running = running(&server);
    for number in 1..=3 {
        running.queue.send(event(number)).await.unwrap();
    }
    let metrics = running.end().await;
    let seen: Vec<(String, u64)> = server
        .seen()
        .into_iter()
        .map(|(id, at)| (id, at.as_secs()))
        .collect();
    let times: Vec<u64> = seen.iter().map(|(_, at)| *at).collect();
    assert_eq!(times, [0, 1, 3, 7, 15, 31, 63, 123, 183, 183, 184]);
    assert_eq!(seen[7].0, "b-1");
    assert_eq!((&*seen[8].0, &*seen[9].0, &*seen[10].0), ("b-2", "b-3", "b-3"));
    assert_eq!(counts(&metrics), (2, 1, 11));
}

#[tokio::test(start_paused = true)]
async fn a_refused_event_is_not_retried() {
    let server = Server::new(
        |_, count| match count {
            1 => Outcome::of(StatusCode::FOUND, None),
            2 => Outcome::of(StatusCode::NOT_FOUND, None),
            _ => Outcome::of(StatusCode::NO_CONTENT, None),
        },
        Duration::ZERO,
    );
    let running = running(&server);
    for number in 1..=3 {
        running.queue.send(event(number)).await.unwrap();
    }
    assert_eq!(counts(&*running.end().await), (1, 2, 3));
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_refused_event_does_not_delay_the_next_event() {
    let server = Server::new(
        |_, count| match count {
            1 => UNAVAILABLE,
            5 => Outcome::Delivered,
            _ => Outcome::Refused(StatusCode::NOT_FOUND),
        },
        Duration::ZERO,
    );
    let running = running(&server);
    for number in 1..=4 {
        running.queue.send(event(number)).await.unwrap();
    }
    assert_eq!(counts(&*running.end().await), (1, 3, 5));
    let times: Vec<u64> = server.seen().iter().map(|(_, at)| at.as_secs()).collect();
    assert_eq!(times, [0, 1, 1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_respected_up_to_an_hour() {
    let server = Server::new(
        |_, count| {
            let seconds = match count {
                1 => 0,
                2 => 90,
                3 => u64::MAX,
                _ => return Outcome::Delivered,
            };
            let wait = Some(Duration::from_secs(seconds));
            Outcome::of(StatusCode::TOO_MANY_REQUESTS, wait)
        },
        Duration::ZERO,
    );
    let running = running(&server);
    running.queue.send(event(1)).await.unwrap();
    assert_eq!(counts(&*running.end().await), (1, 0, 4));
    let times: Vec<u64> = server.seen().iter().map(|(_, at)| at.as_secs()).collect();
    assert_eq!(times, [0, 1, 91, 3_691]);
}

#[tokio::test(start_paused = true)]
async fn a_stopping_gateway_tries_each_waiting_event_once() {
    let server = Server::new(|_, _| UNAVAILABLE, Duration::ZERO);
    let running = running(&server);
    for number in 1..=5 {
        running.queue.send(event(number)).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(server.seen().len(), 1);
    running.stop.send(true).unwrap();
    let metrics = running.end().await;
    assert_eq!(counts(&metrics), (0, 5, 6));
    assert!(server.began.elapsed() < FIRST_WAIT);

    // A server that hangs does not delay the end.
    let server = Server::new(|_, _| UNAVAILABLE, HOUR);
    let running = self::running(&server);
    for number in 1..=3 {
        running.queue.send(event(number)).await.unwrap();
    }
    running.stop.send(true).unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    running.delivery.finish(deadline).await;
    assert_eq!(Instant::now(), deadline);
    // The event that was being sent counts too.
    assert_eq!(running.metrics.webhook_events.at(2).get(), 3);
}

#[test]
fn statuses() {
    for (status, is_for_later) in [
        (500, true),
        (503, true),
        (429, true),
        (408, true),
        (301, false),
        (401, false),
    ] {
        let outcome = Outcome::of(StatusCode::from_u16(status).unwrap(), None);
        assert_eq!(matches!(outcome, Outcome::Failed(..)), is_for_later, "{status}");
        assert_ne!(outcome, Outcome::Delivered);
    }
    assert_eq!(Outcome::of(StatusCode::ACCEPTED, None), Outcome::Delivered);
    assert!(
        Outcome::of(StatusCode::FOUND, None)
            .to_string()
            .ends_with("redirects are not followed")
    );
}
