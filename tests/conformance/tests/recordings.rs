//! The shrunk recordings: each gives the finding that it states, and no input of it can be left out.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use presence_core::findings::FindingKind;
use presence_core::recording::{Expected, Header, Line, Reader, Replay, Step};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/recordings");
    let files = fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().path()).collect()
}

/// The header, the inputs, and the line with the finding.
fn read(text: &str) -> (Header, Vec<Line>, Line) {
    let reader = Reader::new(text).unwrap();
    let header = reader.header().clone();
    let mut inputs: Vec<Line> = reader.map(Result::unwrap).collect();
    let last = inputs.pop().unwrap();
    let is_input = |line: &Line| matches!(line.step, Step::Input(_));
    assert!(inputs.iter().all(is_input) && matches!(last.step, Step::Expect(_)));
    (header, inputs, last)
}

/// The findings with this code at the moment of `last`, without the input at the place `skipped`.
fn found(header: &Header, inputs: &[Line], last: &Line, code: &str, skipped: Option<usize>) -> Vec<Expected> {
    let mut replay = Replay::new(header);
    for (place, line) in inputs.iter().enumerate() {
        if Some(place) != skipped {
            replay.step(line).unwrap();
        }
    }
    replay.pass(last.now());
    let mut found = replay.found();
    found.retain(|found| *found.finding == *code);
    found
}

#[test]
fn each_gives_its_finding_and_has_no_input_too_many() {
    let mut codes = BTreeSet::new();
    for file in files() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        let (header, inputs, last) = read(&text);
        let Step::Expect(expected) = &last.step else {
            panic!("{name}");
        };
        let kind = FindingKind::all()
            .find(|kind| kind.code() == &*expected.finding)
            .unwrap();
        assert_eq!(
            kind.check_id(),
            format!("presence/{}", name.trim_end_matches(".jsonl"))
        );
        let whole = found(&header, &inputs, &last, kind.code(), None);
        assert!(whole.contains(expected), "{name}: {whole:?}");
        for place in 0..inputs.len() {
            let fewer = found(&header, &inputs, &last, kind.code(), Some(place));
            let is_there = fewer.iter().any(|fewer| fewer.evidence == expected.evidence);
            assert!(!is_there, "{name}: line {} can be left out", place + 2);
        }
        let mut replay = Replay::new(&header);
        assert!(replay.step(&last).is_err(), "{name}: the finding needs no input");
        codes.insert(kind.code());
    }
    let of_lists = FindingKind::OF_LISTS.map(FindingKind::code);
    assert!(codes.iter().any(|code| of_lists.contains(code)), "{codes:?}");
    assert!(codes.iter().any(|code| !of_lists.contains(code)), "{codes:?}");
}
