import { ready, status, platformLabel, PresenceError, Roster } from "openclaw-presence";

import { use } from "./use.js";

globalThis.outcome = await use({ ready, status, platformLabel, PresenceError, Roster });
