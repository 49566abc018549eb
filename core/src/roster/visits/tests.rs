use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use super::*;

fn at(age_ms: u64) -> Now {
    Now {
        age_ms,
        wall_ms: 1_000_000 + age_ms,
    }
}

fn row(key: &str, stay: Option<u64>) -> RowState {
    let stay = stay.map(|since_ms| Stay {
        id: since_ms,
        since_ms,
    });
    RowState {
        key: key.to_string(),
        entry: format!("{{\"host\":\"{key}\"}}").into(),
        stay,
        has_left: false,
        seen_ms: 1,
    }
}

fn ended(key: &str, stay: Option<u64>, why: StayEnd) -> RowEvent {
    RowEvent::Ended {
        key: key.to_string(),
        stay: stay.map(|since_ms| Stay {
            id: since_ms,
            since_ms,
        }),
        seen_ms: 5,
        at_ms: 6,
        why,
        entry: None,
    }
}

fn changes(events: Vec<RowEvent>, rows: Vec<RowState>) -> RowChanges {
    RowChanges {
        events,
        rows,
        ..RowChanges::default()
    }
}

/// `+a` for a join of `a`, `-a closed` for its leave.
fn words(visits: &[Visit]) -> Vec<String> {
    let word = |visit: &Visit| match visit.left {
        None => format!("+{}", visit.key),
        Some(left) => format!("-{} {}", visit.key, left.why.as_str()),
    };
    visits.iter().map(word).collect()
}

fn closed(key: &str) -> RowState {
    RowState {
        has_left: true,
        ..row(key, None)
    }
}

#[test]
fn a_join_and_a_leave_are_reported_once() {
    let mut visits = Visits::new(0, 0);
    let all = changes(vec![], vec![row("SELF", Some(1)), row("a", Some(2))]);
    let joined = visits.apply(all, at(0));
    assert_eq!(words(&joined), ["+a"]);
    assert_eq!(&*joined[0].entry, r#"{"host":"a"}"#);
    assert_eq!(joined[0].joined_ms, 2);
    let again = changes(vec![], vec![row("a", Some(2))]);
    assert_eq!(visits.apply(again, at(1)), []);
    let gone = changes(vec![ended("a", Some(2), StayEnd::Silent)], vec![closed("a")]);
    let left = visits.apply(gone, at(2));
    assert_eq!(words(&left), ["-a silent"]);
    let end = left[0].left.unwrap();
    assert_eq!((end.at_ms, end.seen_ms, left[0].joined_ms), (6, 5, 2));
    let expired = changes(vec![ended("a", None, StayEnd::Expired)], vec![]);
    assert_eq!(visits.apply(expired, at(3)), []);
    assert_eq!(visits.poll_timeout(), None);
}

#[test]
fn a_reconnect_within_the_grace_period_is_not_a_leave() {
    let mut visits = Visits::new(1_000, 0);
    visits.apply(changes(vec![], vec![row("a", Some(2)), row("b", Some(2))]), at(0));
    let gone = || {
        let ends = ["a", "b"].map(|key| ended(key, Some(2), StayEnd::Closed));
        changes(ends.into(), vec![closed("a"), closed("b")])
    };
    assert_eq!(visits.apply(gone(), at(10)), []);
    assert_eq!(visits.poll_timeout(), Some(1_010));
    assert_eq!(
        visits.apply(changes(vec![], vec![row("a", Some(9))]), at(1_000)),
        []
    );
    assert_eq!(visits.handle_timeout(at(1_009)), []);
    assert_eq!(words(&visits.handle_timeout(at(1_010))), ["-b closed"]);
    // The stay that began again ends as the first visit.
    visits.apply(
        changes(vec![ended("a", Some(9), StayEnd::Closed)], vec![closed("a")]),
        at(2_000),
    );
    let left = visits.end();
    assert_eq!((words(&left), left[0].joined_ms), (vec!["-a closed".into()], 2));
    assert_eq!(visits.poll_timeout(), None);
}

#[test]
fn a_join_and_leave_between_two_polls_are_both_reported() {
    let mut visits = Visits::new(0, 0);
    let closing = ended("a", Some(3), StayEnd::Closed);
    let short = changes(vec![closing.clone()], vec![closed("a")]);
    assert_eq!(words(&visits.apply(short, at(0))), ["+a", "-a closed"]);
    // Removed at once, as where there are too many rows.
    let mut removal = ended("a", None, StayEnd::Evicted);
    if let RowEvent::Ended { entry, .. } = &mut removal {
        *entry = Some("{}".into());
    }
    let evicted = changes(vec![closing, removal], vec![]);
    assert_eq!(words(&visits.apply(evicted, at(0))), ["+a", "-a closed"]);
    // A row that never had a connection.
    assert_eq!(
        visits.apply(changes(vec![ended("b", None, StayEnd::Expired)], vec![]), at(0)),
        []
    );
}

#[test]
fn without_a_grace_period_a_reconnect_between_polls_is_a_leave_and_a_join() {
    for (grace_ms, wanted) in [(0, vec!["-a closed", "+a"]), (1, vec![])] {
        let mut visits = Visits::new(grace_ms, 0);
        visits.apply(changes(vec![], vec![row("a", Some(1))]), at(0));
        let back = changes(
            vec![ended("a", Some(1), StayEnd::Closed)],
            vec![row("a", Some(7))],
        );
        assert_eq!(words(&visits.apply(back, at(8))), wanted);
    }
}

#[test]
fn a_visit_keeps_its_key_when_the_row_gets_another() {
    let mut visits = Visits::new(50, 0);
    let rows = vec![row("a", Some(1)), row("b", Some(1)), row("c", Some(1))];
    visits.apply(changes(vec![], rows), at(0));
    let renamed = |from: &str, to: &str| RowEvent::Renamed {
        from: from.to_string(),
        to: to.to_string(),
    };
    let events = vec![ended("b", Some(1), StayEnd::Replaced), renamed("a", "b")];
    let moved = visits.apply(changes(events, vec![row("b", Some(1))]), at(0));
    assert_eq!(words(&moved), ["-b replaced"]);
    let events = vec![ended("b", Some(1), StayEnd::Closed), renamed("b", "d")];
    assert_eq!(visits.apply(changes(events, vec![closed("d")]), at(0)), []);
    assert_eq!(words(&visits.handle_timeout(at(50))), ["-a closed"]);
    // Without an event for the row that had the key.
    assert_eq!(
        words(&visits.apply(changes(vec![renamed("c", "x")], vec![row("x", Some(1))]), at(60))),
        Vec::<String>::new()
    );
    assert_eq!(visits.here.len(), 1);
}

#[test]
fn rows_missing_after_lost_events_left() {
    let mut visits = Visits::new(0, 0);
    visits.apply(changes(vec![], vec![row("a", None), row("b", None)]), at(0));
    let whole = RowChanges {
        is_whole: true,
        lost: 9,
        ..changes(vec![], vec![row("b", None)])
    };
    assert_eq!(words(&visits.apply(whole, at(1))), ["-a lost"]);
    let stated = changes(vec![], vec![closed("b")]);
    assert_eq!(words(&visits.apply(stated, at(2))), ["-b stated"]);
}

#[test]
fn a_close_among_lost_events_is_not_reported_as_stated() {
    let mut visits = Visits::new(0, 0);
    visits.apply(changes(vec![], vec![row("a", Some(1)), row("b", Some(1))]), at(0));
    let whole = RowChanges {
        is_whole: true,
        lost: 9,
        ..changes(
            vec![ended("b", Some(1), StayEnd::Closed)],
            vec![closed("a"), closed("b")],
        )
    };
    assert_eq!(words(&visits.apply(whole, at(1))), ["-b closed", "-a lost"]);
}

#[test]
fn pending_leaves_are_bounded_by_the_size_of_the_roster() {
    for (max_entries, bound) in [(0, MAX_LEAVING), (MAX_LEAVING + 7, MAX_LEAVING + 7)] {
        let mut visits = Visits::new(1_000_000, max_entries);
        for number in 0..bound + 3 {
            let key = format!("{number}");
            visits.apply(changes(vec![], vec![row(&key, Some(1))]), at(0));
            let gone = changes(vec![ended(&key, Some(1), StayEnd::Closed)], vec![]);
            let left = visits.apply(gone, at(number as u64));
            assert_eq!(left.len(), usize::from(number >= bound), "{number}");
        }
        assert_eq!(visits.here.len(), bound);
        assert_eq!(visits.end().len(), bound);
    }
}
