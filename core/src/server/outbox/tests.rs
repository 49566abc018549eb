//! Order, replacement, numbering and bounds of the outbox.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;

fn response(text: &str) -> Item {
    Item::Response(ResponseFrame::text(String::from(text)))
}

fn shared(text: &str) -> Arc<EventFrame> {
    Arc::new(EventFrame::new(text, "[]"))
}

/// The items of `outbox` until it is empty; a close as `close <code>`.
fn drained(outbox: &mut Outbox) -> Vec<String> {
    core::iter::from_fn(|| outbox.pop())
        .map(|outgoing| match &outgoing {
            Outgoing::Close(frame) => format!("close {}", frame.code),
            Outgoing::Response(_) | Outgoing::Event(..) => outgoing.to_string(),
        })
        .collect()
}

#[test]
fn responses_and_events_keep_their_order_and_only_events_are_numbered() {
    let mut outbox = Outbox::new(1_000);
    outbox.push(response("one")).unwrap();
    outbox.push(Item::Event(shared("e1"))).unwrap();
    outbox.push(response("two")).unwrap();
    outbox.push(Item::Event(shared("e2"))).unwrap();
    assert_eq!(
        drained(&mut outbox),
        [
            "one",
            r#"{"type":"event","event":"e1","payload":[],"seq":1}"#,
            "two",
            r#"{"type":"event","event":"e2","payload":[],"seq":2}"#,
        ]
    );
}

#[test]
fn replaced_presence_and_ticks_use_no_number() {
    let mut outbox = Outbox::new(1_000);
    outbox.push(Item::Presence(shared("p1"))).unwrap();
    outbox.push(response("one")).unwrap();
    outbox.push(Item::Tick(shared("t1"))).unwrap();
    for index in 2..100 {
        outbox.push(Item::Tick(shared(&format!("t{index}")))).unwrap();
        outbox.push(Item::Presence(shared(&format!("p{index}")))).unwrap();
    }
    assert_eq!(
        drained(&mut outbox),
        [
            "one",
            r#"{"type":"event","event":"t99","payload":[],"seq":1}"#,
            r#"{"type":"event","event":"p99","payload":[],"seq":2}"#,
        ]
    );
    outbox.push(Item::Presence(shared("p100"))).unwrap();
    assert_eq!(
        drained(&mut outbox),
        [r#"{"type":"event","event":"p100","payload":[],"seq":3}"#]
    );
}

#[test]
fn a_snapshot_taken_out_is_not_replaced_but_followed() {
    let mut outbox = Outbox::new(1_000);
    outbox.push(Item::Presence(shared("p1"))).unwrap();
    let taken = outbox.pop().unwrap();
    outbox.push(Item::Presence(shared("p2"))).unwrap();
    assert_eq!(
        taken.to_string(),
        r#"{"type":"event","event":"p1","payload":[],"seq":1}"#
    );
    assert_eq!(
        drained(&mut outbox),
        [r#"{"type":"event","event":"p2","payload":[],"seq":2}"#]
    );
}

#[test]
fn a_snapshot_takes_the_place_of_deltas_that_wait() {
    let mut outbox = Outbox::new(1_000);
    outbox.push(Item::Delta(shared("d1"))).unwrap();
    outbox.push(response("one")).unwrap();
    outbox.push(Item::Delta(shared("d2"))).unwrap();
    outbox.push(Item::Presence(shared("p3"))).unwrap();
    assert!(!outbox.take_behind(), "it was sent what it needs");
    assert_eq!(
        drained(&mut outbox),
        ["one", r#"{"type":"event","event":"p3","payload":[],"seq":1}"#]
    );
}

#[test]
fn nothing_follows_a_close() {
    let mut outbox = Outbox::new(10);
    outbox.push(response("one")).unwrap();
    outbox.push(Item::Close(CloseFrame::SERVICE_RESTART)).unwrap();
    outbox.push(Item::Close(CloseFrame::SLOW_CONSUMER)).unwrap();
    outbox.push(response("far too long for the limit")).unwrap();
    outbox.push(Item::Presence(shared("p1"))).unwrap();
    assert_eq!(drained(&mut outbox), ["one", "close 1012"]);
    outbox.push(Item::Tick(shared("t1"))).unwrap();
    assert!(outbox.is_empty());
}

#[test]
fn undelivered_responses_are_bounded_and_presence_is_not_counted() {
    let mut outbox = Outbox::new(10);
    outbox.push(response("12345")).unwrap();
    outbox
        .push(Item::Presence(shared("long enough to exceed the limit")))
        .unwrap();
    outbox.push(response("67890")).unwrap();
    assert_eq!(outbox.buffered_bytes(), 10);
    assert_eq!(outbox.push(response("1")), Err(SlowConsumer { limit: 10 }));
    outbox.pop().unwrap();
    assert_eq!(outbox.buffered_bytes(), 5);
    outbox.push(response("12345")).unwrap();
    assert_eq!(
        outbox.push(response("1")).unwrap_err().to_string(),
        "more than 10 bytes of responses are undelivered"
    );
}

#[test]
fn one_response_may_be_larger_than_the_bound() {
    let mut outbox = Outbox::new(3);
    outbox.push(response("12345")).unwrap();
    assert!(outbox.push(response("1")).is_err());
    assert_eq!(drained(&mut outbox), ["12345"]);
    assert_eq!(outbox.buffered_bytes(), 0);
}

#[test]
fn segments_join_to_the_text() {
    let mut outbox = Outbox::new(1_000);
    outbox.push(Item::Event(shared("e1"))).unwrap();
    let outgoing = outbox.pop().unwrap();
    let joined = outgoing.segments().concat();
    assert_eq!(String::from_utf8(joined).unwrap(), outgoing.to_string());
    assert_eq!(outgoing.len(), outgoing.to_string().len());
    let close = Outgoing::Close(CloseFrame::PING_TIMEOUT);
    assert!(close.is_empty());
    assert_eq!(close.segments().concat(), b"");
}

#[test]
fn a_drained_outbox_owns_no_heap_memory_and_is_small() {
    let mut outbox = Outbox::new(1_000);
    for _ in 0..100 {
        outbox.push(response("x")).unwrap();
    }
    outbox.push(Item::Presence(shared("p1"))).unwrap();
    drained(&mut outbox);
    assert_eq!(outbox.queue.capacity(), 0);
    assert!(outbox.is_empty());
    assert!(size_of::<Outbox>() <= 96, "{}", size_of::<Outbox>());
}

#[test]
fn droppable_events_are_left_out_when_too_many_wait() {
    let mut outbox = Outbox::new(1_000);
    let event = |n: usize| Item::Droppable(Arc::new(EventFrame::new("e", format_args!("{n:0984}"))));
    for n in 0..MAX_DROPPABLE_BYTES / 1_024 + 1 {
        outbox.push(event(n)).unwrap();
    }
    outbox.push(Item::Event(shared("shutdown"))).unwrap();
    let sent = drained(&mut outbox);
    assert_eq!(
        sent.len(),
        MAX_DROPPABLE_BYTES / 1_024 + 1,
        "the one beyond is left out"
    );
    assert!(
        sent[16].contains("shutdown") && sent[16].ends_with(",\"seq\":17}"),
        "no number is lost"
    );
    outbox.push(event(99)).unwrap();
    assert_eq!(drained(&mut outbox).len(), 1, "there is room again");
}

#[test]
fn deltas_are_left_out_when_too_many_wait() {
    let mut outbox = Outbox::new(1_000);
    let delta = || Item::Delta(Arc::new(EventFrame::new("d", format_args!("{:0986}", 0))));
    let len = 1_024;
    for _ in 0..MAX_DELTA_BYTES / len {
        outbox.push(delta()).unwrap();
    }
    assert_eq!(outbox.delta_bytes, MAX_DELTA_BYTES);
    assert!(!outbox.take_behind());
    outbox.push(delta()).unwrap();
    assert!(outbox.is_empty() && outbox.take_behind(), "a snapshot follows");
}
