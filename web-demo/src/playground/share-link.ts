import { IDENTITIES, KINDS, NETWORKS } from "./kinds.js";
import { BOUNDS, clientsAdded, isName, isWithin, type Action, type Script } from "./script.js";

/** A world at a moment, as encoded in a link. */
export interface Shared {
  readonly script: Script;
  readonly nowMs: number;
}

/** Maximum length of a link's text. */
const MAX_TEXT = 32_768;

/** Links use whole seconds, to be short. */
const SECOND_MS = 1_000;

/** Encodes a world for the page's address. */
export function encode({ script, nowMs }: Shared): string {
  const actions = script.actions.map(pack);
  const text = JSON.stringify([1, script.ttlMs / SECOND_MS, script.cap, Math.round(nowMs / SECOND_MS), actions]);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Decodes and validates such a text, which is untrusted; `undefined` if it is invalid. */
export function decode(text: string): Shared | undefined {
  if (text.length > MAX_TEXT) return undefined;
  try {
    const parsed: unknown = JSON.parse(atob(text.replaceAll("-", "+").replaceAll("_", "/")));
    if (!Array.isArray(parsed)) return undefined;
    const [version, ttlS, cap, nowS, packed] = parsed as unknown[];
    const ttlMs = inMs(ttlS);
    const nowMs = inMs(nowS);
    if (version !== 1 || !isWithin(ttlMs, BOUNDS.ttlMs) || !isWithin(cap, BOUNDS.cap)) return undefined;
    if (!isWithin(nowMs, BOUNDS.atMs) || !Array.isArray(packed) || packed.length > BOUNDS.actions) return undefined;
    const actions = packed.map(unpack).filter((action) => action !== undefined);
    if (actions.length !== packed.length || clientsAdded(actions) > BOUNDS.clients) return undefined;
    actions.sort((a, b) => a.atMs - b.atMs);
    return { script: { ttlMs, cap, actions }, nowMs };
  } catch {
    return undefined;
  }
}

function pack(action: Action): unknown[] {
  const head = [Math.round(action.atMs / SECOND_MS), action.op, action.id];
  switch (action.op) {
    case "add":
      return [...head, action.kind, action.identity, action.network];
    case "reconnect":
      return [...head, action.network];
    case "crowd":
      return [...head, action.size];
    default:
      return head;
  }
}

function unpack(packed: unknown): Action | undefined {
  if (!Array.isArray(packed)) return undefined;
  const [atS, op, id, first, second, third] = packed as unknown[];
  const atMs = inMs(atS);
  if (!isWithin(atMs, BOUNDS.atMs) || !isWithin(id, BOUNDS.id)) return undefined;
  switch (op) {
    case "add":
      if (!isName(first, KINDS) || !isName(second, IDENTITIES) || !isName(third, NETWORKS)) return undefined;
      return { atMs, op, id, kind: first, identity: second, network: third };
    case "reconnect":
      return isName(first, NETWORKS) ? { atMs, op, id, network: first } : undefined;
    case "crowd":
      return isWithin(first, BOUNDS.size) ? { atMs, op, id, size: first } : undefined;
    case "beacon":
    case "drop":
    case "sleep":
    case "wake":
      return { atMs, op, id };
    default:
      return undefined;
  }
}

function inMs(seconds: unknown): unknown {
  return typeof seconds === "number" ? seconds * SECOND_MS : undefined;
}
