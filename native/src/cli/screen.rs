//! Draws a live view: in place on a terminal, as consecutive blocks elsewhere.

use std::io::{self, IsTerminal};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::output::write;

/// Columns and rows of a terminal that does not report its size.
const DEFAULT_SIZE: (usize, usize) = (80, 24);

/// Stdout as a place for one view.
#[derive(Debug)]
pub(super) struct Screen {
    is_terminal: bool,
    /// The lines drawn last.
    drawn: Vec<String>,
}

impl Screen {
    pub(super) fn stdout() -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            // On Windows escape sequences would have to be enabled first.
            is_terminal: cfg!(unix) && !is_dumb && io::stdout().is_terminal(),
            drawn: Vec::new(),
        }
    }

    /// Whether views are drawn in place.
    pub(super) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// The longest line that does not wrap, in columns.
    pub(super) fn columns(&self) -> usize {
        if self.is_terminal { size().0 } else { usize::MAX }
    }

    /// Draws a view unless it is unchanged.
    ///
    /// # Errors
    /// The error of stdout: a broken pipe when the reader is gone.
    pub(super) fn draw(&mut self, lines: Vec<String>) -> io::Result<()> {
        let lines = if self.is_terminal {
            fitted(lines, size())
        } else {
            lines
        };
        if lines == self.drawn {
            return Ok(());
        }
        let text = if self.is_terminal {
            over(self.drawn.len(), &lines)
        } else {
            block(self.drawn.is_empty(), &lines)
        };
        self.drawn = lines;
        write(&text)
    }
}

/// A block; a blank line separates blocks.
fn block(is_first: bool, lines: &[String]) -> String {
    let gap = if is_first { "" } else { "\n" };
    format!("{gap}{}\n", lines.join("\n"))
}

/// Moves to the first drawn line and draws over it. Clears the rest of each line and everything below the last.
fn over(drawn: usize, lines: &[String]) -> String {
    let mut text = String::new();
    if drawn > 0 {
        text.push_str(&format!("\x1b[{drawn}A\r"));
    }
    for line in lines {
        text.push_str(line);
        text.push_str("\x1b[K\n");
    }
    text.push_str("\x1b[J");
    text
}

/// Cuts lines so that they neither wrap nor scroll: both would move the view.
fn fitted(mut lines: Vec<String>, (columns, rows): (usize, usize)) -> Vec<String> {
    let room = rows.saturating_sub(1).max(2);
    if lines.len() > room {
        let hidden = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(format!("... {hidden} more lines; this terminal has too few rows"));
    }
    lines.iter().map(|line| cut(line, columns)).collect()
}

/// Wraps words into indented lines of at most this many columns.
pub(super) fn wrapped(text: &str, indent: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    lines
}

/// The line, or its beginning and an ellipsis where it has more columns.
pub(super) fn cut(line: &str, columns: usize) -> String {
    if line.width() <= columns {
        return line.to_owned();
    }
    let mut cut = String::new();
    let mut width = 0;
    for c in line.chars() {
        width += c.width().unwrap_or(0);
        if width >= columns {
            break;
        }
        cut.push(c);
    }
    cut.push('…');
    cut
}

#[cfg(unix)]
fn size() -> (usize, usize) {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => DEFAULT_SIZE,
    }
}

#[cfg(not(unix))]
fn size() -> (usize, usize) {
    DEFAULT_SIZE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_terminal_is_drawn_over_line_by_line() {
        assert_eq!(over(0, &lines(&["a"])), "a\x1b[K\n\x1b[J");
        assert_eq!(over(3, &lines(&["a", "b"])), "\x1b[3A\ra\x1b[K\nb\x1b[K\n\x1b[J");
    }

    #[test]
    fn elsewhere_blocks_follow_each_other() {
        assert_eq!(block(true, &lines(&["a", "b"])), "a\nb\n");
        assert_eq!(block(false, &lines(&["c"])), "\nc\n");
    }

    #[test]
    fn words_are_wrapped_between_words() {
        assert_eq!(
            wrapped("one two three", "  ", 9),
            lines(&["  one two", "  three"])
        );
        assert_eq!(wrapped("one two", "", usize::MAX), lines(&["one two"]));
    }

    #[test]
    fn nothing_wraps_or_scrolls() {
        let long = lines(&["日本日本", "12345678", "c", "d", "e"]);
        let fitted = fitted(long, (6, 4));
        assert_eq!(fitted.len(), 3);
        assert_eq!(fitted[..2], lines(&["日本…", "12345…"]));
        assert!(fitted.iter().all(|line| line.width() <= 6));
    }
}
