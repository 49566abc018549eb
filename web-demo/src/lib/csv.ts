/**
 * The start of a formula: at the start of a cell, or after a character that separates cells in spreadsheets of some
 * languages. There, quotes may be in between: {@link cell} doubles them, and `""=1` is the formula `=1`.
 */
const FORMULA = /((?:^|[;|\t\r\n])"*)(?=[=+\-@\t\r\n＝＋－＠])/g;

/**
 * Writes a table as CSV (RFC 4180), with the mark from which spreadsheets recognize UTF-8. Cells come from untrusted
 * clients: an apostrophe in front of a formula makes it a text.
 */
export function csv(rows: readonly (readonly string[])[]): string {
  return `\ufeff${rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("")}`;
}

function cell(text: string): string {
  const safe = text.replace(FORMULA, "$1'");
  return /[",;|\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
