//! `list`: prints who is connected.

use presence_core::protocol::scope;
use presence_core::status::{Thresholds, age_text, platform_label, reason_label};
use serde_json::Value;

use super::client::{Client, Target};
use super::options::ListOptions;
use super::{Failure, print, table};

const HEAD: [&str; 9] = [
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
/// What newer Mac apps send instead of a last input they do not want to tell (reference 5.2).
const WITHHELD_SECONDS: u64 = 2_592_000;
const ABSENT: &str = "-";

pub(super) async fn list(options: &ListOptions) -> Result<(), Failure> {
    let target = Target::new(&options.client)?;
    let mut client = Client::connect(&target, &[scope::READ], None).await?;
    let payload = client
        .request("system-presence", Some(serde_json::json!({})))
        .await?;
    let now_ms = client.server_wall_ms();
    client.close().await;
    if options.json {
        return print(&format!("{}\n", payload.get()));
    }
    let rows: Vec<Value> = serde_json::from_str(payload.get())
        .map_err(|_| Failure::Other("the gateway's answer is not a list of rows".to_owned()))?;
    let cells: Vec<_> = rows.iter().map(|row| cells(row, now_ms)).collect();
    print(&table::render(HEAD, &cells))
}

/// Other gateways may send what ours never would: read member by member, and leniently.
fn cells(row: &Value, now_ms: u64) -> [String; 9] {
    let text = |name: &str| {
        row[name]
            .as_str()
            .filter(|text| !text.is_empty())
            .unwrap_or(ABSENT)
            .to_owned()
    };
    let number = |name: &str| row[name].as_f64().map(|number| number.max(0.0) as u64);
    let age_ms = number("ts").map(|ts| now_ms.saturating_sub(ts));
    let last_input = number("lastInputSeconds").filter(|seconds| *seconds != WITHHELD_SECONDS);
    let platform = row["platform"]
        .as_str()
        .map_or_else(|| ABSENT.to_owned(), platform_label);
    [
        age_ms
            .map_or(ABSENT, |age_ms| Thresholds::default().status(age_ms).label())
            .to_owned(),
        text("host"),
        age_ms.map_or_else(|| ABSENT.to_owned(), |age_ms| age_text(age_ms).into_owned()),
        text("ip"),
        text("version"),
        platform,
        text("mode"),
        row["reason"].as_str().map_or(ABSENT, reason_label).to_owned(),
        last_input.map_or_else(|| ABSENT.to_owned(), |seconds| format!("{seconds}s ago")),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_as_people_read_it() {
        let row = json!({
            "host": "studio", "ip": "10.0.0.5", "version": "1.2", "platform": "macos 26.1.0", "mode": "ui",
            "reason": "periodic", "lastInputSeconds": 12, "ts": 1_000_000,
        });
        let cells = cells(&row, 1_000_000 + 130_000);
        assert_eq!(
            cells,
            [
                "Idle",
                "studio",
                "2m ago",
                "10.0.0.5",
                "1.2",
                "macOS 26.1",
                "ui",
                "Heartbeat",
                "12s ago"
            ]
        );
    }

    #[test]
    fn what_is_absent_withheld_or_odd() {
        let row = json!({ "ts": 5.5, "lastInputSeconds": 2_592_000, "host": "", "extra": [1] });
        let cells = cells(&row, 0);
        assert_eq!(cells, ["Active", "-", "just now", "-", "-", "-", "-", "-", "-"]);
        assert_eq!(super::cells(&json!({}), 0)[0], "-");
    }
}
