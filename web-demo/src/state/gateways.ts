import { isObservedGateway, rowGateway, rowName, type PresenceRow } from "openclaw-presence";

import { count } from "../lib/format.js";

/** The gateways whose rows a list has. */
export interface Gateways {
  /** The gateway that sent the list. */
  readonly own: string;
  /** Names of the observed gateways, in alphabetical order. */
  readonly observed: readonly string[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Returns the gateways of a list; `undefined` if the list has rows of one gateway only. */
export function gatewaysOf(rows: readonly PresenceRow[]): Gateways | undefined {
  const observed = new Set<string>();
  for (const row of rows) {
    const gateway = rowGateway(row);
    if (gateway !== undefined) observed.add(gateway);
  }
  if (observed.size === 0) return undefined;
  const [self, ...others] = rows.filter(({ isSelf }) => isSelf);
  return { own: self && others.length === 0 ? rowName(self) : "the gateway itself", observed: [...observed].sort() };
}

/** Whether a row is a gateway: the one that sent the list, or one that it observes. */
export function isGateway(row: PresenceRow): boolean {
  return row.isSelf || isObservedGateway(row);
}

/** Whether an observed gateway never answered: its row has only the name that it is observed by (SPEC 7). */
function isNeverReached(row: PresenceRow): boolean {
  return row.host === rowGateway(row) && row.version === undefined && row.platform === undefined;
}

/**
 * Returns a sentence for each unreachable observed gateway: `home: no sign of life for 6 minutes. Its rows are as
 * last heard`.
 */
export function silentGateways(rows: readonly PresenceRow[]): readonly string[] {
  return rows.filter(isObservedGateway).flatMap((row) => {
    const name = rowGateway(row);
    if (row.status === "Stale" && isNeverReached(row)) return `${name}: not reached so far`;
    if (row.status === "Stale") return `${name}: no sign of life for ${roughly(row.ageMs)}. Its rows are as last heard`;
    return row.status === "Left" ? `${name}: the connection to it ended ${row.ageText}. Its rows are as last heard` : [];
  });
}

/** Formats a duration with the accuracy of rows, whose ages change by the minute and later by the hour. */
function roughly(ms: number): string {
  return ms < HOUR_MS ? count(Math.floor(ms / MINUTE_MS), "minute") : count(Math.floor(ms / HOUR_MS), "hour");
}
