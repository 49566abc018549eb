use alloc::format;
use alloc::vec::Vec;

use super::*;

/// Whether the compiler's tables are of the version that ours are of.
fn is_same_unicode() -> bool {
    char::UNICODE_VERSION == (17, 0, 0)
}

#[test]
fn ascii_and_the_odd_ones_whatever_the_compiler() {
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
    // Above there are no letters with case: the tables' test would tell.
    for c in '\0'..'\u{20000}' {
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
    assert_eq!(lower_table(), tables::LOWER);
    assert_eq!(ranges(is_cased), tables::CASED);
    assert_eq!(ranges(is_skipped), tables::SKIPPED);
}

fn lower_table() -> Vec<u8> {
    let mapped: Vec<(u32, i32)> = ('\u{80}'..=char::MAX)
        .filter_map(|c| {
            let mut lower = c.to_lowercase();
            let (first, rest) = (lower.next()?, lower.next());
            (rest.is_none() && first != c).then_some((c as u32, first as i32 - c as i32))
        })
        .collect();
    let (mut table, mut from, mut at) = (Vec::new(), 0, 0);
    while let Some(&(start, distance)) = mapped.get(at) {
        let run = |step: u32| {
            let fits = |&(n, letter): &(usize, &(u32, i32))| *letter == (start + step * n as u32, distance);
            mapped[at..].iter().enumerate().take_while(fits).count()
        };
        let (length, is_spaced) = if run(2) > run(1) { (run(2), 1) } else { (run(1), 0) };
        push(&mut table, start - from);
        push(&mut table, (length as u32) << 1 | is_spaced);
        push(&mut table, ((distance << 1) ^ (distance >> 31)).cast_unsigned());
        (from, at) = (start, at + length);
    }
    table
}

fn ranges(holds: impl Fn(char) -> bool) -> Vec<u8> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for c in ('\0'..=char::MAX).filter(|&c| holds(c)).map(u32::from) {
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == c => *end = c,
            _ => ranges.push((c, c)),
        }
    }
    let (mut table, mut last) = (Vec::new(), 0);
    for (start, end) in ranges {
        push(&mut table, start - last);
        push(&mut table, end - start);
        last = end;
    }
    table
}

fn push(table: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        table.push(number as u8 | 0x80);
        number >>= 7;
    }
    table.push(number as u8);
}
