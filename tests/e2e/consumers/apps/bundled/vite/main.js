import { createElement } from "react";
import { createRoot } from "react-dom/client";

import { PresenceClient, ready, status, platformLabel, PresenceError, Roster } from "openclaw-presence";
import "openclaw-presence/element";
import { PresenceProvider, useRoster } from "openclaw-presence/react";

import { live } from "../live.js";
import { use } from "../use.js";

globalThis.live = await live({ PresenceClient, PresenceProvider, useRoster, createElement, createRoot });
globalThis.outcome = await use({ ready, status, platformLabel, PresenceError, Roster });
