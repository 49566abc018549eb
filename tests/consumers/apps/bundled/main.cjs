const { ready, status, platformLabel, PresenceError, SimulatedGateway, VirtualClock } = require("openclaw-presence");
const { use } = require("./use.js");

use({ ready, status, platformLabel, PresenceError, SimulatedGateway, VirtualClock }).then((outcome) => {
  globalThis.outcome = outcome;
});
