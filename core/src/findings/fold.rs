//! Ids as people read them: without case, blanks and Unicode form.

use alloc::string::String;

use crate::model::lower::lower_char;
use crate::model::text::is_invisible;

/// Composed letters with their bases, by the mark that is taken off: canonical decompositions of
/// Unicode for the lower-case letters of Latin, Greek and Cyrillic scripts. Complete tables would be
/// larger than the rest of the client.
const COMPOSED: [(char, &str); 25] = [
    ('\u{300}', "àaèeìiòoùuǜüǹnѐеѝиḕēṑōẁwầâằăềêồôờơừưỳy"),
    (
        '\u{301}',
        "áaéeíióoúuýyćcĺlńnŕrśsźzǘüǵgǻåǽæǿø΅¨ΐϊάαέεήηίιΰϋόούυώωϓϒѓгќкḉçḗēḯïḱkḿmṍõṓōṕpṹũẃw\
              ấâắăếêốôớơứư",
    ),
    ('\u{302}', "âaêeîiôoûuĉcĝgĥhĵjŝsŵwŷyẑzậạệẹộọ"),
    ('\u{303}', "ãañnõoĩiũuṽvẫâẵăẽeễêỗôỡơữưỹy"),
    ('\u{304}', "āaēeīiōoūuǖüǟäǡȧǣæǭǫȫöȭõȱȯȳyḡgḹḷṝṛ"),
    ('\u{306}', "ăaĕeğgĭiŏoŭuйиўуḝȩặạ"),
    ('\u{307}', "ċcėeġgżzȧaȯoḃbḋdḟfḣhṁmṅnṗpṙrṡsṥśṧšṩṣṫtẇwẋxẏyẛſ"),
    ('\u{308}', "äaëeïiöoüuÿyϊιϋυϔϒёеїіḧhṏõṻūẅwẍxẗt"),
    ('\u{309}', "ảaẩâẳăẻeểêỉiỏoổôởơủuửưỷy"),
    ('\u{30a}', "åaůuẘwẙy"),
    ('\u{30b}', "őoűu"),
    ('\u{30c}', "čcďděeľlňnřršsťtžzǎaǐiǒoǔuǚüǧgǩkǯʒǰjȟh"),
    ('\u{30f}', "ȁaȅeȉiȍoȑrȕu"),
    ('\u{311}', "ȃaȇeȋiȏoȓrȗu"),
    ('\u{31b}', "ơoưu"),
    ('\u{323}', "ḅbḍdḥhḳkḷlṃmṇnṛrṣsṭtṿvẉwẓzạaẹeịiọoợơụuựưỵy"),
    ('\u{324}', "ṳu"),
    ('\u{325}', "ḁa"),
    ('\u{326}', "șsțt"),
    ('\u{327}', "çcģgķkļlņnŗrşsţtȩeḑdḩh"),
    ('\u{328}', "ąaęeįiųuǫo"),
    ('\u{32d}', "ḓdḙeḽlṋnṱtṷu"),
    ('\u{32e}', "ḫh"),
    ('\u{330}', "ḛeḭiṵu"),
    ('\u{331}', "ḇbḏdḵkḻlṉnṟrṯtẕzẖh"),
];

const HANGUL_FIRST: u32 = 0xac00;
const HANGUL_LAST: u32 = 0xd7a3;
/// Letters of a Hangul syllable: vowels and endings per initial.
const VOWELS: u32 = 21;
const ENDINGS: u32 = 28;

/// The maximum number of decomposed letters of an id; no real id is longer, and a letter costs a search of
/// the tables.
const MAX_TAKEN_APART: usize = 256;

/// Returns `id` without blanks, in lower case, with letters separated from their marks. Ids with equal
/// skeletons look alike or equal to a person.
pub(crate) fn skeleton(id: &str) -> String {
    let mut skeleton = String::with_capacity(id.len());
    let chars = id.chars().map(to_half_width).filter(|c| !is_blank(*c));
    for (at, c) in chars.enumerate() {
        for c in lower_char(c) {
            if at < MAX_TAKEN_APART {
                take_apart(c, &mut skeleton);
            } else {
                skeleton.push(c);
            }
        }
    }
    skeleton
}

/// Returns `id` without any blanks, visible or not.
pub(super) fn without_blanks(id: &str) -> String {
    id.chars().filter(|c| !is_blank(*c)).collect()
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}

/// Converts full-width ASCII, which input methods of East Asian scripts produce.
fn to_half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{2010}' | '\u{2011}' => '-',
        _ => c,
    }
}

fn take_apart(c: char, out: &mut String) {
    let code = u32::from(c);
    if (HANGUL_FIRST..=HANGUL_LAST).contains(&code) {
        let index = code - HANGUL_FIRST;
        let ending = index % ENDINGS;
        let letters = [
            0x1100 + index / (VOWELS * ENDINGS),
            0x1161 + index % (VOWELS * ENDINGS) / ENDINGS,
            0x11a7 + ending,
        ];
        let count = if ending == 0 { 2 } else { 3 };
        out.extend(
            letters
                .iter()
                .take(count)
                .filter_map(|&letter| char::from_u32(letter)),
        );
        return;
    }
    match base_and_mark(c) {
        Some((base, mark)) => {
            take_apart(base, out);
            out.push(mark);
        }
        None => out.push(c),
    }
}

fn base_and_mark(c: char) -> Option<(char, char)> {
    if c.is_ascii() {
        return None;
    }
    COMPOSED.iter().find_map(|&(mark, pairs)| {
        let mut pairs = pairs.chars();
        while let (Some(composed), Some(base)) = (pairs.next(), pairs.next()) {
            if composed == c {
                return Some((base, mark));
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn forms_of_one_id_have_one_skeleton() {
        for (a, b) in [
            ("Zoé", "zoe\u{301}"),
            ("Østergård", "østerga\u{30a}rd"),
            ("Việt", "vie\u{323}\u{302}t"),
            ("한글", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
            ("ＭＡＣ－１", "mac-1"),
            ("mac 1\u{200b}", "\u{feff}MAC1"),
            ("Йод", "и\u{306}од"),
            ("ά", "α\u{301}"),
        ] {
            assert_eq!(skeleton(a), skeleton(b), "{a}");
        }
    }

    #[test]
    fn different_letters_stay_different() {
        for (a, b) in [
            ("Zoé", "Zoe"),
            ("mac-1", "mac-2"),
            ("mac1", "mac-1"),
            ("å", "a"),
            ("가", "나"),
        ] {
            assert_ne!(skeleton(a), skeleton(b), "{a}");
        }
    }

    #[test]
    fn every_letter_of_the_table_is_decomposed() {
        for (mark, pairs) in COMPOSED {
            assert_eq!(pairs.chars().count() % 2, 0);
            let letters: alloc::vec::Vec<char> = pairs.chars().collect();
            for pair in letters.chunks(2) {
                let mut apart = String::new();
                take_apart(pair[0], &mut apart);
                assert!(apart.ends_with(mark) && apart.chars().count() >= 2);
            }
        }
    }

    #[test]
    fn the_end_of_a_long_id_is_compared_unfolded() {
        let start = "e".repeat(MAX_TAKEN_APART);
        let skeletons = ["\u{e9}", "e\u{301}", "\u{c9} "].map(|end| skeleton(&format!("{start}{end}")));
        assert_ne!(skeletons[0], skeletons[1]);
        assert_eq!(skeletons[0], skeletons[2]);
    }
}
