const { ready, status, platformLabel, PresenceError, Roster } = require("openclaw-presence");

import("./use.js").then(async ({ use }) => {
  console.log(JSON.stringify(await use({ ready, status, platformLabel, PresenceError, Roster })));
});
