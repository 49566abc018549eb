import { createElement } from "react";
import { createRoot } from "react-dom/client";

import { PresenceClient, ready, status, platformLabel, PresenceError, Roster } from "openclaw-presence";
import "openclaw-presence/element";
import { PresenceProvider, useRoster } from "openclaw-presence/react";
import { readableRoster } from "openclaw-presence/svelte";

import { live } from "./live.js";
import { use } from "./use.js";

// An adapter is another entry: it has to work with the client of this one.
const phases = [];
readableRoster(new PresenceClient(), (roster) => roster.connection.phase).subscribe((phase) => phases.push(phase))();
if (phases.join() !== "stopped") throw new Error(`the adapter reported ${phases.join()}`);

globalThis.live = await live({ PresenceClient, PresenceProvider, useRoster, createElement, createRoot });
globalThis.outcome = await use({ ready, status, platformLabel, PresenceError, Roster });
