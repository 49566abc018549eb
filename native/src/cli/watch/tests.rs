use presence_core::model::Status;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::model::{Key, MAX_LANES, MAX_LOG, Model, Panel, Roster, Row, Sort};
use super::view::draw;

const MINUTE: u64 = 60_000;

fn row(key: &str, host: &str, status: Status, age_ms: u64) -> Row {
    let cells = [
        status.label(),
        host,
        "1m ago",
        "10.0.0.5",
        "2026.9.6",
        "macOS 26.1",
        "ui",
        "Connect",
        "-",
    ];
    Row {
        key: key.to_owned(),
        status,
        age_ms,
        cells: cells.map(str::to_owned),
        findings: Vec::new(),
    }
}

fn explained(key: &str) -> String {
    format!("{key}\nThe key is the instanceId of its handshake.")
}

fn roster(now_ms: u64, rows: Vec<Row>) -> Roster {
    Roster {
        title: "ws://127.0.0.1:18789 · live · 3 instances".to_owned(),
        rows,
        findings: vec!["warning  A client connects again and again.".to_owned()],
        now_ms,
        is_live: true,
    }
}

fn three(now_ms: u64) -> Roster {
    let mut rows = vec![
        row("mac-1", "studio", Status::Active, 5_000),
        row("pi", "Shed pi", Status::Stale, 290_000),
        row("tab", "hall tablet", Status::Left, 60_000),
    ];
    rows[1].findings = vec![1];
    roster(now_ms, rows)
}

fn model() -> Model {
    let mut model = Model::default();
    model.take(three(20 * MINUTE));
    model
}

fn press(model: &mut Model, keys: &str) {
    for c in keys.chars() {
        assert!(model.key(Key::Char(c)), "{c}");
    }
}

fn names(model: &Model) -> Vec<String> {
    model.visible().iter().map(|row| row.name().to_owned()).collect()
}

fn selected(model: &Model) -> String {
    let rows = model.visible();
    rows[model.place(&rows)].key.clone()
}

fn screen(model: &Model, (columns, rows): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal
        .draw(|frame| draw(model, true, &explained, frame))
        .unwrap();
    let text = terminal.backend().to_string();
    let line = |line: &str| line.trim_matches('"').trim_end().to_owned();
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_screen_fits_80_columns_and_24_rows() {
    let screen = screen(&model(), (80, 24));
    assert_eq!(screen, include_str!("screens/detail.txt").trim_end());
}

#[test]
fn the_timeline_shows_what_was_and_what_was_not_seen() {
    let mut model = model();
    for minute in 21..24 {
        model.take(three(minute * MINUTE));
    }
    let mut later = three(24 * MINUTE);
    later.rows.remove(2);
    later.rows[0] = row("mac-1", "studio", Status::Idle, 150_000);
    model.take(later.clone());
    later.now_ms = 25 * MINUTE;
    model.take(later);
    press(&mut model, "t");
    let screen = screen(&model, (80, 24));
    assert_eq!(screen, include_str!("screens/timeline.txt").trim_end());
    press(&mut model, "----");
    let wide = self::screen(&model, (80, 24));
    let unseen = format!("studio{}", " ".repeat(60));
    assert!(wide.contains(&unseen), "{wide}");
    assert_eq!(model.minutes(), 240);
    press(&mut model, "++");
    assert_eq!(model.minutes(), 15);
}

#[test]
fn lanes_beyond_the_bound_are_those_that_ended_first() {
    let mut model = Model::default();
    let rows = |prefix: &str, number: usize| -> Vec<Row> {
        let key = |n: usize| format!("{prefix}{n}");
        (0..number)
            .map(|n| row(&key(n), "host", Status::Active, 0))
            .collect()
    };
    model.take(roster(MINUTE, rows("later", 10)));
    model.take(roster(
        2 * MINUTE,
        [rows("earlier", 10), rows("later", 10)].concat(),
    ));
    model.take(roster(3 * MINUTE, rows("later", 10)));
    model.take(roster(4 * MINUTE, rows("a", MAX_LANES - 5)));
    assert_eq!(model.lanes.len(), MAX_LANES);
    let lanes = |prefix: &str| model.lanes.keys().filter(|key| key.starts_with(prefix)).count();
    assert_eq!(
        (lanes("a"), lanes("later"), lanes("earlier")),
        (MAX_LANES - 5, 5, 0)
    );
    model.take(roster(5 * MINUTE, rows("b", MAX_LANES + 5)));
    assert_eq!(model.lanes.len(), MAX_LANES);
    assert!(model.lanes.keys().all(|key| key.starts_with('b')));
}

#[test]
fn other_sizes_are_drawn_too() {
    let mut model = model();
    for key in "dflt".chars() {
        press(&mut model, &key.to_string());
        for size in [(1, 1), (20, 5), (80, 3), (300, 100)] {
            screen(&model, size);
        }
    }
    assert!(screen(&model, (200, 50)).contains("hall tablet"));
}

#[test]
fn colours_only_repeat_what_words_and_shapes_state() {
    let model = model();
    let colours = |has_colours: bool| {
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        terminal
            .draw(|frame| draw(&model, has_colours, &explained, frame))
            .unwrap();
        let cells = terminal.backend().buffer().content().to_vec();
        let shown: String = cells.iter().map(|cell| cell.symbol()).collect();
        (shown, cells.iter().any(|cell| cell.fg != Color::Reset))
    };
    let (with, without) = (colours(true), colours(false));
    assert_eq!(with.0, without.0);
    assert_eq!((with.1, without.1), (true, false));
}

#[test]
fn rows_are_filtered_by_any_of_their_texts() {
    let mut model = model();
    press(&mut model, "/SHEDq");
    assert_eq!(names(&model), [""; 0]);
    assert!(screen(&model, (80, 24)).contains("0 of 3 shown · sorted by newest · filter: SHEDq_"));
    model.key(Key::Backspace);
    assert_eq!(names(&model), ["Shed pi"]);
    model.key(Key::Enter);
    press(&mut model, "s");
    assert_eq!((&*model.filter, model.sort), ("SHED", Sort::Host));
    model.key(Key::Escape);
    assert_eq!(names(&model), ["hall tablet", "Shed pi", "studio"]);
    press(&mut model, "/left");
    assert_eq!(names(&model), ["hall tablet"]);
    model.key(Key::Escape);
    assert_eq!((model.is_typing, model.visible().len()), (false, 3));
}

#[test]
fn rows_are_sorted() {
    let mut model = model();
    let mut sorted = Vec::new();
    for _ in 0..4 {
        sorted.push((model.sort.name(), names(&model)[0].clone()));
        press(&mut model, "s");
    }
    let expected = [
        ("newest", "studio"),
        ("host", "hall tablet"),
        ("status", "studio"),
        ("oldest", "Shed pi"),
    ];
    assert_eq!(sorted, expected.map(|(sort, name)| (sort, name.to_owned())));
    assert_eq!(model.sort, Sort::List);
}

#[test]
fn the_selection_stays_with_its_row() {
    let mut model = model();
    assert_eq!(selected(&model), "mac-1");
    model.key(Key::Down);
    assert_eq!(selected(&model), "pi");
    press(&mut model, "s");
    assert_eq!(selected(&model), "pi");
    for (key, expected) in [
        (Key::PageDown, "mac-1"),
        (Key::Home, "tab"),
        (Key::Up, "tab"),
        (Key::End, "mac-1"),
        (Key::PageUp, "tab"),
    ] {
        model.key(key);
        assert_eq!(selected(&model), expected, "{key:?}");
    }
    // Its row is gone.
    let mut fewer = three(21 * MINUTE);
    fewer.rows.pop();
    model.take(fewer);
    assert_eq!(selected(&model), "pi");
    model.take(roster(22 * MINUTE, Vec::new()));
    model.key(Key::Down);
    assert!(screen(&model, (80, 24)).contains("No instances match."));
}

#[test]
fn changes_are_logged_while_connected() {
    let mut model = model();
    assert!(model.log.is_empty(), "the first list is no change");
    let mut next = three(21 * MINUTE);
    next.rows[0].status = Status::Idle;
    next.rows.pop();
    next.rows.push(row("new", "phone", Status::Active, 0));
    model.take(next);
    let lines: Vec<&str> = model.log.iter().map(|(_, line)| &**line).collect();
    assert_eq!(
        lines,
        [
            "~ studio: Active -> Idle",
            "+ phone is listed: Active",
            "- hall tablet is no longer listed"
        ]
    );
    press(&mut model, "l");
    assert!(screen(&model, (80, 24)).contains("     0s ago  - hall tablet is no longer listed"));
    let lost = Roster {
        is_live: false,
        ..roster(22 * MINUTE, Vec::new())
    };
    model.take(lost);
    assert_eq!(model.log.len(), 3);
    for n in 0..MAX_LOG as u64 {
        let key = format!("k{n}");
        model.take(roster(23 * MINUTE, vec![row(&key, &key, Status::Active, 0)]));
    }
    assert_eq!(model.log.len(), MAX_LOG);
}

#[test]
fn panels_and_the_end() {
    let mut model = model();
    let mut panels = Vec::new();
    for _ in 0..4 {
        model.key(Key::Tab);
        panels.push(model.panel);
    }
    let expected = [Panel::Findings, Panel::Log, Panel::Timeline, Panel::Detail];
    assert_eq!(panels, expected);
    press(&mut model, "fJJK");
    assert_eq!(model.scroll, 1);
    press(&mut model, "K");
    assert!(screen(&model, (80, 24)).contains("warning  A client connects again and again."));
    assert!(!model.key(Key::Char('q')));
    press(&mut model, "/q");
    assert_eq!(model.filter, "q");
    assert!(!model.key(Key::Interrupt));
}
