// Compares records of runs that must be equal on every target.

import * as assert from "./assert.mjs";

/** Compares two records; the first line that differs says more than two digests. */
export function equalRecords(record, expected) {
  const [lines, wanted] = [record.split("\n"), expected.split("\n")];
  const at = wanted.findIndex((line, index) => line !== lines[index]);
  if (at >= 0) throw new Error(`line ${at + 1} differs:\n  expected ${wanted[at]}\n  found    ${lines[at]}`);
  assert.equal(lines.length, wanted.length, "lines");
}
