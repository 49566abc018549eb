import type { Identity, KindName, Network } from "./kinds.js";

/** A scheduled action in the simulated world, at a moment in ms after its start. */
export type Action =
  | { readonly atMs: number; readonly op: "add"; readonly id: number; readonly kind: KindName; readonly identity: Identity; readonly network: Network }
  | { readonly atMs: number; readonly op: "beacon" | "drop" | "sleep" | "wake"; readonly id: number }
  | { readonly atMs: number; readonly op: "reconnect"; readonly id: number; readonly network: Network }
  | { readonly atMs: number; readonly op: "crowd"; readonly id: number; readonly size: number };

/** An action without a time. */
export type Deed = Action extends infer A ? (A extends Action ? Omit<A, "atMs"> : never) : never;

/** A whole world: its gateway's bounds and all actions. A script is deterministic. */
export interface Script {
  readonly ttlMs: number;
  readonly cap: number;
  /** In chronological order. */
  readonly actions: readonly Action[];
}

/** Bounds of scripts, including those from links. */
export const BOUNDS = {
  ttlMs: { least: 10_000, most: 3_600_000 },
  cap: { least: 2, most: 200 },
  atMs: { least: 0, most: 6 * 3_600_000 },
  id: { least: 1, most: 999 },
  size: { least: 1, most: 200 },
  actions: 300,
  /** Maximum number of clients ever added, including those of crowds. */
  clients: 1_000,
} as const;

/** A world without actions. */
export const EMPTY_SCRIPT: Script = { ttlMs: 300_000, cap: 200, actions: [] };

/** Returns the script with an additional action, after those of the same moment. */
export function withAction(script: Script, action: Action): Script {
  const actions = [...script.actions, action].sort((a, b) => a.atMs - b.atMs);
  return { ...script, actions };
}

/** Returns the script without an action, and without actions on a client that would no longer be added. */
export function withoutAction(script: Script, action: Action): Script {
  const isAdding = action.op === "add" || action.op === "crowd";
  const actions = script.actions.filter((other) => other !== action && !(isAdding && other.id === action.id));
  return { ...script, actions };
}

/** Returns the number of clients that the actions add. */
export function clientsAdded(actions: readonly Action[]): number {
  return actions.reduce((sum, action) => sum + (action.op === "crowd" ? action.size : Number(action.op === "add")), 0);
}

/** Returns an unused client number. */
export function freeId({ actions }: Script): number {
  return Math.max(0, ...actions.map(({ id }) => id)) + 1;
}

/** Whether a number is within bounds. */
export function isWithin(value: unknown, { least, most }: { readonly least: number; readonly most: number }): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}

/** Whether a value is one of the names. */
export function isName<T extends string>(value: unknown, names: Readonly<Record<T, unknown>>): value is T {
  return typeof value === "string" && Object.hasOwn(names, value);
}
