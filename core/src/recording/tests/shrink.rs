//! The fewest inputs.

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
    assert_eq!(expected.now(), until);
    assert_eq!(
        shrink(&header, &kept.lines, until, FindingKind::IdSpelling),
        Some(kept.clone())
    );
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
    let changed = |finding| Line::new(until, Step::Expect(finding));
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

/// Without an end, the search would copy each of 200,000 inputs 200,000 times.
#[test]
fn a_search_that_is_too_long_ends_with_what_it_has() {
    let (header, mut lines, until) = lines();
    let end = Line::new(until, Step::Input(Input::Pong(99)));
    lines.extend(vec![end; 200_000]);
    let kept = shrink_within(201_000, &header, &lines, until, FindingKind::IdSpelling).unwrap();
    assert!(!kept.is_least);
    assert!(kept.lines.len() > 200_000, "{}", kept.lines.len());
    let kept = shrink_within(2_000_000, &header, &lines, until, FindingKind::IdSpelling).unwrap();
    assert!(kept.is_least);
    assert_eq!(kept.lines.len(), 3);
}
