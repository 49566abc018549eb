const { ready, status, platformLabel, PresenceError, SimulatedGateway, VirtualClock } = require("openclaw-presence");

import("./use.js").then(async ({ use }) => {
  console.log(JSON.stringify(await use({ ready, status, platformLabel, PresenceError, SimulatedGateway, VirtualClock })));
});
