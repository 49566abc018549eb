//! The fewest inputs.

use super::answers::Lab;
use super::*;
use crate::findings::FindingKind;
use crate::recording::shrink::shrink_within;

fn lines() -> (Header, Vec<Line>, Now) {
    let (_, text) = recorded();
    let reader = Reader::new(&text).unwrap();
    let header = reader.header().clone();
    let lines: Vec<Line> = reader.map(Result::unwrap).collect();
    let until = lines.last().unwrap().now();
    (header, lines, until)
}

#[test]
fn two_of_645_inputs_make_the_finding() {
    let (header, lines, until) = lines();
    let kept = shrink(&header, &lines, until, FindingKind::IdSpelling).unwrap();
    assert!(kept.is_least);
    let [first, second, expected] = &*kept.lines else {
        panic!("{kept:?}");
    };
    let is_join = |line: &Line| matches!(line.step, Step::Input(Input::Join(..)));
    assert!(is_join(first) || is_join(second));
    let Step::Expect(finding) = &expected.step else {
        panic!("{expected:?}");
    };
    assert_eq!((&*finding.finding, finding.rows.len()), ("ID_SPELLING", 2));
    assert_eq!(
        expected.now(),
        second.now(),
        "at the first moment, not the one asked for"
    );
    let again = shrink(&header, &kept.lines, until, FindingKind::IdSpelling);
    assert_eq!(again, Some(kept.clone()));
    assert_eq!(
        shrink(&header, &kept.lines[..1], until, FindingKind::IdSpelling),
        None
    );
}

#[test]
fn what_is_expected_is_verified() {
    let (header, lines, until) = lines();
    let kept = shrink(&header, &lines, until, FindingKind::IdSpelling)
        .unwrap()
        .lines;
    let holds = |lines: &[&Line]| {
        let mut replay = Replay::new(&header);
        lines.iter().all(|line| replay.step(line).is_ok())
    };
    let [first, second, expected] = &*kept else {
        panic!("{kept:?}");
    };
    assert!(holds(&[first, second, expected]));
    assert!(!holds(&[first, expected]));
    let Step::Expect(finding) = &expected.step else {
        panic!("{expected:?}");
    };
    let changed = |finding| Line::new(expected.now(), Step::Expect(finding));
    let mut other = finding.clone();
    other.rows.pop();
    assert!(!holds(&[first, second, &changed(other)]));
    let mut other = finding.clone();
    other.finding = "NEAR_CAP".into();
    assert!(!holds(&[first, second, &changed(other)]));
    let mut other = finding.clone();
    other.evidence = vec!["In other words.".into()];
    assert!(holds(&[first, second, &changed(other)]));
}

/// Without the pongs, fewer inputs would give the finding with another cause: the gateway closes for silence.
#[test]
fn shrinking_keeps_the_cause_of_the_finding() {
    let mut lab = Lab::new();
    let mut lines = Vec::new();
    for _ in 0..8 {
        let (conn, joined) = lab.join_input(Some("Mac-1"));
        lines.push(Line::new(lab.now, Step::Input(joined)));
        lab.pass(6_000);
        lines.push(Line::new(lab.now, Step::Input(Input::Pong(conn.serial))));
        lab.pass(6_000);
        let left = Input::leave(conn.serial, LeaveCause::PeerClosed);
        lines.push(Line::new(lab.now, Step::Input(left)));
        lab.leave(conn);
        lab.pass(1_000);
    }
    let header = Header::new(&config(), &redactor(), START);
    let kept = shrink(&header, &lines, lab.now, FindingKind::Flapping).unwrap();
    let Some(Step::Expect(found)) = kept.lines.last().map(|line| &line.step) else {
        panic!("{kept:?}");
    };
    assert_eq!(
        &*found.evidence[1],
        "The client or the network between closed most of them."
    );
    let leaves = kept.lines.iter().filter(|line| {
        let Step::Input(input) = &line.step else {
            return false;
        };
        matches!(input, Input::Leave(..))
    });
    assert!(leaves.count() >= 3, "{kept:?}");
    assert!(kept.lines.len() <= 13, "{}", kept.lines.len());
    let early = shrink(&header, &lines[..9], lines[8].now(), FindingKind::Flapping);
    assert_eq!(early, None);
}

/// The evicting client is another one than in the whole recording, but the cause is still the size of the list.
#[test]
fn a_full_list_and_one_more_row_cause_an_eviction() {
    let (mut header, lines, until) = lines();
    header.max_entries = 5;
    let kept = shrink(&header, &lines, until, FindingKind::Evictions).unwrap();
    assert!(kept.is_least);
    let inputs = kept.lines.len() - 1;
    assert_eq!(inputs, 5, "beside the gateway's own row: {:?}", kept.lines);
}

/// Without a bound, the search would copy many inputs many times.
#[test]
fn a_search_at_its_limit_returns_the_best_result_so_far() {
    let (header, mut lines, _) = lines();
    let (start, end) = (lines[0].now(), lines.last().unwrap().now());
    let pong = Line::new(start, Step::Input(Input::Pong(99)));
    lines.splice(0..0, vec![pong; 20_000]);
    let kept = shrink_within(30_000, &header, &lines, end, FindingKind::IdSpelling).unwrap();
    assert!(!kept.is_least);
    assert!(kept.lines.len() > 20_000, "{}", kept.lines.len());
    let kept = shrink_within(1_000_000, &header, &lines, end, FindingKind::IdSpelling).unwrap();
    assert!(kept.is_least);
    assert_eq!(kept.lines.len(), 3);
}
