//! The evidence of a finding without numbers, durations and names.

use alloc::string::String;
use alloc::vec::Vec;

use crate::recording::Expected;

/// Words beside numbers and quoted texts, which differ between findings of one cause.
const COUNTED: [&str; 2] = ["more", "days"];
/// The shortest significant word.
const MIN_WORD: usize = 4;

/// The words of the last sentence, which names the cause where there are several.
pub(super) fn outline(found: &Expected) -> Vec<String> {
    let sentence = found.evidence.last().map_or("", |sentence| sentence);
    // Every second part is quoted.
    let plain = sentence.split('"').step_by(2);
    let words = plain.flat_map(|part| part.split(|c: char| !c.is_alphanumeric()));
    words
        .filter(|word| word.chars().all(char::is_alphabetic) && word.len() >= MIN_WORD)
        .filter(|word| !COUNTED.contains(word))
        .map(|word| word.trim_end_matches('s').into())
        .collect()
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn of(sentence: &str) -> Vec<String> {
        outline(&Expected {
            finding: "X".into(),
            rows: vec![],
            evidence: vec!["Another.".into(), sentence.into()],
        })
    }

    #[test]
    fn causes_have_no_numbers_and_names() {
        assert_eq!(
            of(
                r#"The client "a b" connected 20 times, each time with another id: "c", "d" and more, for 2 days."#
            ),
            of(r#"The client "x" connected 1 time, each time with another id: "c", for 59 s."#),
        );
        assert_ne!(
            of("The client or the network between closed most of them."),
            of("The gateway closed most of them because no pong came."),
        );
    }
}
