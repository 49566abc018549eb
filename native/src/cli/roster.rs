//! The roster as a table: one row per instance.

use presence_core::client::{Mirror, RowView};
use presence_core::model::status::platform_label;

use super::table;

/// The number of columns of every table, without [`VIA`].
pub(super) const COLUMNS: usize = 9;
/// The column for the gateway of a row, if a row is from another gateway.
const VIA: &str = "VIA";
const HEAD: [&str; COLUMNS] = [
    "STATUS",
    "HOST",
    "AGE",
    "IP",
    "VERSION",
    "PLATFORM",
    "MODE",
    "REASON",
    "LAST INPUT",
];
/// Placeholder of newer Mac apps for a last input that they withhold (reference 5.2).
const WITHHELD_SECONDS: u64 = 2_592_000;
const ABSENT: &str = "-";

/// Renders the table at `now_ms` on the gateway's clock. `mark` returns the suffix of a row's name.
pub(super) fn table(mirror: &Mirror, now_ms: u64, mark: impl Fn(&RowView<'_>) -> String) -> String {
    let views = mirror.views(now_ms);
    let via = |view: &RowView<'_>| text(view, "gateway");
    let has_others = views.iter().any(|view| via(view) != ABSENT);
    let rows: Vec<Vec<String>> = views
        .iter()
        .map(|view| {
            let own = cells(view, &mark(view)).into_iter();
            own.chain(has_others.then(|| via(view))).collect()
        })
        .collect();
    let head: Vec<&str> = HEAD.into_iter().chain(has_others.then_some(VIA)).collect();
    table::render(&head, &rows)
}

fn text(view: &RowView<'_>, name: &str) -> String {
    let text = view.entry.str(name).filter(|text| !text.is_empty());
    text.unwrap_or(ABSENT).to_owned()
}

/// Other gateways may send members of other types, so each is read leniently.
pub(super) fn cells(view: &RowView<'_>, mark: &str) -> [String; COLUMNS] {
    let entry = view.entry;
    let text = |name: &str| text(view, name);
    let last_input = entry
        .integer("lastInputSeconds")
        .filter(|seconds| *seconds != WITHHELD_SECONDS);
    [
        view.status.label().to_owned(),
        format!("{}{mark}", text("host")),
        view.age_text.clone().into_owned(),
        text("ip"),
        text("version"),
        entry
            .str("platform")
            .map_or_else(|| ABSENT.to_owned(), platform_label),
        text("mode"),
        view.reason_label.unwrap_or(ABSENT).to_owned(),
        last_input.map_or_else(|| ABSENT.to_owned(), |seconds| format!("{seconds}s ago")),
    ]
}

#[cfg(test)]
mod tests {
    use presence_core::client::MirrorConfig;
    use presence_core::model::RawEntry;

    use super::*;

    fn lines(list: &str, now_ms: u64) -> Vec<String> {
        let mut mirror = Mirror::new(MirrorConfig::default());
        mirror.apply_list(RawEntry::parse_list(list).unwrap(), now_ms);
        let text = table(&mirror, now_ms, |_| String::new());
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_row_is_printed_for_people() {
        let list = r#"[{
            "host": "studio", "ip": "10.0.0.5", "version": "1.2", "platform": "macos 26.1.0", "mode": "ui",
            "reason": "periodic", "lastInputSeconds": 12, "ts": 1000000
        }]"#;
        assert_eq!(
            lines(list, 1_000_000 + 130_000),
            [
                "STATUS  HOST    AGE     IP        VERSION  PLATFORM    MODE  REASON     LAST INPUT",
                "Idle    studio  2m ago  10.0.0.5  1.2      macOS 26.1  ui    Heartbeat  12s ago"
            ]
        );
    }

    #[test]
    fn rows_that_left_are_not_active() {
        let list = r#"[
            {"instanceId": "tab-1", "host": "Tab", "reason": "disconnect", "ts": 1000000},
            {"instanceId": "tab-2", "host": "Two", "reason": "disconnect", "ts": 999990},
            {"instanceId": "tab-2", "host": "Two", "reason": "connect", "ts": 999980}
        ]"#;
        assert_eq!(
            lines(list, 1_000_000 + 119_000),
            [
                "STATUS  HOST  AGE           IP  VERSION  PLATFORM  MODE  REASON      LAST INPUT",
                "Left    Tab   1 minute ago  -   -        -         -     Disconnect  -",
                "Active  Two   1 minute ago  -   -        -         -     Connect     -"
            ]
        );
    }

    #[test]
    fn absent_hidden_and_invalid_members() {
        let list = r#"[{ "ts": 5.5, "lastInputSeconds": 2592000, "host": "", "extra": [1] }]"#;
        let line = lines(list, 0).remove(1);
        let words: Vec<&str> = line.split("  ").filter(|word| !word.is_empty()).collect();
        assert_eq!(
            words.iter().map(|word| word.trim()).collect::<Vec<_>>(),
            ["Active", "-", "just now", "-", "-", "-", "-", "-", "-"]
        );
    }

    #[test]
    fn rows_of_other_gateways_name_their_gateway() {
        let list = r#"[
            {"instanceId": "a", "host": "here", "ts": 1000000},
            {"instanceId": "b", "host": "there", "gateway": "home", "ts": 1000000}
        ]"#;
        let lines = lines(list, 1_000_000);
        assert!(
            lines[0].ends_with("  VIA") && lines[1].ends_with("  -"),
            "{lines:?}"
        );
        assert!(
            lines[2].contains("there") && lines[2].ends_with("  home"),
            "{lines:?}"
        );
    }

    #[test]
    fn connections_of_one_instance_are_one_row() {
        let list = r#"[
            {"instanceId": "Tab-1", "host": "WebChat", "reason": "connect", "ts": 200000},
            {"instanceId": "tab-1", "ip": "10.0.0.7", "reason": "disconnect", "ts": 100000}
        ]"#;
        let lines = lines(list, 200_000);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(
            lines[1].contains("10.0.0.7") && lines[1].contains("Connect"),
            "{lines:?}"
        );
    }
}
