//! Draws the state of the interface. A status has a word and a shape, so that it can be read without colours.

use presence_core::model::Status;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Row, Table, TableState, Wrap};

use super::model::{Model, Panel};

/// The columns by the cells of a row, their widths, and the least screen width at which each is shown.
const COLUMNS: [(&str, Constraint, u16); 8] = [
    ("STATUS", Constraint::Length(8), 0),
    ("HOST", Constraint::Fill(1), 0),
    ("AGE", Constraint::Length(12), 0),
    ("IP", Constraint::Length(15), 60),
    ("VERSION", Constraint::Length(10), 100),
    ("PLATFORM", Constraint::Length(12), 114),
    ("MODE", Constraint::Length(8), 68),
    ("REASON", Constraint::Length(12), 80),
];
const KEYS: &str = "/ filter  s sort  up/down select  Tab or d f l t panel  J/K scroll  q quit";
/// Columns of a name in the timeline.
const NAME: usize = 18;

/// Draws the interface. `explain` returns the explanation of the row with a key.
pub(super) fn draw(
    model: &Model,
    has_colours: bool,
    explain: &dyn Fn(&str) -> String,
    frame: &mut Frame<'_>,
) {
    let [title, hint, table, panel, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let rows = model.visible();
    frame.render_widget(Line::from(model.roster.title.as_str()).style(bold()), title);
    let cursor = if model.is_typing { "_" } else { "" };
    let filter = format!(
        "{} of {} shown · sorted by {} · filter: {}{cursor}",
        rows.len(),
        model.roster.rows.len(),
        model.sort.name(),
        if model.filter.is_empty() && !model.is_typing {
            "none"
        } else {
            &model.filter
        },
    );
    frame.render_widget(Line::from(filter), hint);
    draw_table(model, has_colours, frame, table);
    let names = Panel::ALL.map(|panel| {
        let name = panel.name();
        if panel == model.panel {
            format!("[{name}]")
        } else {
            name.to_owned()
        }
    });
    let block = Block::bordered().title(format!(" {} ", names.join(" ")));
    let inside = block.inner(panel);
    frame.render_widget(block, panel);
    match model.panel {
        Panel::Timeline => frame.render_widget(Paragraph::new(timeline(model, inside)), inside),
        other => {
            let text = Paragraph::new(text(model, other, explain)).wrap(Wrap { trim: false });
            frame.render_widget(text.scroll((model.scroll, 0)), inside);
        }
    }
    frame.render_widget(
        Line::from(KEYS).style(Style::new().add_modifier(Modifier::DIM)),
        keys,
    );
}

fn bold() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

fn draw_table(model: &Model, has_colours: bool, frame: &mut Frame<'_>, area: Rect) {
    let rows = model.visible();
    let is_shown = |column: &(usize, (&str, Constraint, u16))| column.1.2 <= area.width;
    let columns: Vec<_> = COLUMNS.into_iter().enumerate().filter(is_shown).collect();
    let lines = rows.iter().map(|row| {
        let marks: String = row.findings.iter().map(|number| format!(" [{number}]")).collect();
        let cells = columns.iter().map(|&(at, _)| match at {
            0 => Span::from(format!("{} {}", shape(Some(row.status)), row.status.label()))
                .style(colour(row.status, has_colours)),
            1 => Span::from(format!("{}{marks}", row.name())),
            at => Span::from(row.cells[at].clone()),
        });
        Row::new(cells)
    });
    let head = columns.iter().map(|(_, (name, ..))| *name);
    let table = Table::new(lines, columns.iter().map(|(_, (_, width, _))| *width))
        .header(Row::new(head).style(bold()))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED))
        .highlight_symbol("> ");
    let selected = (!rows.is_empty()).then(|| model.place(&rows));
    frame.render_stateful_widget(table, area, &mut TableState::new().with_selected(selected));
}

fn colour(status: Status, has_colours: bool) -> Style {
    if !has_colours {
        return Style::new();
    }
    Style::new().fg(match status {
        Status::Active => Color::Green,
        Status::Idle => Color::Yellow,
        Status::Stale => Color::Red,
        Status::Left => Color::DarkGray,
    })
}

fn shape(status: Option<Status>) -> char {
    match status {
        Some(Status::Active) => '█',
        Some(Status::Idle) => '▒',
        Some(Status::Stale) => '░',
        Some(Status::Left) => '·',
        None => ' ',
    }
}

/// The text of a panel.
fn text(model: &Model, panel: Panel, explain: &dyn Fn(&str) -> String) -> String {
    match panel {
        Panel::Findings if model.roster.findings.is_empty() => "No findings.".to_owned(),
        Panel::Findings => model.roster.findings.join("\n"),
        Panel::Log if model.log.is_empty() => "Nothing changed since this program connected.".to_owned(),
        Panel::Log => {
            let now_ms = model.roster.now_ms;
            let line = |(at_ms, text): &(u64, String)| {
                format!("{:>6}s ago  {text}\n", now_ms.saturating_sub(*at_ms) / 1_000)
            };
            model.log.iter().rev().map(line).collect()
        }
        Panel::Detail | Panel::Timeline => {
            let rows = model.visible();
            let row = rows.get(model.place(&rows));
            row.map_or_else(|| "No instances match.".to_owned(), |row| explain(&row.key))
        }
    }
}

/// A lane for each visible row, from the selected one on.
fn timeline(model: &Model, area: Rect) -> Vec<Line<'_>> {
    let columns = u64::from(area.width).saturating_sub(NAME as u64 + 1).max(1);
    let (now_ms, window_ms) = (model.roster.now_ms, model.minutes() * 60_000);
    let rows = model.visible();
    let legend = format!(
        "last {} min (+/-)  █ Active  ▒ Idle  ░ Stale  · Left",
        model.minutes()
    );
    let lane = |row: &&super::model::Row| {
        let lane = model.lanes.get(&row.key)?;
        let bar = (1..=columns).map(|column| {
            let ago_ms = window_ms * (columns - column) / columns;
            shape(now_ms.checked_sub(ago_ms).and_then(|at_ms| lane.at(at_ms)))
        });
        let name = super::super::screen::cut(&lane.name, NAME);
        let gap = " ".repeat((NAME + 1).saturating_sub(Span::from(name.as_str()).width()));
        Some(Line::from(format!("{name}{gap}{}", bar.collect::<String>())))
    };
    let shown = usize::from(area.height).saturating_sub(1);
    let first = model.place(&rows).min(rows.len().saturating_sub(shown));
    let lanes = rows.iter().skip(first).take(shown).filter_map(lane);
    std::iter::once(Line::from(legend)).chain(lanes).collect()
}
