import type { RosterSnapshot } from "./types.js";

/** The roster of a client that was never started, and of every client on a server that renders. */
export const EMPTY_SNAPSHOT: RosterSnapshot = Object.freeze({
  rows: Object.freeze([]),
  hasList: false,
  isOffline: true,
  connection: Object.freeze({ phase: "stopped" }),
});
