// Both kinds in one process, as when a dependency uses the other kind: neither is in the other's way.
import { createRequire } from "node:module";
import assert from "node:assert/strict";

import { ready, status, platformLabel, PresenceError, Roster } from "openclaw-presence";

import { use } from "./use.js";

const common = createRequire(import.meta.url)("openclaw-presence");
const modules = { ready, status, platformLabel, PresenceError, Roster };
assert.deepEqual(await use(common), await use(modules));
console.log(JSON.stringify(await use(modules)));
