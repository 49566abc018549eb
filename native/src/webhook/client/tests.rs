//! Servers with invalid or late answers, over real sockets. Time is virtual: it advances while all tasks wait.

use http::StatusCode;
use presence_core::Now;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use super::super::delivery::tests::event;
use super::*;
use crate::auth::secret::Secret;
use crate::clock::Manual;

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";

struct Server {
    listener: TcpListener,
    client: Client,
}

impl Server {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let secret = Secret::new("a secret of the tests").unwrap();
        let config = WebhookConfig::new(&url, &secret, None).unwrap();
        let now = Now {
            age_ms: 0,
            wall_ms: 0,
        };
        let client = Client::new(config, Manual::new(now).clock());
        Self { listener, client }
    }

    /// Posts an event to a server that runs `answer` on the accepted connection.
    async fn post(&mut self, number: u64, answer: impl AsyncFnOnce(&mut Connected)) -> Outcome {
        let event = event(number);
        let serve = async {
            let (stream, _) = self.listener.accept().await.unwrap();
            let mut connected = Connected(BufReader::new(stream));
            answer(&mut connected).await;
            connected
        };
        tokio::join!(self.client.post(&event), serve).0
    }

    /// Checks that the next event arrives on a new connection.
    async fn post_on_another(&mut self) {
        let outcome = self
            .post(99, async |connected| {
                assert_eq!(connected.request().await.as_deref(), Some("b-99"));
                connected.write(OK).await;
            })
            .await;
        assert_eq!(outcome, Outcome::Delivered);
    }
}

struct Connected(BufReader<TcpStream>);

impl Connected {
    /// Reads the next event and returns its id; `None` if the client closed the connection.
    async fn request(&mut self) -> Option<String> {
        let (mut id, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some(("webhook-id", value)) => id = Some(value.to_owned()),
                Some(("content-length", value)) => length = value.parse().unwrap(),
                None if line == "\r\n" => break,
                _ => {}
            }
        }
        self.0.read_exact(&mut vec![0; length]).await.unwrap();
        id
    }

    async fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Waits until the client has closed the connection.
    async fn closed(&mut self) {
        while self.0.read(&mut [0; 64]).await.is_ok_and(|count| count > 0) {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_a_timeout() {
    let mut server = Server::new().await;
    for _ in 0..2 {
        let began = Instant::now();
        assert_eq!(server.client.post(&event(1)).await, Outcome::Timeout);
        assert_eq!(began.elapsed().as_secs(), ANSWER_WITHIN.as_secs());
    }
}

#[tokio::test(start_paused = true)]
async fn a_slowly_arriving_head_is_a_timeout() {
    for (begin, piece) in [
        ("HTTP/1.1 200 OK\r\nx: ", "y"),
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        let mut server = Server::new().await;
        let began = Instant::now();
        let outcome = server
            .post(1, async |connected| {
                connected.request().await;
                connected.write(begin).await;
                while connected.0.write_all(piece.as_bytes()).await.is_ok() {
                    sleep(Duration::from_secs(1)).await;
                }
            })
            .await;
        assert_eq!(outcome, Outcome::Timeout);
        assert!(began.elapsed() < 2 * ANSWER_WITHIN);
        server.post_on_another().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_status_decides_even_if_the_body_is_invalid() {
    for (head, body) in [
        // The body stalls.
        ("Content-Length: 5", "ok"),
        ("Transfer-Encoding: chunked", "2\r\nok\r\n"),
        // The body is invalid.
        ("Transfer-Encoding: chunked", "fffffffffffffffff\r\n"),
        ("Transfer-Encoding: chunked", "no number\r\n"),
    ] {
        for status in ["200", "202", "404", "503"] {
            let mut server = Server::new().await;
            let outcome = server
                .post(1, async |connected| {
                    connected.request().await;
                    connected
                        .write(&format!("HTTP/1.1 {status} It is\r\n{head}\r\n\r\n{body}"))
                        .await;
                    // The connection is not kept.
                    connected.closed().await;
                })
                .await;
            assert_eq!(
                outcome,
                Outcome::of(status.parse().unwrap(), None),
                "{head} {body}"
            );
            server.post_on_another().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_huge_body_is_not_read_completely() {
    for head in ["Content-Length: 1000000000", "Connection: close"] {
        let mut server = Server::new().await;
        let mut sent = 0;
        let outcome = server
            .post(1, async |connected| {
                connected.request().await;
                connected
                    .write(&format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n"))
                    .await;
                let part = [b'x'; 64 * 1024];
                while connected.0.write_all(&part).await.is_ok() {
                    sent += part.len();
                }
            })
            .await;
        assert_eq!(outcome, Outcome::Delivered);
        // The system's buffers take most of the sent bytes.
        assert!(sent < 100_000_000, "{sent}");
        server.post_on_another().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalid_response_is_a_failure() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(MAX_HEAD_BYTES));
    for answer in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nx: y\r\n",
        "220 mail\r\n\r\n",
        &long,
    ] {
        let mut server = Server::new().await;
        let outcome = server
            .post(1, async |connected| {
                connected.request().await;
                connected.write(answer).await;
                connected.0.shutdown().await.unwrap();
            })
            .await;
        // A failure on a new connection is not retried at once.
        assert!(matches!(outcome, Outcome::Unreachable(_)), "{answer} {outcome:?}");
        server.post_on_another().await;
    }
}

#[tokio::test(start_paused = true)]
async fn interim_responses_redirects_and_retry_after_are_understood() {
    let late = Duration::from_secs(7);
    for (answer, wanted) in [
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
            Outcome::Delivered,
        ),
        (
            "HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
            Outcome::Refused(StatusCode::TEMPORARY_REDIRECT),
        ),
        (
            "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
            Outcome::Failed(StatusCode::TOO_MANY_REQUESTS, Some(late)),
        ),
        (
            "HTTP/1.1 503 Later\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n",
            Outcome::Failed(StatusCode::SERVICE_UNAVAILABLE, None),
        ),
        (
            "HTTP/1.1 503 Later\r\nRetry-After: -5\r\nContent-Length: 0\r\n\r\n",
            Outcome::Failed(StatusCode::SERVICE_UNAVAILABLE, None),
        ),
    ] {
        let mut server = Server::new().await;
        let outcome = server
            .post(1, async |connected| {
                connected.request().await;
                connected.write(answer).await;
            })
            .await;
        assert_eq!(outcome, wanted, "{answer}");
    }
}

/// One connection serves several events. After it has ended, the next event is sent at once over a new one.
#[tokio::test(start_paused = true)]
async fn a_lost_idle_connection_loses_no_event() {
    // The server closes the connection between two events, or instead of answering the second one.
    for reads_second in [false, true] {
        let mut server = Server::new().await;
        let (first, second) = (event(1), event(2));
        let serve = async {
            let (stream, _) = server.listener.accept().await.unwrap();
            let mut connected = Connected(BufReader::new(stream));
            let mut seen = vec![connected.request().await.unwrap()];
            connected.write(OK).await;
            if reads_second {
                seen.push(connected.request().await.unwrap());
            }
            drop(connected);
            let (stream, _) = server.listener.accept().await.unwrap();
            let mut connected = Connected(BufReader::new(stream));
            seen.push(connected.request().await.unwrap());
            connected.write(OK).await;
            seen
        };
        let post = async {
            let began = Instant::now();
            let first = server.client.post(&first).await;
            let second = server.client.post(&second).await;
            (first, second, began.elapsed() < Duration::from_secs(1))
        };
        let (seen, outcome) = tokio::join!(serve, post);
        assert_eq!(outcome, (Outcome::Delivered, Outcome::Delivered, true));
        // The second event keeps its id, so that the receiver can detect the repetition.
        let wanted: &[&str] = if reads_second {
            &["b-1", "b-2", "b-2"]
        } else {
            &["b-1", "b-2"]
        };
        assert_eq!(seen, wanted);
    }
}
