const { createElement } = require("react");
const { createRoot } = require("react-dom/client");

const { PresenceClient, ready, status, platformLabel, PresenceError, Roster } = require("openclaw-presence");
require("openclaw-presence/element");
const { PresenceProvider, useRoster } = require("openclaw-presence/react");

const { live } = require("./live.js");
const { use } = require("./use.js");

live({ PresenceClient, PresenceProvider, useRoster, createElement, createRoot })
  .then((seen) => {
    globalThis.live = seen;
    return use({ ready, status, platformLabel, PresenceError, Roster });
  })
  .then((outcome) => {
    globalThis.outcome = outcome;
  });
