// The page's own formats: CSV.

import assert from "node:assert/strict";
import { test } from "node:test";

import { csv } from "../../web-demo/src/lib/csv.ts";

test("no cell of a CSV file is a formula, in whatever way a spreadsheet separates cells", () => {
  const cells = [
    ["=1+1", "'=1+1"], ["x;=1+1", `"x;'=1+1"`], ['x;"=1+1;"', `"x;""'=1+1;"""`], ['x\t""@y', `"x\t""""'@y"`],
    ["x=1", "x=1"], ['a "b" c', '"a ""b"" c"'],
  ];
  for (const [text, cell] of cells) assert.equal(csv([["name", text]]), `\ufeffname,${cell}\r\n`);
});
