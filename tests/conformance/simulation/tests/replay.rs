//! A recording of a busy minute replays to the digests that it has. `REPLAY_RECORD=path` keeps what a replay shows: in
//! WebAssembly it must be the same.

use presence_core::recording::{Line, Reader, Step};
use presence_simulation::recorded::{shown, text};
use presence_simulation::{BUSY_CLIENTS, BUSY_INPUTS};
use xxhash_rust::xxh3::xxh3_64;

#[test]
fn a_busy_minute_replays_to_the_same_digests() -> std::io::Result<()> {
    let text = text(1, BUSY_CLIENTS, BUSY_INPUTS);
    let lines = Reader::new(&text).unwrap().map(Result::unwrap);
    let digests = lines
        .filter(|Line { step, .. }| matches!(step, Step::Digest(_)))
        .count();
    assert!(digests > 30, "{digests}");
    for what in [
        r#"{"join":"#,
        r#"{"leave":"#,
        r#"{"pong":"#,
        "system-event",
        "presence.alive",
        "presence.activity",
        "wake",
    ] {
        assert!(text.contains(what), "{what}");
    }
    let shown = shown(&text);
    let last = shown.lines().find(|line| line.starts_with("60000 ms")).unwrap();
    assert!(last.contains("10000 inputs"), "{last}");
    if let Some(path) = std::env::var_os("REPLAY_RECORD") {
        std::fs::write(
            path,
            format!("recording {:016x}\n{shown}", xxh3_64(text.as_bytes())),
        )?;
    }
    Ok(())
}
