"use client";

/**
 * `openclaw-presence/react`. The exports are listed because bundlers refuse `export *` in a module with `"use client"`.
 */
import "../load/inline.js";

export {
  PresenceProvider,
  useConnection,
  usePresenceClient,
  usePresenceRow,
  useRoster,
  useSelf,
  type PresenceProviderProps,
} from "../react.js";
