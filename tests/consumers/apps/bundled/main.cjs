const { ready, status, platformLabel, PresenceError, Roster } = require("openclaw-presence");
const { use } = require("./use.js");

use({ ready, status, platformLabel, PresenceError, Roster }).then((outcome) => {
  globalThis.outcome = outcome;
});
