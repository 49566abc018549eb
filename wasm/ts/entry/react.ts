"use client";

/**
 * `openclaw-presence/react`. The exports are listed because bundlers refuse `export *` in a module with `"use client"`.
 */
import "../load/inline.js";

export {
  PresenceProvider,
  useConnection,
  useOwnRow,
  usePresenceClient,
  usePresenceRow,
  useRoster,
  type PresenceProviderProps,
} from "../react.js";
