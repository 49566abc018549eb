import { IDENTITIES, KINDS, NETWORKS, type Identity, type KindName, type Network } from "./kinds.js";

/** Something that is done to the simulated world, at a moment in ms from its beginning. */
export type Action =
  | { readonly atMs: number; readonly op: "add"; readonly id: number; readonly kind: KindName; readonly identity: Identity; readonly network: Network }
  | { readonly atMs: number; readonly op: "beacon" | "drop" | "sleep" | "wake"; readonly id: number }
  | { readonly atMs: number; readonly op: "reconnect"; readonly id: number; readonly network: Network }
  | { readonly atMs: number; readonly op: "crowd"; readonly id: number; readonly size: number };

/** An action at no moment yet. */
export type Deed = Action extends infer A ? (A extends Action ? Omit<A, "atMs"> : never) : never;

/** A whole world: its gateway's bounds and all that happens. The same script makes the same world each time. */
export interface Script {
  readonly ttlMs: number;
  readonly cap: number;
  /** In order. */
  readonly actions: readonly Action[];
}

/** Bounds of what may stand in a script, also in one that came by a link. */
export const BOUNDS = {
  ttlMs: { least: 10_000, most: 3_600_000 },
  cap: { least: 2, most: 200 },
  atMs: { least: 0, most: 6 * 3_600_000 },
  id: { least: 1, most: 999 },
  size: { least: 1, most: 200 },
  actions: 300,
  /** Clients that are ever added, those of crowds included. */
  clients: 1_000,
} as const;

/** A world in which nothing happens. */
export const EMPTY_SCRIPT: Script = { ttlMs: 300_000, cap: 200, actions: [] };

/** The script with one more action, after those of the same moment. */
export function withAction(script: Script, action: Action): Script {
  const actions = [...script.actions, action].sort((a, b) => a.atMs - b.atMs);
  return { ...script, actions };
}

/** The script without an action, and without those on a client that then never was. */
export function withoutAction(script: Script, action: Action): Script {
  const isAdding = action.op === "add" || action.op === "crowd";
  const actions = script.actions.filter((other) => other !== action && !(isAdding && other.id === action.id));
  return { ...script, actions };
}

/** How many clients the actions add. */
export function clientsAdded(actions: readonly Action[]): number {
  return actions.reduce((sum, action) => sum + (action.op === "crowd" ? action.size : Number(action.op === "add")), 0);
}

/** A number that no client has. */
export function freeId({ actions }: Script): number {
  return Math.max(0, ...actions.map(({ id }) => id)) + 1;
}

/** Whether a number is within its bounds. */
export function isWithin(value: unknown, { least, most }: { readonly least: number; readonly most: number }): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}

/** Whether a word is one of the names. */
export function isName<T extends string>(value: unknown, names: Readonly<Record<T, unknown>>): value is T {
  return typeof value === "string" && Object.hasOwn(names, value);
}

export { IDENTITIES, KINDS, NETWORKS };
