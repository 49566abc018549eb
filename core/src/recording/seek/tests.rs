use alloc::string::String;
use alloc::vec::Vec;

use super::{Bounds, LINES_PER_COPY, MAX_COPIES, Recording};
use crate::model::PresenceEntry;
use crate::recording::tests::recorded;
use crate::recording::{Input, Line, ReadError, Reader, Recorder, Redactor, Replay, Step};

/// The state of a replay from the start this many ms after it.
fn plain(text: &str, after_ms: u64, ttl_ms: Option<u64>) -> (Vec<PresenceEntry>, String) {
    let reader = Reader::new(text).unwrap();
    let mut header = reader.header().clone();
    header.ttl_ms = ttl_ms.unwrap_or(header.ttl_ms);
    let until = header.now().after(after_ms);
    let mut replay = Replay::new(&header);
    for line in reader.map(Result::unwrap).filter(|line| line.at <= until.age_ms) {
        let _ = replay.step(&line);
    }
    replay.pass(until);
    (replay.list(), replay.digest())
}

/// A long recording with repeated pongs of `recorded`, which replays fast.
fn long(lines: usize) -> String {
    let (_, text) = recorded();
    let reader = Reader::new(&text).unwrap();
    let (mut recorder, mut long) = Recorder::new(
        &reader.header().config(),
        &Redactor::new([1; 32]),
        reader.header().now(),
    );
    let mut now = reader.header().now();
    for line in reader.map(Result::unwrap).take(40) {
        now = line.now();
        if let Step::Input(input) = line.step {
            long.push_str(&recorder.record(input, now));
        }
    }
    let mut serial = 0;
    while long.lines().count() < lines {
        for _ in 0..1_000 {
            now = now.after(3);
            serial = serial % 40 + 1;
            long.push_str(&recorder.record(Input::Pong(serial), now));
        }
    }
    long
}

#[test]
fn any_moment_in_any_order_is_that_of_a_replay_from_the_start() {
    let (_, text) = recorded();
    let mut recording = Recording::open(text.as_str()).unwrap();
    let length_ms = recording.end().age_ms - recording.header().at;
    assert!(length_ms > 100_000, "{length_ms}");
    assert_eq!(
        (recording.inputs(), recording.missing(), recording.problem()),
        (645, 0, None)
    );
    for step in 0..40 {
        // Forwards and backwards.
        let after_ms = length_ms * (step * 17 % 40) / 39;
        for ttl_ms in [None, Some(60_000), Some(300_000)] {
            let bounds = Bounds {
                ttl_ms,
                max_entries: None,
            };
            let mut moment = recording.at(after_ms, bounds).unwrap();
            let shown = (moment.replay.list(), moment.replay.digest());
            assert_eq!(
                shown,
                plain(&text, after_ms, ttl_ms),
                "after {after_ms} ms, TTL {ttl_ms:?}"
            );
            assert_eq!(moment.problem, None);
        }
    }
    let mut few = recording
        .at(
            u64::MAX,
            Bounds {
                ttl_ms: None,
                max_entries: Some(7),
            },
        )
        .unwrap();
    assert_eq!((few.replay.list().len(), few.max_entries), (7, 7));
    let mut all = recording.at(u64::MAX, Bounds::default()).unwrap();
    assert_eq!(all.replay.now(), recording.end());
    assert!(all.replay.list().len() > 7);
}

/// The recording of `recorded` with a checkpoint after each 100 inputs.
fn with_checkpoints() -> String {
    let (_, text) = recorded();
    let reader = Reader::new(&text).unwrap();
    let start = reader.header().now();
    let (mut recorder, mut text) = Recorder::new(&reader.header().config(), &Redactor::new([1; 32]), start);
    let inputs = reader.map(Result::unwrap).filter_map(|line| match &line.step {
        Step::Input(input) => Some((line.now(), input.clone())),
        _ => None,
    });
    for (n, (now, input)) in inputs.enumerate() {
        text.push_str(&recorder.record(input, now));
        if n % 100 == 99 {
            let checkpoint = recorder.restart(now);
            text.push_str(checkpoint.split_once('\n').unwrap().1);
        }
    }
    text
}

/// The state of a replay from the last checkpoint this many ms after the start, and where it begins.
fn from_checkpoint(text: &str, after_ms: u64) -> (usize, Replay) {
    let mut reader = Reader::new(text).unwrap();
    let mut replay = Replay::new(reader.header());
    let until = reader.header().now().after(after_ms);
    reader.skip_to_checkpoint(until.age_ms);
    let begin = reader.line();
    for line in reader
        .map_while(Result::ok)
        .take_while(|line| line.at <= until.age_ms)
    {
        assert_eq!(replay.step(&line), Ok(()));
    }
    replay.pass(until);
    (begin, replay)
}

#[test]
fn a_moment_is_replayed_from_the_last_checkpoint_before_it() {
    let text = with_checkpoints();
    let mut recording = Recording::open(text.as_str()).unwrap();
    let length_ms = recording.end().age_ms - recording.header().at;
    let mut begins = Vec::new();
    for step in 0..60 {
        let after_ms = length_ms * step / 59;
        let mut moment = recording.at(after_ms, Bounds::default()).unwrap();
        let (begin, mut replay) = from_checkpoint(&text, after_ms);
        assert_eq!(replay.list(), moment.replay.list(), "after {after_ms} ms");
        assert_eq!(replay.explain(), moment.replay.explain(), "after {after_ms} ms");
        assert_eq!(replay.inputs(), moment.replay.inputs());
        begins.push(begin);
    }
    assert!(begins.is_sorted());
    begins.dedup();
    assert_eq!((begins.len(), begins[0]), (7, 1), "{begins:?}");
    for begin in &begins[1..] {
        let line = text.lines().nth(*begin).unwrap();
        assert!(line.contains(r#""start""#), "{line}");
    }
    // Instead of a truncated checkpoint, the previous one is used.
    let last = text.rfind(r#""start""#).unwrap();
    let cut: String = text[last..].split_inclusive('\n').take(9).collect();
    let cut = [&text[..last], &cut].concat();
    assert_eq!(from_checkpoint(&cut, length_ms).0, begins[5]);
    // Lines of other programs do not lead to a wrong place.
    let other = text.replace(r#"{"at":"#, r#"{ "at":"#);
    assert_eq!(
        from_checkpoint(&other, length_ms / 2).1.list(),
        from_checkpoint(&text, length_ms / 2).1.list()
    );
}

#[test]
fn changes_between_two_moments_are_those_of_the_whole_in_that_time() {
    let (_, text) = recorded();
    let mut recording = Recording::open(text.as_str()).unwrap();
    let length_ms = recording.end().age_ms - recording.header().at;
    let (mut whole, left_out) = recording.changes(0, u64::MAX, Bounds::default()).unwrap();
    assert_eq!(left_out, 0);
    let mut parts = Vec::new();
    for n in 0..9 {
        let moments = (length_ms * n / 9, length_ms * (n + 1) / 9);
        parts.extend(
            recording
                .changes(moments.0, moments.1, Bounds::default())
                .unwrap()
                .0,
        );
    }
    // A last input alone is sent up to 30 s late, and a query that begins in between includes it earlier.
    for changes in [&mut parts, &mut whole] {
        changes.retain(|change| !change.text.contains("changed lastInputSeconds from"));
    }
    assert_eq!(parts, whole);
    assert!(whole.len() > 50, "{}", whole.len());
}

#[test]
fn copies_are_few_and_spread_over_the_whole_recording() {
    let text = long((MAX_COPIES + 8) * LINES_PER_COPY);
    let mut recording = Recording::open(text.as_str()).unwrap();
    assert_eq!(recording.problem(), None);
    let copies = &recording.recorded.copies;
    assert!(
        copies.len() <= MAX_COPIES && copies.len() > MAX_COPIES / 2,
        "{}",
        copies.len()
    );
    let lines: Vec<_> = copies.iter().map(|(place, _)| place.line()).collect();
    assert!(
        lines.windows(2).all(|two| two[1] - two[0] == 2 * LINES_PER_COPY),
        "{lines:?}"
    );
    assert!(text.lines().count() - lines[lines.len() - 1] <= 2 * LINES_PER_COPY);
    for after_ms in [0, 5_000, 40_000, 100_000] {
        let mut moment = recording.at(after_ms, Bounds::default()).unwrap();
        assert_eq!(
            (moment.replay.list(), moment.replay.digest()),
            plain(&text, after_ms, None)
        );
    }
}

#[test]
fn an_error_has_its_line_and_earlier_lines_are_shown() {
    let (_, text) = recorded();
    let lines: Vec<&str> = text.lines().collect();
    let cut = &text[..text.len() / 2];
    let cut_at = cut.lines().count();
    let mut recording = Recording::open(cut).unwrap();
    let why = recording.problem().unwrap_or_default();
    assert_eq!(why, alloc::format!("line {cut_at}: it is cut off"));
    assert_eq!(recording.at(0, Bounds::default()).unwrap().problem, None);
    let mut last = recording.at(u64::MAX, Bounds::default()).unwrap();
    assert!(last.problem.is_some());
    assert!(last.replay.list().len() > 20);

    // The first digest of another recording.
    let is_digest = |line: &str| {
        matches!(
            serde_json::from_str(line),
            Ok(Line {
                step: Step::Digest(_),
                ..
            })
        )
    };
    let at = lines.iter().position(|line| is_digest(line)).unwrap();
    let mut line: Line = serde_json::from_str(lines[at]).unwrap();
    line.step = Step::Digest("0000000000000000".into());
    let mut changed = lines.clone();
    let other = serde_json::to_string(&line).unwrap();
    changed[at] = &other;
    let mut recording = Recording::open(changed.join("\n") + "\n").unwrap();
    let why = recording.problem().unwrap_or_default();
    assert!(
        why.starts_with(&alloc::format!("line {}: the digest differs", at + 1)),
        "{why}"
    );
    assert_eq!(recording.end().age_ms, line.at);
    // Other bounds have other digests.
    let bounds = Bounds {
        ttl_ms: Some(60_000),
        max_entries: None,
    };
    assert_eq!(recording.at(u64::MAX, bounds).unwrap().problem, None);

    assert_eq!(Recording::open("").unwrap_err(), ReadError::Empty);
    assert_eq!(Recording::open("[]\n").unwrap_err(), ReadError::NoHeader);
    let bounds = Bounds {
        ttl_ms: Some(0),
        max_entries: None,
    };
    assert_eq!(recording.at(0, bounds).unwrap_err().name(), "ttl_ms");
}

#[test]
fn opening_in_pieces_and_at_once_give_equal_recordings() {
    let (_, text) = recorded();
    for (text, most_lines) in [(&*text, 1), (&*text, 100), (&text[..text.len() / 2], 7)] {
        let mut whole = Recording::open(text).unwrap();
        let mut pieces = Recording::begin(text).unwrap();
        assert_eq!((pieces.inputs(), pieces.problem()), (0, None));
        let (mut steps, mut left) = (0, text.len());
        while left > 0 {
            let now_left = pieces.advance(most_lines);
            assert!(now_left < left, "{now_left} of {left} bytes");
            (steps, left) = (steps + 1, now_left);
            // Replayed moments are available before the rest is replayed.
            let shown_ms = pieces.end().age_ms - pieces.header().at;
            let digest = |recording: &mut Recording| {
                let mut moment = recording.at(shown_ms / 2, Bounds::default()).unwrap();
                moment.replay.digest()
            };
            if steps % 20 == 0 {
                assert_eq!(digest(&mut pieces), digest(&mut whole));
            }
        }
        assert!(steps > 5, "{steps} steps");
        assert_eq!(pieces.advance(most_lines), 0);
        assert_eq!(pieces.problem(), whole.problem());
        assert_eq!((pieces.end(), pieces.inputs()), (whole.end(), whole.inputs()));
    }
}
