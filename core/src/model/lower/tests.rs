use alloc::format;
use alloc::vec::Vec;

use super::*;

/// Whether the compiler's tables are of the version that ours are of.
fn is_same_unicode() -> bool {
    char::UNICODE_VERSION == (17, 0, 0)
}

#[test]
fn ascii_and_special_characters_do_not_depend_on_the_compiler() {
    for (text, lowered) in [
        ("Inst-A 09", "inst-a 09"),
        ("\u{130}", "i\u{307}"),
        ("ΑΘΗΝΑΣ", "αθηνας"),
        ("ΣΑΣ'Σ Σ", "σασ'ς σ"),
        ("\u{10400}\u{1e9e}\u{212a}", "\u{10428}\u{df}k"),
        ("東京", "東京"),
    ] {
        assert_eq!(lower(text), lowered);
    }
}

#[test]
fn every_character_as_the_standard_library_has_it() {
    if !is_same_unicode() {
        return;
    }
    for c in '\0'..=char::MAX {
        let text = String::from(c);
        assert_eq!(lower(&text), text.to_lowercase(), "{c:?}");
        assert!(lower_char(c).eq(c.to_lowercase()), "{c:?}");
    }
}

#[test]
fn the_tables_are_what_the_standard_library_gives() {
    if !is_same_unicode() {
        return;
    }
    let is_final = |text: &str| text.to_lowercase().ends_with(FINAL_SIGMA);
    let is_cased = |c: char| is_final(&format!("{c}\u{3a3}"));
    let is_skipped = |c: char| !is_cased(c) && is_final(&format!("a{c}\u{3a3}"));
    let (runs, distances) = lower_tables();
    assert_eq!(runs, tables::RUNS);
    assert_eq!(distances, tables::DISTANCES);
    let mut kinds = ranges(is_cased, true);
    kinds.extend(ranges(is_skipped, false));
    kinds.sort_unstable();
    assert_eq!(kinds, tables::KINDS);
}

/// Runs and their distances, as the tables pack them.
fn lower_tables() -> (Vec<u32>, Vec<i32>) {
    let mapped: Vec<(u32, i32)> = ('\u{80}'..=char::MAX)
        .filter_map(|c| {
            let mut lower = c.to_lowercase();
            let (first, rest) = (lower.next()?, lower.next());
            (rest.is_none() && first != c).then_some((c as u32, first as i32 - c as i32))
        })
        .collect();
    let (mut runs, mut distances, mut at) = (Vec::new(), Vec::new(), 0);
    while let Some(&(start, distance)) = mapped.get(at) {
        let run = |step: u32| {
            let fits = |&(n, letter): &(usize, &(u32, i32))| *letter == (start + step * n as u32, distance);
            mapped[at..].iter().enumerate().take_while(fits).count()
        };
        let (length, is_spaced) = if run(2) > run(1) {
            (run(2), true)
        } else {
            (run(1), false)
        };
        runs.push(packed(start, is_spaced, length as u32));
        distances.push(distance);
        at += length;
    }
    (runs, distances)
}

fn ranges(holds: impl Fn(char) -> bool, is_letter: bool) -> Vec<u32> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for c in ('\0'..=char::MAX).filter(|&c| holds(c)).map(u32::from) {
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == c => *end = c,
            _ => ranges.push((c, c)),
        }
    }
    ranges
        .into_iter()
        .map(|(start, end)| packed(start, is_letter, end - start))
        .collect()
}

fn packed(start: u32, flag: bool, length: u32) -> u32 {
    assert!(length < 1 << 10, "the length of {start:x} does not fit");
    start << 11 | u32::from(flag) << 10 | length
}

/// Sigmas beside letters, what is skipped and other characters, in all orders of up to six.
#[test]
fn every_context_of_a_sigma_as_the_standard_library_has_it() {
    if !is_same_unicode() {
        return;
    }
    let parts = ["Σ", "α", "'", "\u{301}", "1", "\u{10400}"];
    for length in 1..=6 {
        for number in 0..parts.len().pow(length) {
            let part = |at: u32| parts[number / parts.len().pow(at) % parts.len()];
            let text: String = (0..length).map(part).collect();
            assert_eq!(lower(&text), text.to_lowercase(), "{text}");
        }
    }
}
