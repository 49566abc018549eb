//! Lower case, as `str::to_lowercase` makes it, from tables of eight kilobytes. A character costs at most one binary
//! search among the runs of its block of 128, a sigma one more for each neighbour and for what is skipped.
//!
//! The tables of the standard library take fifteen, which every visitor of a page would download. Own
//! tables also keep keys unchanged when a newer compiler has a newer Unicode.

mod tables;

use alloc::string::String;

/// The one character whose lower case is two: I with a dot above.
const DOTTED_I: char = '\u{130}';
const DOT_ABOVE: char = '\u{307}';
const SIGMA: char = '\u{3a3}';
const SMALL_SIGMA: char = '\u{3c3}';
const FINAL_SIGMA: char = '\u{3c2}';

/// The text in lower case: Unicode's full mapping, with the sigma that ends a word.
///
/// ```
/// use presence_core::model::lower::lower;
/// assert_eq!(lower("ÉCOLE"), "école");
/// assert_eq!(lower("ΑΘΗΝΑΣ"), "αθηνας");
/// ```
#[must_use]
pub fn lower(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut lowered = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c {
            SIGMA if ends_word(text, at) => lowered.push(FINAL_SIGMA),
            SIGMA => lowered.push(SMALL_SIGMA),
            DOTTED_I => lowered.extend(['i', DOT_ABOVE]),
            c if c.is_ascii() => lowered.push(c.to_ascii_lowercase()),
            c => lowered.push(mapped(c)),
        }
    }
    lowered
}

/// The character in lower case: one character or two.
pub fn lower_char(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        DOTTED_I => ('i', Some(DOT_ABOVE)),
        c if c.is_ascii() => (c.to_ascii_lowercase(), None),
        c => (mapped(c), None),
    };
    [Some(first), second].into_iter().flatten()
}

fn mapped(c: char) -> char {
    let wanted = u32::from(c);
    let Some((at, run)) = RUNS.last_from(wanted) else {
        return c;
    };
    let (start, is_spaced, length) = unpacked(run);
    let spacing = u32::from(is_spaced);
    let offset = wanted - start;
    if offset >> spacing >= length || offset & spacing != 0 {
        return c;
    }
    tables::DISTANCES
        .get(at)
        .and_then(|&distance| wanted.checked_add_signed(distance))
        .and_then(char::from_u32)
        .unwrap_or(c)
}

/// Whether the sigma at `at` follows a letter and no letter follows it (Unicode's Final_Sigma).
fn ends_word(text: &str, at: usize) -> bool {
    let Some((before, rest)) = text.split_at_checked(at) else {
        return false;
    };
    is_letter_next(before.chars().rev()) && !is_letter_next(rest.chars().skip(1))
}

fn is_letter_next(chars: impl Iterator<Item = char>) -> bool {
    chars.map(kind).find(|&kind| kind != Kind::Skipped) == Some(Kind::Letter)
}

/// The role of a character beside a sigma.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A letter with case.
    Letter,
    /// Skipped.
    Skipped,
    Other,
}

fn kind(c: char) -> Kind {
    // The most frequent neighbours of a sigma.
    if matches!(c, 'a'..='z' | 'A'..='Z' | 'Α'..='Ρ' | 'Σ'..='ω') {
        return Kind::Letter;
    }
    let wanted = u32::from(c);
    let Some((_, range)) = KINDS.last_from(wanted) else {
        return Kind::Other;
    };
    let (start, is_letter, length) = unpacked(range);
    match (wanted - start <= length, is_letter) {
        (false, _) => Kind::Other,
        (true, true) => Kind::Letter,
        (true, false) => Kind::Skipped,
    }
}

/// Characters of a block of [`Blocks`].
const BLOCK: u32 = 128;
/// Blocks that are indexed: those above hold no letters with case.
const BLOCKS: usize = 0x2_0000 / BLOCK as usize;

/// A table and, by block, the number of entries that begin before the block, so that few are searched.
struct Blocks {
    table: &'static [u32],
    before: [u16; BLOCKS + 1],
}

static RUNS: Blocks = Blocks::new(&tables::RUNS);
static KINDS: Blocks = Blocks::new(&tables::KINDS);

impl Blocks {
    const fn new(table: &'static [u32]) -> Self {
        let mut before = [0; BLOCKS + 1];
        let (mut block, mut entry) = (0, 0);
        while block <= BLOCKS {
            while entry < table.len() && table[entry] >> 11 < block as u32 * BLOCK {
                entry += 1;
            }
            before[block] = entry as u16;
            block += 1;
        }
        Self { table, before }
    }

    /// The last entry that does not begin after `wanted`, and where it is.
    fn last_from(&self, wanted: u32) -> Option<(usize, u32)> {
        let block = ((wanted / BLOCK) as usize).min(BLOCKS);
        let first = usize::from(*self.before.get(block)?);
        let end = self
            .before
            .get(block + 1)
            .map_or(self.table.len(), |&end| end.into());
        let within = self.table.get(first..end)?;
        let at = (first + within.partition_point(|&entry| entry >> 11 <= wanted)).checked_sub(1)?;
        Some((at, *self.table.get(at)?))
    }
}

/// First character, flag and length of a table's entry.
fn unpacked(entry: u32) -> (u32, bool, u32) {
    (entry >> 11, entry & 1 << 10 != 0, entry & 0x3ff)
}

#[cfg(test)]
mod tests;
