const { readFileSync } = require("node:fs");
const { initSync, ready, status, platformLabel, PresenceError, Roster } = require("openclaw-presence/slim");

initSync(readFileSync(require.resolve("openclaw-presence/core.wasm")));
import("./use.js").then(async ({ use }) => {
  console.log(JSON.stringify(await use({ ready, status, platformLabel, PresenceError, Roster })));
});
