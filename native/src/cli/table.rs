//! An aligned table for a terminal.

use unicode_width::UnicodeWidthStr;

use super::printable;
use super::screen::cut;

/// The widest a cell may be, in columns.
const MAX_WIDTH: usize = 40;

/// Lines of a table; the last column is not padded. Control characters cannot get through, and long
/// cells are cut.
pub(super) fn render(head: &[&str], rows: &[Vec<String>]) -> String {
    let head = head.iter().map(|cell| (*cell).to_owned()).collect();
    let cells: Vec<Vec<String>> = std::iter::once(&head)
        .chain(rows)
        .map(|row| row.iter().map(|cell| cut(&printable(cell), MAX_WIDTH)).collect())
        .collect();
    let mut widths = vec![0; head.len()];
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let mut text = String::new();
    for row in &cells {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_width_not_by_bytes() {
        let rows = [
            vec!["Pétérs Mac".to_owned(), "x".to_owned()],
            vec!["日本".to_owned(), "y".to_owned()],
        ];
        let text = render(&["HOST", "B"], &rows);
        assert_eq!(text, "HOST        B\nPétérs Mac  x\n日本        y\n");
    }

    #[test]
    fn control_characters_in_cells_are_replaced() {
        let rows = [vec!["\u{1b}[31mred\n".to_owned(), "x".repeat(100)]];
        let text = render(&["A", "B"], &rows);
        assert!(!text.contains('\u{1b}') && text.lines().count() == 2, "{text}");
        assert!(
            text.lines().all(|line| line.width() <= 2 * MAX_WIDTH + 2),
            "{text}"
        );
    }
}
