//! The interface on a terminal: reads keys, follows the gateway, and draws.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use presence_core::client::{ClientConfig, ClientEvent, ClientState};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;

use super::detail::{self, COLUMNS, Detail};
use super::model::{Key, Model, Roster, Row};
use super::{plain, view};
use crate::cli::client::{Link, client_info, words};
use crate::cli::options::ClientOptions;
use crate::cli::options::Target;
use crate::cli::signals::Signals;
use crate::cli::{Failure, finding, printable, roster};

/// Interval of ages and of the countdown to the next attempt.
const TICK: Duration = Duration::from_secs(1);
/// Keys and sizes that may wait.
const MAX_EVENTS: usize = 64;

/// An input of the terminal.
enum Input {
    Key(Key),
    /// Another size, after which all is drawn again.
    Size,
}

pub(super) async fn watch(options: &ClientOptions) -> Result<(), Failure> {
    let mut link = Link::new(Target::new(options)?, ClientConfig::new(client_info()))?;
    let stop = Signals::new(false)?.wait();
    tokio::pin!(stop);
    let failed = |error: io::Error| Failure::Other(format!("cannot use the terminal: {error}"));
    link.watch();
    link.start();
    // A panic restores the terminal too.
    let mut terminal = ratatui::try_init().map_err(failed)?;
    let ended = follow(&mut link, &mut terminal, stop).await;
    ratatui::try_restore().map_err(failed)?;
    link.stop().await;
    ended
}

async fn follow(
    link: &mut Link,
    terminal: &mut DefaultTerminal,
    mut stop: impl Future<Output = ()> + Unpin,
) -> Result<(), Failure> {
    let has_colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut model = Model::default();
    let mut detail = Detail::default();
    let mut keys = keys();
    loop {
        model.take(roster_of(link)?);
        if let Some(key) = model.explained() {
            detail.request(key, link);
        }
        let explain = |key: &str| {
            let text = detail.text(key);
            text.map_or_else(|| detail::of_list(link, key), str::to_owned)
        };
        terminal
            .draw(|frame| view::draw(&model, has_colours, &explain, frame))
            .map_err(|error| Failure::Other(format!("cannot write the output: {error}")))?;
        tokio::select! {
            () = &mut stop => return Ok(()),
            () = tokio::time::sleep(TICK) => {}
            input = keys.recv() => match input {
                Some(Input::Key(key)) if !model.key(key) => return Ok(()),
                Some(_) => {}
                None => return Err(Failure::Other("the terminal is gone".to_owned())),
            },
            event = link.next() => match event {
                ClientEvent::State { state: ClientState::Refused, problem } => {
                    let why = problem.map(|problem| words(&problem)).unwrap_or_default();
                    return Err(Failure::Refused(format!("{}: {why}", link.url())));
                }
                ClientEvent::State { .. } => detail.clear(),
                ClientEvent::Response { id, result } => {
                    detail.answered(id, result.as_deref().ok(), link.now().age_ms);
                }
                ClientEvent::NoReadScope(problem) => return Err(Failure::Refused(words(&problem))),
                _ => {}
            },
        }
    }
}

/// Keys, read by a thread that ends with the program or the terminal.
fn keys() -> mpsc::Receiver<Input> {
    let (sender, receiver) = mpsc::channel(MAX_EVENTS);
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            let input = match event {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    let has_control = key.modifiers.contains(KeyModifiers::CONTROL);
                    key_of(key.code, has_control).map(Input::Key)
                }
                Event::Resize(..) => Some(Input::Size),
                _ => None,
            };
            if let Some(input) = input
                && sender.blocking_send(input).is_err()
            {
                return;
            }
        }
    });
    receiver
}

fn key_of(code: KeyCode, has_control: bool) -> Option<Key> {
    Some(match code {
        KeyCode::Char('c' | 'd') if has_control => Key::Interrupt,
        KeyCode::Char(_) if has_control => return None,
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Tab => Key::Tab,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return None,
    })
}

/// The data of the link, with control characters of peers replaced.
fn roster_of(link: &Link) -> Result<Roster, Failure> {
    let (machine, mirror) = (link.machine(), link.machine().mirror());
    let now_ms = machine.server_ms(link.now());
    let mut title = plain::state_line(machine, &link.url(), plain::countdown(link));
    if let Some(problem) = machine.problem() {
        title = format!("{title} · {}", words(problem));
    }
    let findings = finding::of_list(mirror)?;
    let mut about: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (finding, number) in findings.iter().zip(1..) {
        for key in &finding.rows {
            about.entry(key).or_default().push(number);
        }
    }
    let mut rows = Vec::new();
    for view in mirror.views(now_ms) {
        rows.push(Row {
            key: view.key.to_owned(),
            status: view.status,
            age_ms: view.age_ms,
            cells: roster::cells(&view, "").map(|cell| printable(&cell)),
            findings: about.remove(view.key).unwrap_or_default(),
        });
    }
    let names: BTreeMap<&str, &str> = rows.iter().map(|row| (&*row.key, row.name())).collect();
    let name = |key: &str| names.get(key).map(|&name| name.to_owned());
    Ok(Roster {
        title,
        findings: finding::lines(&findings, &name, COLUMNS),
        rows,
        now_ms,
        is_live: machine.state() == ClientState::Live,
    })
}
