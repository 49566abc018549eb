//! The state of the interface, which keys and new rosters change. It reads no clock and does not draw.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use presence_core::model::Status;

use super::super::roster;

/// Most lines of the log.
pub(super) const MAX_LOG: usize = 500;
/// Most lanes of the timeline, and most spans of one.
pub(super) const MAX_LANES: usize = 1_000;
const MAX_SPANS: usize = 64;
/// The windows of the timeline, in minutes.
pub(super) const WINDOWS: [u64; 4] = [5, 15, 60, 240];
/// Rows that a page key moves by.
const PAGE: usize = 10;

/// A displayed row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) key: String,
    pub(super) status: Status,
    pub(super) age_ms: u64,
    /// As in the table of `list`.
    pub(super) cells: [String; roster::COLUMNS],
    /// Numbers of its findings, from 1.
    pub(super) findings: Vec<usize>,
}

impl Row {
    pub(super) fn name(&self) -> &str {
        &self.cells[1]
    }
}

/// The data from the gateway.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    /// The state of the connection.
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
    /// Each with its lines.
    pub(super) findings: Vec<String>,
    /// On the gateway's clock.
    pub(super) now_ms: u64,
    /// Whether the gateway is connected; otherwise the last received data is shown.
    pub(super) is_live: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Backspace,
    Enter,
    Escape,
    Tab,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Interrupt,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Panel {
    #[default]
    Detail,
    Findings,
    Log,
    Timeline,
}

impl Panel {
    pub(super) const ALL: [Self; 4] = [Self::Detail, Self::Findings, Self::Log, Self::Timeline];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Detail => "Detail",
            Self::Findings => "Findings",
            Self::Log => "Log",
            Self::Timeline => "Timeline",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    /// As the gateway lists them, newest first.
    #[default]
    List,
    Host,
    Status,
    Age,
}

impl Sort {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::List => "newest",
            Self::Host => "host",
            Self::Status => "status",
            Self::Age => "oldest",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::List => Self::Host,
            Self::Host => Self::Status,
            Self::Status => Self::Age,
            Self::Age => Self::List,
        }
    }
}

/// The statuses of an instance since it was first seen.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub(super) name: String,
    /// The start and the status of each span; `None` while the instance is not listed or not known.
    spans: VecDeque<(u64, Option<Status>)>,
}

impl Lane {
    /// The status at a moment.
    pub(super) fn at(&self, ms: u64) -> Option<Status> {
        let before = self.spans.iter().rev().find(|(from_ms, _)| *from_ms <= ms);
        before.and_then(|(_, status)| *status)
    }

    fn note(&mut self, now_ms: u64, status: Option<Status>) {
        if self.spans.back().map(|(_, last)| *last) == Some(status) {
            return;
        }
        if self.spans.len() >= MAX_SPANS {
            self.spans.pop_front();
        }
        self.spans.push_back((now_ms, status));
    }

    fn ended_ms(&self) -> Option<u64> {
        self.spans
            .back()
            .and_then(|(from_ms, status)| status.is_none().then_some(*from_ms))
    }
}

/// The state of the interface.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) roster: Roster,
    pub(super) filter: String,
    /// Whether keys go to the filter.
    pub(super) is_typing: bool,
    pub(super) sort: Sort,
    pub(super) panel: Panel,
    /// Lines that the panel is scrolled by.
    pub(super) scroll: u16,
    selected: Option<String>,
    pub(super) log: VecDeque<(u64, String)>,
    pub(super) lanes: BTreeMap<String, Lane>,
    window: usize,
    has_roster: bool,
}

impl Model {
    /// Minutes of the timeline.
    pub(super) fn minutes(&self) -> u64 {
        WINDOWS[self.window]
    }

    /// The rows to show, filtered and sorted.
    pub(super) fn visible(&self) -> Vec<&Row> {
        let wanted = self.filter.to_lowercase();
        let is_wanted = |row: &&Row| {
            let mut texts = row.cells.iter().chain([&row.key]);
            wanted.is_empty() || texts.any(|text| text.to_lowercase().contains(&wanted))
        };
        let mut rows: Vec<&Row> = self.roster.rows.iter().filter(is_wanted).collect();
        match self.sort {
            Sort::List => {}
            Sort::Host => rows.sort_by_cached_key(|row| row.name().to_lowercase()),
            Sort::Status => rows.sort_by_key(|row| row.status as u8),
            Sort::Age => rows.sort_by_key(|row| std::cmp::Reverse(row.age_ms)),
        }
        rows
    }

    /// The place of the selected row among `rows`; the first if it is not among them.
    pub(super) fn place(&self, rows: &[&Row]) -> usize {
        let is_selected = |row: &&Row| Some(&row.key) == self.selected.as_ref();
        rows.iter().position(is_selected).unwrap_or(0)
    }

    /// The key of the row that the detail explains, if it is open.
    pub(super) fn explained(&self) -> Option<&str> {
        let rows = self.visible();
        let row = rows
            .get(self.place(&rows))
            .filter(|_| self.panel == Panel::Detail);
        row.map(|row| &*row.key)
    }

    /// Handles a key; returns whether the program continues.
    pub(super) fn key(&mut self, key: Key) -> bool {
        if key == Key::Interrupt {
            return false;
        }
        if self.is_typing {
            self.type_key(key);
            return true;
        }
        match key {
            Key::Char('q') => return false,
            Key::Char('/') => self.is_typing = true,
            Key::Char('s') => self.sort = self.sort.next(),
            Key::Char('+') => self.window = self.window.saturating_sub(1),
            Key::Char('-') => self.window = (self.window + 1).min(WINDOWS.len() - 1),
            Key::Char('d') | Key::Enter => self.open(Panel::Detail),
            Key::Char('f') => self.open(Panel::Findings),
            Key::Char('l') => self.open(Panel::Log),
            Key::Char('t') => self.open(Panel::Timeline),
            Key::Char('J') => self.scroll = self.scroll.saturating_add(1),
            Key::Char('K') => self.scroll = self.scroll.saturating_sub(1),
            Key::Tab => {
                let at = Panel::ALL.iter().position(|panel| *panel == self.panel);
                self.open(Panel::ALL[at.map_or(0, |at| at + 1) % Panel::ALL.len()]);
            }
            Key::Escape => self.filter.clear(),
            Key::Up | Key::Char('k') => self.go(|at, _| at.saturating_sub(1)),
            Key::Down | Key::Char('j') => self.go(|at, _| at + 1),
            Key::PageUp => self.go(|at, _| at.saturating_sub(PAGE)),
            Key::PageDown => self.go(|at, _| at + PAGE),
            Key::Home => self.go(|_, _| 0),
            Key::End => self.go(|_, last| last),
            _ => {}
        }
        true
    }

    fn type_key(&mut self, key: Key) {
        match key {
            Key::Char(c) => self.filter.push(c),
            Key::Backspace => drop(self.filter.pop()),
            Key::Enter => self.is_typing = false,
            Key::Escape => {
                self.is_typing = false;
                self.filter.clear();
            }
            _ => {}
        }
    }

    fn open(&mut self, panel: Panel) {
        self.panel = panel;
        self.scroll = 0;
    }

    fn go(&mut self, to: impl Fn(usize, usize) -> usize) {
        let rows = self.visible();
        let Some(last) = rows.len().checked_sub(1) else {
            return;
        };
        let key = rows[to(self.place(&rows), last).min(last)].key.clone();
        if self.selected.replace(key) != self.selected {
            self.scroll = 0;
        }
    }

    /// Handles new data from the gateway.
    pub(super) fn take(&mut self, roster: Roster) {
        let now_ms = roster.now_ms;
        if roster.is_live {
            self.log_changes(&roster);
            self.has_roster = true;
        }
        let listed: Vec<&Row> = roster.rows.iter().filter(|_| roster.is_live).collect();
        let keys: BTreeSet<&str> = listed.iter().map(|row| &*row.key).collect();
        for (key, lane) in &mut self.lanes {
            if !keys.contains(&**key) {
                lane.note(now_ms, None);
            }
        }
        for row in listed {
            let lane = self.lanes.entry(row.key.clone()).or_insert_with(|| Lane {
                name: String::new(),
                spans: VecDeque::new(),
            });
            lane.name = row.name().to_owned();
            lane.note(now_ms, Some(row.status));
        }
        let longest_ms = WINDOWS[WINDOWS.len() - 1] * 60_000;
        self.lanes
            .retain(|_, lane| lane.ended_ms().is_none_or(|at_ms| at_ms + longest_ms > now_ms));
        self.bound_lanes();
        self.roster = roster;
    }

    /// Removes the lanes beyond the bound: those that ended first, and those of listed rows last.
    fn bound_lanes(&mut self) {
        let excess = self.lanes.len().saturating_sub(MAX_LANES);
        if excess == 0 {
            return;
        }
        let ended_ms = |lane: &Lane| lane.ended_ms().unwrap_or(u64::MAX);
        let mut lanes: Vec<(u64, &String)> = self
            .lanes
            .iter()
            .map(|(key, lane)| (ended_ms(lane), key))
            .collect();
        let (first, _, _) = lanes.select_nth_unstable(excess);
        let first: Vec<String> = first.iter().map(|(_, key)| (*key).clone()).collect();
        for key in &first {
            self.lanes.remove(key);
        }
    }

    fn log_changes(&mut self, roster: &Roster) {
        if !self.has_roster {
            return;
        }
        let mut before: BTreeMap<&str, &Row> = self.roster.rows.iter().map(|row| (&*row.key, row)).collect();
        let mut lines = Vec::new();
        for row in &roster.rows {
            match before.remove(&*row.key) {
                None => lines.push(format!("+ {} is listed: {}", row.name(), row.status.label())),
                Some(was) if was.status != row.status => lines.push(format!(
                    "~ {}: {} -> {}",
                    row.name(),
                    was.status.label(),
                    row.status.label()
                )),
                Some(_) => {}
            }
        }
        for row in before.values() {
            lines.push(format!("- {} is no longer listed", row.name()));
        }
        for line in lines {
            if self.log.len() >= MAX_LOG {
                self.log.pop_front();
            }
            self.log.push_back((roster.now_ms, line));
        }
    }
}
