import { ready, status, platformLabel, PresenceError, Roster } from "openclaw-presence";

import { use } from "./use.js";

console.log(JSON.stringify(await use({ ready, status, platformLabel, PresenceError, Roster })));
