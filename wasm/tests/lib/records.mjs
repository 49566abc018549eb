// Records of runs that must be the same on every target.

import * as assert from "./assert.mjs";

/** The first line that differs says more than two digests do. */
export function equalRecords(record, expected) {
  const [lines, wanted] = [record.split("\n"), expected.split("\n")];
  const at = wanted.findIndex((line, index) => line !== lines[index]);
  if (at >= 0) throw new Error(`line ${at + 1} differs:\n  expected ${wanted[at]}\n  found    ${lines[at]}`);
  assert.equal(lines.length, wanted.length, "lines");
}
