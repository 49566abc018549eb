//! `watch` without keys: blocks of text, or on a terminal a text that is redrawn in place.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::ptr;

use presence_core::client::{Client, ClientConfig, ClientEvent, ClientState, Mirror, RowView};
use presence_core::findings::{Finding, FindingKind};
use presence_core::model::RawEntry;

use crate::cli::client::{Link, client_info, words};
use crate::cli::options::ClientOptions;
use crate::cli::options::Target;
use crate::cli::screen::{Screen, wrapped};
use crate::cli::signals::Signals;
use crate::cli::{Failure, printable, roster};

/// Age texts change at whole minutes.
const AGE_STEP_MS: u64 = 60_000;
/// Indent of the lines below a footnote's title.
const INDENT: &str = "    ";
/// Interval of the countdown to the next attempt on a terminal, in ms.
const COUNTDOWN_MS: u64 = 1_000;

pub(super) async fn watch(options: &ClientOptions) -> Result<(), Failure> {
    let mut link = Link::new(Target::new(options)?, ClientConfig::new(client_info()))?;
    let stop = Signals::new(false)?.wait();
    tokio::pin!(stop);
    let mut screen = Screen::stdout();
    let mut seconds_left = 0;
    link.watch();
    link.start();
    loop {
        let redraw = tokio::time::sleep(std::time::Duration::from_millis(redraw_in_ms(&link, &screen)));
        tokio::select! {
            () = &mut stop => break,
            () = redraw => {}
            event = link.next() => match event {
                ClientEvent::State { state: ClientState::Refused, problem } => {
                    let why = problem.map(|problem| words(&problem)).unwrap_or_default();
                    draw(&mut screen, &link, 0)?;
                    return Err(Failure::Refused(format!("{}: {why}", link.url())));
                }
                ClientEvent::NoReadScope(problem) => {
                    link.stop().await;
                    return Err(Failure::Refused(words(&problem)));
                }
                ClientEvent::State { .. } => seconds_left = countdown(&link),
                _ => {}
            },
        }
        if screen.is_terminal() {
            seconds_left = countdown(&link);
        } else if let ClientState::Idle | ClientState::Connecting | ClientState::Handshaking =
            link.machine().state()
        {
            // Each attempt would print two more blocks without news.
            continue;
        }
        if !draw(&mut screen, &link, seconds_left)? {
            break;
        }
    }
    link.stop().await;
    Ok(())
}

/// Draws; `false` when the reader is gone (`| head`).
fn draw(screen: &mut Screen, link: &Link, seconds_left: u64) -> Result<bool, Failure> {
    let now_ms = link.machine().server_ms(link.now());
    let columns = screen.columns();
    let mut lines = vec![state_line(link.machine(), &link.url(), seconds_left)];
    if let Some(problem) = link.machine().problem() {
        lines.extend(wrapped(&words(problem), "", columns));
    }
    lines.extend(roster_lines(link.machine().mirror(), now_ms, columns));
    match screen.draw(lines) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::Other(format!("cannot write the output: {error}"))),
    }
}

/// Whole seconds to the next attempt.
pub(super) fn countdown(link: &Link) -> u64 {
    match link.machine().state() {
        ClientState::Waiting { at_ms } => at_ms.saturating_sub(link.now().age_ms).div_ceil(1_000),
        _ => 0,
    }
}

/// Time until the view changes without an event.
fn redraw_in_ms(link: &Link, screen: &Screen) -> u64 {
    if screen.is_terminal() && matches!(link.machine().state(), ClientState::Waiting { .. }) {
        return COUNTDOWN_MS;
    }
    let now_ms = link.machine().server_ms(link.now());
    let rows = link.machine().mirror().rows();
    rows.iter()
        .map(|row| AGE_STEP_MS - row.age_ms(now_ms) % AGE_STEP_MS)
        .min()
        .unwrap_or(AGE_STEP_MS)
}

/// The state of the connection and the number of instances.
pub(super) fn state_line(client: &Client, url: &str, seconds_left: u64) -> String {
    let state = match client.state() {
        ClientState::Live => match client.hello() {
            Some(hello) => format!(
                "live (gateway {}, protocol {})",
                printable(&hello.server_version),
                hello.protocol
            ),
            None => "live".to_owned(),
        },
        ClientState::Waiting { .. } => format!("retrying in {seconds_left} s"),
        ClientState::Refused => "refused".to_owned(),
        ClientState::Closed => "closed".to_owned(),
        ClientState::Idle | ClientState::Connecting | ClientState::Handshaking => "connecting".to_owned(),
    };
    let count = count_text(client.mirror());
    let offline = if client.mirror().is_offline() && !client.mirror().is_empty() {
        " as last known"
    } else {
        ""
    };
    format!("{url} · {state}{count}{offline}")
}

/// The number of instances; those that left are counted apart.
fn count_text(mirror: &Mirror) -> String {
    let left = mirror.left_len();
    let left_text = match left {
        0 => String::new(),
        left => format!(", {left} left"),
    };
    match mirror.len() - left {
        0 if left == 0 => String::new(),
        1 => format!(" · 1 instance{left_text}"),
        count => format!(" · {count} instances{left_text}"),
    }
}

/// The table and, below it, its findings.
fn roster_lines(mirror: &Mirror, now_ms: u64, columns: usize) -> Vec<String> {
    if mirror.is_empty() {
        return Vec::new();
    }
    let findings: Vec<Finding> = mirror
        .findings()
        .into_iter()
        // The view shows one row per instance anyway.
        .filter(|finding| finding.kind != FindingKind::StaleDisconnect)
        .collect();
    let raws: Vec<_> = mirror.raw_list().collect();
    // A row of the table can have several raw rows; each of them is stored in one place.
    let mut about: BTreeMap<*const RawEntry, Vec<usize>> = BTreeMap::new();
    for (finding, number) in findings.iter().zip(1..) {
        for raw in finding.rows.iter().filter_map(|&row| raws.get(row)) {
            about.entry(ptr::from_ref(*raw)).or_default().push(number);
        }
    }
    let mark = |view: &RowView<'_>| {
        let own = view.raw.iter().filter_map(|&raw| about.get(&ptr::from_ref(raw)));
        let numbers: BTreeSet<usize> = own.flatten().copied().collect();
        numbers.iter().map(|number| format!(" [{number}]")).collect()
    };
    let mut lines: Vec<String> = roster::table(mirror, now_ms, mark)
        .lines()
        .map(str::to_owned)
        .collect();
    for (finding, number) in findings.iter().zip(1..) {
        let (severity, title) = (finding.severity().as_str(), finding.kind.title());
        let confidence = finding.confidence.as_str();
        let footnote = format!("[{number}] {severity}: {title} ({confidence} confidence)");
        lines.extend(wrapped(&footnote, "", columns));
        for evidence in &finding.evidence {
            lines.extend(wrapped(&printable(evidence), INDENT, columns));
        }
        lines.extend(wrapped(finding.kind.fix(), INDENT, columns));
    }
    lines
}

#[cfg(test)]
mod tests {
    use presence_core::client::MirrorConfig;
    use presence_core::model::RawEntry;

    use super::*;

    #[test]
    fn rows_that_look_like_one_client_get_a_footnote() {
        let list = r#"[
            {"instanceId": "a", "host": "studio", "ip": "10.0.0.5", "version": "1.2", "reason": "connect", "ts": 9},
            {"instanceId": "b", "host": "studio", "ip": "10.0.0.5", "version": "1.2", "reason": "connect", "ts": 8},
            {"instanceId": "c", "host": "other", "ip": "10.0.0.6", "version": "1.2", "reason": "connect", "ts": 7}
        ]"#;
        let mut mirror = Mirror::new(MirrorConfig::default());
        mirror.apply_list(RawEntry::parse_list(list).unwrap(), 10);
        let lines = roster_lines(&mirror, 10, usize::MAX);
        assert!(lines[1].contains("studio [1] "), "{lines:#?}");
        assert!(lines[2].contains("studio [1] "), "{lines:#?}");
        assert!(!lines[3].contains('['), "{lines:#?}");
        let footnote = format!("[1] info: {}", FindingKind::SameMachine.title());
        assert!(lines[4].starts_with(&footnote), "{lines:#?}");
        assert!(lines.last().unwrap().contains(FindingKind::SameMachine.fix()));
    }

    #[test]
    fn rows_that_left_are_counted_apart() {
        let count = |list: &str| {
            let mut mirror = Mirror::new(MirrorConfig::default());
            mirror.apply_list(RawEntry::parse_list(list).unwrap(), 10);
            count_text(&mirror)
        };
        let (here, left) = (
            r#"{"instanceId": "a", "reason": "connect", "ts": 9}"#,
            r#"{"instanceId": "b", "reason": "disconnect", "ts": 9}"#,
        );
        assert_eq!(count("[]"), "");
        assert_eq!(count(&format!("[{here}]")), " · 1 instance");
        assert_eq!(count(&format!("[{here},{left}]")), " · 1 instance, 1 left");
        assert_eq!(count(&format!("[{left}]")), " · 0 instances, 1 left");
    }

    #[test]
    fn an_empty_list_has_no_table() {
        let mirror = Mirror::new(MirrorConfig::default());
        assert_eq!(roster_lines(&mirror, 0, usize::MAX), Vec::<String>::new());
    }
}
