//! Recordings: read by two readers, written again, replayed to moments, and shrunk.

mod second;

use presence_core::Now;
use presence_core::findings::FindingKind;
use presence_core::recording::{Bounds, Header, Line, Reader, Recording, Replay, shrink};

/// Most lines of an input that is shrunk.
const MAX_SHRUNK: usize = 32;

/// Runs the operations of `presence-gateway replay`.
///
/// # Panics
/// When the readers disagree, a line changes by being read and written, a moment differs from that of a replay up to it,
/// or the shrunk inputs do not give the finding.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(mut reader) = Reader::new(text) else {
        assert!(Recording::open(text).is_err());
        return;
    };
    let header = reader.header().clone();
    let written = serde_json::to_string(&header).expect("a header can be written");
    let again = Reader::new(&written).map(|reader| reader.header().clone());
    assert_eq!(again.as_ref(), Ok(&header));

    let mut texts = text.split_inclusive('\n');
    second::check_header(texts.next().unwrap_or_default(), &header);
    let (mut lines, mut since_ms) = (Vec::<Line>::new(), header.at);
    for text in texts {
        let read = reader.next().expect("a line or its error");
        second::check_line(text, &header, since_ms, &read);
        let Ok(line) = read else { break };
        since_ms = line.at;
        lines.push(line);
    }
    assert!(reader.next().is_none());
    for line in &lines {
        let written = serde_json::to_string(line).expect("a line can be written");
        let again: Line = serde_json::from_str(&written).expect("a written line can be read");
        assert_eq!(&again, line);
    }
    let mut recording = Recording::open(text).expect("it has a header");
    let span_ms = recording.end().age_ms.saturating_sub(header.at);
    for after_ms in [span_ms, span_ms / 2, 0] {
        check_moment(&mut recording, &header, &lines, after_ms);
    }
    if lines.len() <= MAX_SHRUNK && recording.problem().is_none() {
        check_shrunk(&header, &lines, recording.end());
    }
}

fn check_moment(recording: &mut Recording, header: &Header, lines: &[Line], after_ms: u64) {
    let mut moment = recording
        .at(after_ms, Bounds::default())
        .expect("the bounds of the recording");
    if moment.problem.is_none() {
        let until_ms = header.at.saturating_add(after_ms);
        let mut replay = Replay::new(header);
        for line in lines.iter().take_while(|line| line.at <= until_ms) {
            replay.step(line).expect("a moment without a problem");
        }
        let now = replay.now();
        replay.pass(now.after(until_ms.saturating_sub(now.age_ms)));
        assert_eq!(moment.replay.digest(), replay.digest());
        assert_eq!(moment.replay.list(), replay.list());
    }
    moment.replay.explain();
    let small = Bounds {
        ttl_ms: Some(1_000),
        max_entries: Some(2),
    };
    let mut small = recording.at(after_ms, small).expect("bounds of a gateway");
    assert!(small.problem.is_some() || small.replay.list().len() <= 2);
}

fn check_shrunk(header: &Header, lines: &[Line], until: Now) {
    for kind in FindingKind::OF_LISTS {
        let Some(shrunk) = shrink(header, lines, until, kind) else {
            continue;
        };
        let mut replay = Replay::new(header);
        for line in &shrunk.lines {
            replay.step(line).expect("the inputs that are left");
        }
        let is_found = replay.found().iter().any(|found| *found.finding == *kind.code());
        assert!(is_found, "{}", kind.code());
    }
}
