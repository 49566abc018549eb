// Type-checks the page's TypeScript: the bundler only strips types.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

test("the page has no type errors", () => {
  const folder = fileURLToPath(new URL("../../../web-demo", import.meta.url));
  const args = ["../node_modules/typescript/bin/tsc"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
});
