// The page's TypeScript, which the bundler does not look at.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

test("no type error", () => {
  const folder = fileURLToPath(new URL("../../web-demo", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc"], { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
});
