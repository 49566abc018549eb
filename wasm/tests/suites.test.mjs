// The suites, in Node.

import "./lib/state-folder.mjs";

import { describe, test } from "node:test";

import * as assert from "./lib/assert.mjs";
import * as internal from "./lib/internal.mjs";
import * as presence from "./lib/presence-node.mjs";
import { SUITES } from "./suites/index.mjs";

for (const [name, suite] of Object.entries(SUITES)) {
  describe(name, () => suite({ test, assert, presence, internal }));
}
