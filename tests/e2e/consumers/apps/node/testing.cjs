const { PresenceClient } = require("openclaw-presence");
const { TestGateway } = require("openclaw-presence/testing");

import("./tested.js").then(async ({ tested }) => {
  console.log(JSON.stringify(await tested({ PresenceClient, TestGateway })));
});
