//! `explain`: explains why a row is listed as it is.

use presence_core::client::{ClientConfig, Mirror};
use presence_core::model::key::PresenceKey;
use presence_core::model::{ObjectText, RawEntry};
use serde_json::value::{RawValue, to_raw_value};

use super::client::{Link, client_info, in_time};
use super::doctor::{EXPLAIN, has_explain, listed, snapshot};
use super::explanation::text;
use super::finding;
use super::options::ExplainOptions;
use super::options::Target;
use super::output::print_json;
use super::screen::{Screen, cut};
use super::{Failure, print, printable};

/// Most rows that an error names.
const MAX_NAMED: usize = 5;
const LISTED_BY: &str = "`presence-gateway list` prints the rows";
/// Most columns of a row's name in an error.
const MAX_NAME: usize = 40;

pub(super) async fn explain(options: &ExplainOptions) -> Result<(), Failure> {
    let target = Target::new(&options.client)?;
    let mut link = Link::new(target.clone(), ClientConfig::new(client_info()))?;
    let explained = in_time(&target, async {
        link.connect().await?;
        if !has_explain(&link) {
            let mirror = listed(&mut link).await?;
            return of_list(&options.row, &mirror, link.machine().server_ms(link.now()));
        }
        let rows = snapshot(&mut link).await?.rows;
        let rows: Vec<(&str, &RawEntry)> = rows.iter().map(|(key, row)| (&**key, row)).collect();
        let key = resolved(&options.row, &rows, LISTED_BY)?;
        let params = serde_json::json!({ "row": key });
        let params = to_raw_value(&params).map_err(|error| Failure::Other(error.to_string()))?;
        link.call(EXPLAIN, &params).await
    })
    .await;
    link.stop().await;
    let json = explained?;
    if options.json {
        return print_json(&finding::read::<Box<RawValue>>(&json)?);
    }
    print(&text(&finding::read(&json)?, Screen::stdout().columns()))
}

/// The explanation of a row from a list alone, in the form of a gateway's answer.
fn of_list(word: &str, mirror: &Mirror, now_ms: u64) -> Result<Box<str>, Failure> {
    let rows = mirror.rows();
    let rows: Vec<(&str, &RawEntry)> = rows.iter().map(|row| (row.key(), row.entry())).collect();
    of_row(resolved(word, &rows, LISTED_BY)?, mirror, now_ms)
}

/// The same for the row with this key.
pub(super) fn of_row(key: &str, mirror: &Mirror, now_ms: u64) -> Result<Box<str>, Failure> {
    let mut findings = finding::of_list(mirror)?;
    findings.retain(|finding| finding.rows.iter().any(|row| row == key));
    let findings = serde_json::to_string(&findings).map_err(|error| Failure::Other(error.to_string()))?;
    let mut answer = ObjectText::new();
    answer.text("source", "list");
    answer.raw("row", &mirror.explain_json(key, now_ms).unwrap_or_default());
    answer.raw("findings", &findings);
    Ok(answer.end().into())
}

/// The key of the one row that `word` names: as its key, its `instanceId`, its `deviceId`, its `host`, or the start of
/// one of these, whichever names a row first. `listed_by` states what prints the rows.
pub(super) fn resolved<'r>(
    word: &str,
    rows: &[(&'r str, &RawEntry)],
    listed_by: &str,
) -> Result<&'r str, Failure> {
    let Some(wanted) = PresenceKey::parse(word) else {
        return Err(Failure::Usage("ROW is blank".to_owned()));
    };
    let wanted = wanted.as_str();
    let normal = |text: &str| PresenceKey::parse(text).map(|key| key.as_str().to_owned());
    let texts = |(key, row): &(&str, &RawEntry)| {
        let member = |name| row.str(name).and_then(normal);
        [
            normal(key),
            member("instanceId"),
            member("deviceId"),
            member("host"),
        ]
    };
    let known: Vec<_> = rows.iter().map(texts).collect();
    let is_whole = |text: &String| text == wanted;
    let is_start = |text: &String| text.starts_with(wanted);
    let rounds = (0..4)
        .map(|place| (place..place + 1, true))
        .chain([(0..4, false)]);
    for (places, is_exact) in rounds {
        let named = |texts: &[Option<String>; 4]| {
            texts[places.clone()]
                .iter()
                .flatten()
                .any(|text| if is_exact { is_whole(text) } else { is_start(text) })
        };
        let found: Vec<&(&str, &RawEntry)> = rows
            .iter()
            .zip(&known)
            .filter(|(_, texts)| named(texts))
            .map(|(row, _)| row)
            .collect();
        match *found {
            [] => {}
            [(key, _)] => return Ok(key),
            _ => return Err(Failure::Other(several(word, &found))),
        }
    }
    Err(Failure::Other(format!(
        "no row has the key, instanceId, deviceId or host {}; {listed_by}",
        quoted(word)
    )))
}

fn several(word: &str, found: &[&(&str, &RawEntry)]) -> String {
    let name = |(key, row): &(&str, &RawEntry)| match row.str("host") {
        Some(host) => format!("{} ({})", quoted(key), cut(&printable(host), MAX_NAME)),
        None => quoted(key),
    };
    let mut names: Vec<String> = found.iter().take(MAX_NAMED).map(|row| name(row)).collect();
    if found.len() > MAX_NAMED {
        names.push(format!("{} more", found.len() - MAX_NAMED));
    }
    format!(
        "{} rows are called {}; pass a key: {}",
        found.len(),
        quoted(word),
        names.join(", ")
    )
}

fn quoted(text: &str) -> String {
    format!("`{}`", cut(&printable(text), MAX_NAME))
}

#[cfg(test)]
mod tests {
    use presence_core::client::MirrorConfig;

    use super::*;

    const ROWS: [(&str, &str); 5] = [
        ("SELF", r#"{"host":"pi","mode":"gateway","reason":"self"}"#),
        ("mac-1", r#"{"host":"Studio","instanceId":"Mac-1"}"#),
        ("mac-2", r#"{"host":"studio","instanceId":"mac-2"}"#),
        ("c-17", r#"{"host":"tab","deviceId":"D\u00e9vice"}"#),
        ("mac-1x", r#"{"host":"mac-9","instanceId":"mac-1x"}"#),
    ];

    fn key(word: &str) -> Result<String, String> {
        let rows = ROWS.map(|(key, row)| (key, RawEntry::read(row).unwrap()));
        let rows: Vec<_> = rows.iter().map(|(key, row)| (*key, row)).collect();
        resolved(word, &rows, LISTED_BY)
            .map(str::to_owned)
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_row_is_named_by_key_id_host_or_start() {
        for (word, expected) in [
            ("self", "SELF"),
            ("PI", "SELF"),
            (" MAC-1 ", "mac-1"),
            ("mac-1x", "mac-1x"),
            ("tab", "c-17"),
            ("d\u{e9}v", "c-17"),
            ("mac-9", "mac-1x"),
        ] {
            assert_eq!(key(word).as_deref(), Ok(expected), "{word}");
        }
        assert_eq!(
            key("studio").unwrap_err(),
            "failed: 2 rows are called `studio`; pass a key: `mac-1` (Studio), `mac-2` (studio)"
        );
        assert!(
            key("mac-")
                .unwrap_err()
                .starts_with("failed: 3 rows are called `mac-`;")
        );
        assert!(
            key("x\u{1b}")
                .unwrap_err()
                .starts_with("failed: no row has the key, instanceId, deviceId or host `x\u{fffd}`")
        );
        assert_eq!(key(" ").unwrap_err(), "usage: ROW is blank");
    }

    #[test]
    fn a_list_explains_its_rows() {
        let list = r#"[
            {"instanceId":"tab-1","host":"tab","reason":"connect","ts":2000},
            {"instanceId":"tab-1","ip":"10.0.0.7","reason":"disconnect","ts":1000}
        ]"#;
        let mut mirror = Mirror::new(MirrorConfig::default());
        mirror.apply_list(RawEntry::parse_list(list).unwrap(), 2_000);
        let json = of_list("TAB", &mirror, 122_000).unwrap();
        let text = text(&finding::read(&json).unwrap(), usize::MAX);
        for words in [
            "tab (instance:tab-1)\nRows with one instanceId are one instance. The gateway lists 2 rows of it.\n",
            "ip          10.0.0.7  [2]\n",
            "\n[1] list, row 0, 2m ago\n[2] list, row 1, 2m ago\n",
            "\ninfo     A closed connection is listed beside a live one",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}
