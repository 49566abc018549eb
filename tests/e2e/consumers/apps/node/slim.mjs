import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { init, ready, status, platformLabel, PresenceError, Roster } from "openclaw-presence/slim";

import { use } from "./use.js";

try {
  status(0);
  throw new Error("there is no core yet");
} catch (error) {
  if (error.code !== "NOT_READY") throw error;
}
await init(await readFile(createRequire(import.meta.url).resolve("openclaw-presence/core.wasm")));
console.log(JSON.stringify(await use({ ready, status, platformLabel, PresenceError, Roster })));
