//! Tests that run in many orders of steps.

use std::future::poll_fn;
use std::io::Cursor;
use std::sync::Arc;

use presence_core::Now;
use presence_core::server::Item;
use presence_core::wire::{CloseFrame, EventFrame, ResponseFrame};
use shuttle::future::block_on;
use shuttle::sync::mpsc::{Receiver, SyncSender, sync_channel};
use shuttle::thread;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use super::peer::{Peer, SCARCE_BYTES, Turn};
use super::pool::{Pool, Share};
use super::socket::Socket;
use crate::conn::Input;

const NOW: Now = Now {
    age_ms: 1,
    wall_ms: 1,
};
/// A response of this many bytes backs a connection up, together with a second one.
const LARGE_BYTES: usize = 200 * 1024;
/// Inputs that one request stands for.
const BATCH: usize = 3;

/// A batch of one connection for the driver.
type Batch = (Arc<Peer>, Vec<Input>);

/// A connection whose outbox is never full.
fn peer(socket: &Socket) -> Arc<Peer> {
    peer_of(socket, &Pool::new(usize::MAX))
}

/// A connection whose outbox is never full, while the bytes of all are scarce.
fn scarce_peer(socket: &Socket) -> Arc<Peer> {
    peer_of(socket, &Pool::new(0))
}

fn peer_of(socket: &Socket, pool: &Arc<Pool>) -> Arc<Peer> {
    let undelivered = Share::of(pool);
    Arc::new(Peer::new(
        socket.clone(),
        Box::default(),
        usize::MAX,
        undelivered,
        None,
    ))
}

/// The connection's task, from its first turn to the end of the socket.
fn session(peer: &Arc<Peer>, driver: &SyncSender<Batch>) {
    let hand_on = |inputs| {
        peer.start_batch();
        // Waits while the channel is full. The driver may have stopped.
        let _ = driver.send((Arc::clone(peer), inputs));
    };
    loop {
        match block_on(poll_fn(|cx| peer.poll_turn(cx, false))) {
            Turn::Read => match peer.try_read(&mut [0]) {
                Ok(1..) => hand_on((0..BATCH).map(|_| Input::Pong).collect()),
                Ok(0) => break,
                Err(_) => {}
            },
            Turn::Write => peer.resume(NOW),
            Turn::Resend(inputs) => hand_on(inputs),
            Turn::Close | Turn::Broken => break,
        }
    }
    loop {
        peer.resume(NOW);
        if peer.is_drained() || block_on(poll_fn(|cx| peer.poll_write_ready(cx))).is_err() {
            break;
        }
    }
    peer.close_socket();
}

/// The driver's handling of a batch: each input gets a response, until the connection is backed up. Returns the number
/// of handled inputs.
fn handle(peer: &Peer, inputs: Vec<Input>, mut response: impl FnMut() -> String) -> usize {
    let mut inputs = inputs.into_iter();
    let mut count = 0;
    for _ in inputs.by_ref() {
        peer.push(Item::Response(ResponseFrame::text(response())))
            .unwrap();
        count += 1;
        if peer.is_backed_up() {
            peer.flush(NOW);
            if peer.is_backed_up() {
                break;
            }
        }
    }
    peer.flush(NOW);
    peer.finish_batch(inputs.collect());
    count
}

/// Answers so many inputs of these connections, each with its number, and then closes the connections.
fn drive(batches: &Receiver<Batch>, peers: &[Arc<Peer>], inputs: usize, bytes: usize) {
    let mut counts = vec![0; peers.len()];
    let mut left = inputs;
    while left > 0 {
        let (peer, inputs) = batches.recv().unwrap();
        let at = peers.iter().position(|other| Arc::ptr_eq(other, &peer)).unwrap();
        left -= handle(&peer, inputs, || {
            counts[at] += 1;
            format!("{}{}", " ".repeat(bytes), counts[at])
        });
    }
    for peer in peers {
        peer.close(CloseFrame::SERVICE_RESTART);
    }
}

/// What a client receives until the end of the socket: the texts, and the code of the close.
fn received(socket: &Socket) -> (Vec<String>, Option<u16>) {
    received_after(socket, Vec::new())
}

/// [`received`], after these bytes.
fn received_after(socket: &Socket, mut bytes: Vec<u8>) -> (Vec<String>, Option<u16>) {
    loop {
        let more = socket.receive();
        if more.is_empty() {
            break;
        }
        bytes.extend(more);
    }
    let mut client = WebSocket::from_raw_socket(Cursor::new(bytes), Role::Client, None);
    let (mut texts, mut code) = (Vec::new(), None);
    while let Ok(message) = client.read() {
        match message {
            Message::Text(text) => texts.push(text.trim_start().to_owned()),
            Message::Close(close) => code = close.map(|close| close.code.into()),
            _ => {}
        }
    }
    (texts, code)
}

fn numbers(count: usize) -> Vec<String> {
    (1..=count).map(|number| number.to_string()).collect()
}

#[test]
fn all_that_is_pushed_before_the_close_arrives_in_order() {
    const EVENTS: usize = 6;

    let model = || {
        let socket = Socket::default();
        let peer = peer(&socket);
        let (batches, _driver) = sync_channel(1);
        let task = thread::spawn({
            let peer = Arc::clone(&peer);
            move || session(&peer, &batches)
        });
        let driver = thread::spawn(move || {
            for number in 1..=EVENTS {
                // Two of them fill the socket.
                let text = format!("{number:>40000}");
                peer.push(Item::Response(ResponseFrame::text(text))).unwrap();
                if number % 2 == 0 {
                    peer.flush(NOW);
                }
            }
            peer.close(CloseFrame::SERVICE_RESTART);
        });
        assert_eq!(received(&socket), (numbers(EVENTS), Some(1012)));
        task.join().unwrap();
        driver.join().unwrap();
    };
    shuttle::check_random(model, 150);
    shuttle::check_pct(model, 150, 3);
}

/// A snapshot replaces one that waits. The newest always arrives, and the numbers of events have no gap.
#[test]
fn the_newest_snapshot_arrives_with_the_next_number() {
    const SNAPSHOTS: u64 = 5;

    let model = || {
        let socket = Socket::default();
        let peer = peer(&socket);
        let (batches, _driver) = sync_channel(1);
        let task = thread::spawn({
            let peer = Arc::clone(&peer);
            move || session(&peer, &batches)
        });
        let driver = thread::spawn(move || {
            for number in 1..=SNAPSHOTS {
                // Two of them fill the socket.
                let payload = format!("{number:>40000}");
                peer.push(Item::Presence(Arc::new(EventFrame::new("presence", payload))))
                    .unwrap();
                peer.flush(NOW);
            }
            peer.close(CloseFrame::SERVICE_RESTART);
        });
        let (texts, code) = received(&socket);
        let events: Vec<serde_json::Value> = texts
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect();
        let column = |member: &str| -> Vec<u64> {
            events
                .iter()
                .map(|event| event[member].as_u64().unwrap())
                .collect()
        };
        let payloads = column("payload");
        assert!(
            payloads.is_sorted() && payloads.last() == Some(&SNAPSHOTS),
            "{payloads:?}"
        );
        assert_eq!(column("seq"), (1..=events.len() as u64).collect::<Vec<_>>());
        assert_eq!(code, Some(1012));
        task.join().unwrap();
        driver.join().unwrap();
    };
    shuttle::check_random(model, 150);
    shuttle::check_pct(model, 150, 3);
}

/// The driver has no more to do with it, until the client has it all.
#[test]
fn what_the_socket_has_no_room_for_is_written_by_the_task() {
    let model = || {
        let socket = Socket::default();
        let peer = peer(&socket);
        let (batches, _driver) = sync_channel(1);
        let (report, arrived) = sync_channel(1);
        let task = thread::spawn({
            let peer = Arc::clone(&peer);
            move || session(&peer, &batches)
        });
        let driver = thread::spawn(move || {
            let text = format!("{}1", " ".repeat(LARGE_BYTES));
            peer.push(Item::Response(ResponseFrame::text(text))).unwrap();
            peer.flush(NOW);
            arrived.recv().unwrap();
            peer.close(CloseFrame::SERVICE_RESTART);
        });
        let mut bytes = Vec::new();
        while bytes.len() <= LARGE_BYTES {
            bytes.extend(socket.receive());
        }
        report.send(()).unwrap();
        assert_eq!(received_after(&socket, bytes), (numbers(1), Some(1012)));
        task.join().unwrap();
        driver.join().unwrap();
    };
    shuttle::check_random(model, 100);
    shuttle::check_pct(model, 100, 3);
}

#[test]
fn a_batch_that_backs_up_is_resumed_when_the_client_reads() {
    const ASKS: usize = 2;

    let model = || {
        let socket = Socket::default();
        let peer = peer(&socket);
        let (batches, driver) = sync_channel(1);
        let task = thread::spawn({
            let peer = Arc::clone(&peer);
            move || session(&peer, &batches)
        });
        let driver = thread::spawn(move || drive(&driver, &[peer], ASKS * BATCH, LARGE_BYTES));
        let asker = thread::spawn({
            let socket = socket.clone();
            move || (0..ASKS).for_each(|_| socket.send_request())
        });
        assert_eq!(received(&socket), (numbers(ASKS * BATCH), Some(1012)));
        for thread in [task, driver, asker] {
            thread.join().unwrap();
        }
    };
    shuttle::check_random(model, 60);
    shuttle::check_pct(model, 60, 3);
}

/// Nothing else wakes the task, if the socket takes the whole response.
#[test]
fn requests_are_read_again_when_a_response_that_waited_is_written() {
    let model = || {
        let socket = Socket::default();
        let peer = scarce_peer(&socket);
        let (batches, driver) = sync_channel(1);
        let task = thread::spawn({
            let peer = Arc::clone(&peer);
            move || session(&peer, &batches)
        });
        let driver = thread::spawn(move || {
            let text = format!("{}0", " ".repeat(SCARCE_BYTES));
            peer.push(Item::Response(ResponseFrame::text(text))).unwrap();
            peer.flush(NOW);
            drive(&driver, &[peer], BATCH, 0);
        });
        let asker = thread::spawn({
            let socket = socket.clone();
            move || socket.send_request()
        });
        let (texts, code) = received(&socket);
        assert_eq!(texts, ["0", "1", "2", "3"]);
        assert_eq!(code, Some(1012));
        for thread in [task, driver, asker] {
            thread.join().unwrap();
        }
    };
    shuttle::check_random(model, 500);
    shuttle::check_pct(model, 500, 3);
}

#[test]
fn many_connections_share_a_channel_with_room_for_one_batch() {
    const CONNECTIONS: usize = 3;
    const ASKS: usize = 2;

    let model = || {
        let sockets: Vec<Socket> = (0..CONNECTIONS).map(|_| Socket::default()).collect();
        let peers: Vec<_> = sockets.iter().map(peer).collect();
        let (batches, driver) = sync_channel(1);
        let mut threads = Vec::new();
        for (socket, peer) in sockets.iter().cloned().zip(peers.iter().cloned()) {
            let batches = batches.clone();
            threads.push(thread::spawn(move || session(&peer, &batches)));
            threads.push(thread::spawn(move || {
                (0..ASKS).for_each(|_| socket.send_request());
                assert_eq!(received(&socket), (numbers(ASKS * BATCH), Some(1012)));
            }));
        }
        drive(&driver, &peers, CONNECTIONS * ASKS * BATCH, 100);
        for thread in threads {
            thread.join().unwrap();
        }
    };
    shuttle::check_random(model, 500);
    shuttle::check_pct(model, 500, 3);
}

#[test]
fn a_shutdown_ends_the_tasks_of_all_clients() {
    let model = || {
        let [reader, leaver] = [Socket::default(), Socket::default()];
        let peers = [peer(&reader), peer(&leaver)];
        let (batches, driver) = sync_channel(1);
        let mut threads = Vec::new();
        for peer in peers.clone() {
            let batches = batches.clone();
            threads.push(thread::spawn(move || session(&peer, &batches)));
        }
        drop(batches);
        threads.push(thread::spawn(move || {
            leaver.send_request();
            leaver.receive();
            leaver.leave();
        }));
        threads.push(thread::spawn({
            let reader = reader.clone();
            move || reader.send_request()
        }));
        threads.push(thread::spawn(move || {
            let snapshot = Arc::new(EventFrame::new("presence", "x".repeat(40_000)));
            for peer in &peers {
                peer.push(Item::Presence(Arc::clone(&snapshot))).unwrap();
                peer.flush(NOW);
            }
            // At any time, and before the batches that come after it.
            for peer in &peers {
                peer.push(Item::Event(Arc::new(EventFrame::new("shutdown", "{}"))))
                    .unwrap();
                peer.close(CloseFrame::SERVICE_RESTART);
            }
            while let Ok((peer, inputs)) = driver.recv() {
                handle(&peer, inputs, || "late".to_owned());
            }
        }));
        let (texts, code) = received(&reader);
        assert_eq!(code, Some(1012));
        assert!(texts.last().unwrap().contains("shutdown"), "{texts:?}");
        for thread in threads {
            thread.join().unwrap();
        }
    };
    shuttle::check_random(model, 500);
    shuttle::check_pct(model, 500, 3);
}
