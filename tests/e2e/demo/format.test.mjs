// The page's own formats: durations and CSV.

import assert from "node:assert/strict";
import { test } from "node:test";

import { csv } from "../../../web-demo/src/lib/csv.ts";
import { lasted } from "../../../web-demo/src/lib/format.ts";

test("a duration that rounds up to an hour or a day is one", () => {
  const texts = [
    [0, "0 s"], [59_600, "1 min"], [3_599_400, "59 min 59 s"], [3_599_600, "1 h 0 min"], [7_199_600, "2 h 0 min"],
    [11_520_000, "3 h 12 min"], [172_799_600, "2 d 0 h"], [-5, "0 s"],
  ];
  for (const [ms, text] of texts) assert.equal(lasted(ms), text, `${ms} ms`);
});

test("no cell of a CSV file is a formula, in whatever way a spreadsheet separates cells", () => {
  const cells = [
    ["=1+1", "'=1+1"], ["x;=1+1", `"x;'=1+1"`], ['x;"=1+1;"', `"x;""'=1+1;"""`], ['x\t""@y', `"x\t""""'@y"`],
    ["x=1", "x=1"], ['a "b" c', '"a ""b"" c"'],
  ];
  for (const [text, cell] of cells) assert.equal(csv([["name", text]]), `\ufeffname,${cell}\r\n`);
});
