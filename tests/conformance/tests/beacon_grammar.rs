//! The grammar of a beacon's text, by hand in the core, reads as the regular expression it was
//! measured to be (reference 1.5).

use presence_conformance::model::text::parsed_text;
use presence_core::model::beacon::{Beacon, parse_text};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;

/// A text that follows the grammar, in its smallest parts.
const WHOLE: &str = "Node:| |h| |(|10.0.0.5|)| |·| |app| |1.2| |·| |last input| |7|s ago| |·| |mode| |ui| |·| |reason| |launch";

/// Parts that matter somewhere, and strangers.
const PARTS: &[&str] = &[
    "Node:",
    "node:",
    " ",
    "\t",
    "\n",
    "\u{85}",
    "\u{feff}",
    "",
    "h",
    "(",
    ")",
    "()",
    "·",
    "app",
    "APP",
    "1",
    "last input",
    "last  input",
    "7s ago",
    "s ago",
    "mode",
    "reason",
    "x",
    "é",
    "Node: h (1) · app 1 · ",
    "last input 7s ago · mode m · reason ",
    "\u{17f}",
];

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    /// Texts that follow the grammar but for one part, and any mixture of parts.
    #[test]
    fn grammar_is_the_regular_expression(
        parts in prop::collection::vec(select(PARTS), 0..24),
        is_whole in any::<bool>(),
        broken in 0..40_usize,
        by in select(PARTS),
    ) {
        let mut words = parts;
        if is_whole {
            words = WHOLE.split('|').collect();
            if broken < words.len() {
                words[broken] = by;
            }
        }
        let text = Beacon::new(&words.concat()).text;
        let read = parse_text(&text).map(|p| {
            let texts = [p.host, p.ip, p.version, p.mode, p.reason].map(str::to_owned);
            (texts, p.last_input_seconds)
        });
        let expected = parsed_text(&text).map(|p| ([p.host, p.ip, p.version, p.mode, p.reason], p.last_input_seconds));
        prop_assert_eq!(read, expected, "{:?}", text);
    }
}
