use futures_util::FutureExt;

use super::*;

const LIMITS: SlotLimits = SlotLimits {
    max_connections: 16,
    max_unauthenticated: 8,
    max_unauthenticated_per_address: 2,
};

fn remote(last: u8) -> Address {
    Address {
        network: IpAddr::from([192, 0, 2, last]),
        is_shared: false,
    }
}

fn local() -> Address {
    Address {
        network: IpAddr::from([127, 0, 0, 1]),
        is_shared: true,
    }
}

fn take(slots: &Arc<Slots>, address: Address) -> Slot {
    slots.take(address, 0).unwrap()
}

/// Takes a place and marks it as used.
fn take_busy(slots: &Arc<Slots>, address: Address) -> Slot {
    let mut slot = take(slots, address);
    slot.busy(0).unwrap();
    slot
}

#[test]
fn places_are_given_back() {
    let slots = Slots::new(LIMITS, false);
    let mut all: Vec<Slot> = (0..8).map(|n| take_busy(&slots, remote(n))).collect();
    assert_eq!(slots.take(remote(8), 0).unwrap_err(), Refused::Unauthenticated);
    for slot in &mut all {
        slot.authenticated();
        slot.authenticated();
    }
    assert_eq!((slots.connections(), slots.unauthenticated()), (8, 0));
    all.extend((8..16).map(|n| take_busy(&slots, remote(n))));
    assert_eq!(slots.take(remote(16), 0).unwrap_err(), Refused::Connections);

    all[15].release();
    all[15].release();
    all.push(take(&slots, remote(16)));
    drop(all);
    assert_eq!((slots.connections(), slots.unauthenticated()), (0, 0));
    let counts = slots.counts();
    assert!(counts.shares.is_empty() && counts.silent.is_empty());
}

#[test]
fn an_address_is_bounded_until_its_handshakes_are_done() {
    let slots = Slots::new(LIMITS, false);
    let mut first = take_busy(&slots, remote(1));
    let _second = take_busy(&slots, remote(1));
    // Refused ones leave no trace, however many there are.
    for _ in 0..10_000 {
        assert_eq!(slots.take(remote(1), 0).unwrap_err(), Refused::Unauthenticated);
    }
    assert_eq!((slots.connections(), slots.take_evictions()), (2, 0));
    let _other = take(&slots, remote(2));
    first.authenticated();
    take(&slots, remote(1));
}

#[test]
fn silent_sockets_do_not_block_others_of_their_address() {
    let slots = Slots::new(LIMITS, false);
    let other = take(&slots, remote(2));
    let silent: Vec<Slot> = (0..10).map(|_| take(&slots, remote(1))).collect();
    let evicted = silent.iter().filter(|slot| slot.is_evicted()).count();
    assert_eq!((evicted, slots.unauthenticated()), (8, 3));
    assert!(!silent[8].is_evicted() && !silent[9].is_evicted());
    let _normal = take_busy(&slots, remote(1));
    assert!(silent[8].is_evicted() && !silent[9].is_evicted());
    // Other addresses lose nothing, however long they are silent.
    assert!(!other.is_evicted());
}

#[test]
fn a_client_behind_a_proxy_is_counted_under_its_own_address() {
    let slots = Slots::new(LIMITS, false);
    let mut all = [
        take(&slots, local()),
        take(&slots, local()),
        take(&slots, local()),
    ];
    for slot in &mut all[..2] {
        slot.attribute(remote(1), 0).unwrap();
        slot.busy(0).unwrap();
    }
    assert_eq!(all[2].attribute(remote(1), 0), Err(Refused::Unauthenticated));
    assert_eq!(slots.connections(), 2);
    assert_eq!(slots.counts().shares.len(), 1);
}

#[test]
fn silent_local_sockets_block_nobody() {
    let slots = Slots::new(LIMITS, false);
    let flood: Vec<Slot> = (0..1_000).map(|_| take(&slots, local())).collect();
    // Half of the places, and not one more.
    assert_eq!(slots.unauthenticated(), 4);
    assert_eq!(slots.take_evictions(), 996);
    assert!(flood[..996].iter().all(Slot::is_evicted));
    assert!(!flood[996..].iter().any(Slot::is_evicted));

    let mut normal = take(&slots, local());
    normal.busy(0).unwrap();
    // Also when busy sockets of other addresses take the other half of the slots.
    let _others: Vec<Slot> = (0..4).map(|n| take_busy(&slots, remote(n))).collect();
    let mut normal = take(&slots, local());
    normal.busy(0).unwrap();
    assert!(!normal.is_evicted());
}

#[test]
fn a_shared_address_is_bounded_when_no_socket_is_silent() {
    let slots = Slots::new(LIMITS, false);
    let crowd: Vec<Slot> = (0..4).map(|_| take_busy(&slots, local())).collect();
    assert_eq!(slots.take(local(), 0).unwrap_err(), Refused::Unauthenticated);
    let _others: Vec<Slot> = (0..4).map(|n| take_busy(&slots, remote(n))).collect();
    drop(crowd);
    take_busy(&slots, local());
}

#[test]
fn the_longest_silent_socket_is_evicted_first() {
    let slots = Slots::new(LIMITS, false);
    let mut all: Vec<Slot> = (0..8).map(|n| take(&slots, remote(n))).collect();
    // The first sent its request meanwhile, and the second is being worked for.
    all[0].busy(0).unwrap();
    all[0].upgraded(5);
    all[1].busy(0).unwrap();
    let _new = take(&slots, remote(8));
    let evicted: Vec<bool> = all.iter().map(Slot::is_evicted).collect();
    assert_eq!(evicted, [false, false, true, false, false, false, false, false]);
    assert_eq!((slots.connections(), slots.unauthenticated()), (8, 8));
    // Its request arrived before it noticed the eviction: it gets a new slot, and the next silent socket is evicted.
    all[2].busy(0).unwrap();
    assert!(!all[2].is_evicted() && all[3].is_evicted());
    assert_eq!((slots.connections(), slots.unauthenticated()), (8, 8));
    drop(all);
    assert_eq!((slots.connections(), slots.unauthenticated()), (1, 1));
}

#[test]
fn plain_requests_do_not_keep_a_slot() {
    let slots = Slots::new(LIMITS, false);
    let mut crowd: Vec<Slot> = (0..4).map(|_| take(&slots, local())).collect();
    for slot in &mut crowd {
        slot.busy(0).unwrap();
        slot.answered();
    }
    // The client whose handshake takes a moment is newer, so it stays, whatever the others send meanwhile.
    let normal = take(&slots, local());
    assert!(crowd[0].is_evicted());
    assert_eq!(crowd[0].busy(1), Err(Refused::Unauthenticated));
    for slot in &mut crowd[1..] {
        slot.busy(1).unwrap();
        slot.answered();
    }
    let _newer: Vec<Slot> = (0..3).map(|_| take(&slots, local())).collect();
    assert!(crowd.iter().all(Slot::is_evicted) && !normal.is_evicted());
    assert_eq!(slots.unauthenticated(), 4);
}

#[test]
fn a_plain_request_of_another_client_of_a_proxy_keeps_the_position_too() {
    let slots = Slots::new(LIMITS, false);
    let mut pooled = take(&slots, local());
    pooled.busy(0).unwrap();
    pooled.answered();
    let newer = take(&slots, remote(1));
    pooled.attribute(remote(2), 1).unwrap();
    let _others: Vec<Slot> = (3..10).map(|n| take(&slots, remote(n))).collect();
    assert!(pooled.is_evicted() && !newer.is_evicted());
    assert_eq!(pooled.attribute(remote(3), 1), Err(Refused::Unauthenticated));
}

#[test]
fn downloads_do_not_block_the_handshakes_of_their_address() {
    let slots = Slots::new(
        SlotLimits {
            max_unauthenticated_per_address: 8,
            max_unauthenticated: 2_048,
            max_connections: 4_096,
        },
        false,
    );
    let mut all: Vec<Slot> = (0..8).map(|_| take_busy(&slots, remote(1))).collect();
    let downloading = all.iter_mut().filter_map(|slot| slot.downloading().ok()).count();
    assert_eq!(downloading, 4);
    // The others are refused, which frees their slots.
    all.truncate(4);
    take_busy(&slots, remote(1));
}

#[test]
fn silence_is_short_while_places_are_scarce() {
    let slots = Slots::new(LIMITS, false);
    let few: Vec<Slot> = (0..4).map(|n| take(&slots, remote(n))).collect();
    let _fifth = slots.take(remote(4), 2 * PATIENCE_MS).unwrap();
    assert_eq!(slots.take_evictions(), 0, "half is not more than half");
    let _sixth = slots.take(remote(5), PATIENCE_MS - 1).unwrap();
    assert_eq!(slots.take_evictions(), 0);
    let _seventh = slots.take(remote(6), PATIENCE_MS).unwrap();
    assert_eq!(slots.take_evictions(), 2);
    assert!(few[0].is_evicted() && few[1].is_evicted() && !few[2].is_evicted());
}

#[test]
fn a_new_socket_evicts_few_of_many_that_are_silent() {
    let slots = Slots::new(LIMITS, false);
    let _crowd: Vec<Slot> = (0..8).map(|n| take(&slots, remote(n))).collect();
    // Four sockets are beyond half of the slots, twice as many as one new socket evicts.
    let _new = slots.take(remote(8), PATIENCE_MS).unwrap();
    assert_eq!(slots.take_evictions(), MAX_IMPATIENT as u64);
}

#[test]
fn an_address_with_half_of_the_places_gets_none_of_the_last_quarter() {
    let slots = Slots::new(LIMITS, false);
    let connect = |address| {
        slots.take(address, 0).map(|mut slot| {
            slot.busy(0).unwrap();
            slot.authenticated();
            slot
        })
    };
    let near: Vec<Slot> = (0..12).map(|_| connect(local()).unwrap()).collect();
    assert_eq!(connect(local()).unwrap_err(), Refused::Connections);
    let far: Vec<Slot> = (0..4).map(|_| connect(remote(1)).unwrap()).collect();
    assert_eq!((near.len(), far.len(), slots.connections()), (12, 4, 16));
    assert_eq!(connect(remote(2)).unwrap_err(), Refused::Connections);
}

#[test]
fn a_gateway_that_serves_only_its_machine_gives_it_all_places() {
    let slots = Slots::new(LIMITS, true);
    let connect = || {
        slots.take(local(), 0).map(|mut slot| {
            slot.busy(0).unwrap();
            slot.authenticated();
            slot
        })
    };
    let all: Vec<Slot> = (0..16).map(|_| connect().unwrap()).collect();
    assert_eq!(connect().unwrap_err(), Refused::Connections);
    assert_eq!(slots.connections(), all.len());
}

#[tokio::test]
async fn an_eviction_is_reported_to_a_later_listener() {
    let slots = Slots::new(
        SlotLimits {
            max_unauthenticated: 1,
            ..LIMITS
        },
        false,
    );
    let old = take(&slots, remote(1));
    let _new = take(&slots, remote(2));
    old.eviction().await;
    assert!(old.is_evicted());
}

#[test]
fn downloads_are_bounded_in_all_and_per_address() {
    let limits = SlotLimits {
        max_connections: 64,
        max_unauthenticated: 32,
        max_unauthenticated_per_address: 32,
    };
    assert_eq!((limits.downloads(), limits.downloads_per_address(false)), (8, 2));
    let slots = Slots::new(limits, false);
    let mut all: Vec<Slot> = (0..16).map(|n| take_busy(&slots, remote(n / 3))).collect();
    let waits: Vec<bool> = all.iter_mut().map(|slot| slot.downloading().is_ok()).collect();
    // Two of each address, eight in all.
    let expected: Vec<bool> = (0..16).map(|n| n < 12 && n % 3 < 2).collect();
    assert_eq!(waits, expected);
    assert_eq!(all[0].downloading(), Ok(()), "it waits already");

    // Read, or gone: another one's turn.
    assert_eq!(all[2].downloading(), Err(Refused::Downloads));
    all[0].answered();
    assert_eq!(all[2].downloading(), Ok(()));
    all[3].release();
    assert_eq!(all[5].downloading(), Ok(()));
    assert_eq!(all[12].downloading(), Err(Refused::Downloads));
    drop(all);
    let counts = slots.counts();
    assert_eq!(counts.all, Tally::default());
    assert!(counts.shares.is_empty());
}

#[test]
fn there_is_always_one_download() {
    for (unauthenticated, downloads) in [
        (1, (1, 1)),
        (4, (1, 1)),
        (2_048, (256, 64)),
        (1_000_000, (256, 64)),
    ] {
        let limits = SlotLimits {
            max_unauthenticated: unauthenticated,
            ..LIMITS
        };
        assert_eq!(
            (limits.downloads(), limits.downloads_per_address(true)),
            downloads
        );
        assert_eq!(limits.downloads_per_address(false), 1, "half of two slots");
    }
}

#[test]
fn an_address_has_a_quarter_of_the_places_for_large_messages() {
    let slots = Slots::new(
        SlotLimits {
            max_unauthenticated_per_address: 8,
            ..LIMITS
        },
        false,
    );
    let of_one: Vec<Slot> = (0..5).map(|_| take(&slots, remote(1))).collect();
    let mut places: Vec<_> = of_one
        .iter()
        .map(|slot| slot.large_place().now_or_never())
        .collect();
    let taken: Vec<bool> = places.iter().map(Option::is_some).collect();
    assert_eq!(taken, [true, true, true, true, false]);
    let other = take(&slots, remote(2));
    assert!(other.large_place().now_or_never().is_some());
    places.clear();
    assert!(of_one[4].large_place().now_or_never().is_some());
}
