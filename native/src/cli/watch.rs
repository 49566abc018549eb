//! `watch`: shows the connected clients live, on a terminal as an interface with keys, elsewhere as blocks of text.

mod detail;
mod model;
mod plain;
mod terminal;
#[cfg(test)]
mod tests;
mod view;

use std::io::IsTerminal;

use super::Failure;
use super::options::WatchOptions;
use super::screen::Screen;

pub(super) async fn watch(options: &WatchOptions) -> Result<(), Failure> {
    if options.plain || !std::io::stdin().is_terminal() || !Screen::stdout().is_terminal() {
        plain::watch(&options.client).await
    } else {
        terminal::watch(&options.client).await
    }
}
