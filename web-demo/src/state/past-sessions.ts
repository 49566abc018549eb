import type { PastSession, PresenceClient, PresenceEntry, Status } from "openclaw-presence";

/** The method for a gateway's history. */
export const HISTORY_METHOD = "presence.history";
/** Maximum number of sessions of one request, and of requests for one window. */
const PAGE = 500;
const MAX_PAGES = 4;

/** A period of time, in ms since the Unix epoch. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The sessions of a gateway's history in a window of time. */
export interface SessionWindow extends Window {
  /** Newest first. */
  readonly sessions: readonly PastSession[];
  readonly instances: Readonly<Record<string, PresenceEntry>>;
  /** Whether older sessions were omitted. */
  readonly isCut: boolean;
}

/** A period of a lane with one status. */
export interface Span extends Window {
  readonly status: Exclude<Status, "Left">;
}

/** The sessions of one instance. */
export interface Lane {
  readonly key: string;
  readonly name: string;
  readonly spans: readonly Span[];
  readonly sessions: readonly PastSession[];
}

/** Measures how far the gateway's clock, on which its times are, is ahead of this machine's, in ms. */
export async function requestAhead(client: PresenceClient): Promise<number> {
  const { ts } = await client.request("health");
  return ts - Date.now();
}

/** Requests the sessions of a window, page by page. */
export async function requestSessions(client: PresenceClient, { fromMs, toMs }: Window): Promise<SessionWindow> {
  return { fromMs, toMs, ...(await requestPages(client, { since: fromMs, until: toMs })) };
}

/** Requests sessions page by page; `isCut` if there are more. */
async function requestPages(client: PresenceClient, query: object) {
  const sessions: PastSession[] = [];
  const instances: Record<string, PresenceEntry> = {};
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const params = { ...query, limit: PAGE, ...(cursor !== undefined && { cursor }) };
    const answer = await client.request(HISTORY_METHOD, params);
    sessions.push(...answer.sessions);
    Object.assign(instances, answer.instances);
    cursor = answer.next;
    if (cursor === undefined) break;
  }
  return { sessions, instances, isCut: cursor !== undefined };
}

/** Maximum ages of Active and Idle instances, in ms. */
interface Thresholds {
  readonly activeMs: number;
  readonly idleMs: number;
}

/** Returns one lane per instance, the gateway first. */
export function lanes({ sessions, instances, toMs }: SessionWindow, thresholds: Thresholds, nowMs: number): readonly Lane[] {
  const byKey = new Map<string, PastSession[]>();
  for (const session of sessions) byKey.set(session.key, [...(byKey.get(session.key) ?? []), session]);
  const endMs = Math.min(toMs, nowMs);
  const all = [...byKey].map(([key, own]) => ({
    key,
    name: instances[key]?.host || key,
    spans: own.flatMap((session) => spans(session, thresholds, endMs)),
    sessions: own,
  }));
  const rank = ({ key }: Lane) => (key === "SELF" ? 0 : 1);
  return all.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name) || a.key.localeCompare(b.key));
}

/** Returns the statuses of an instance over time: a connected client was Active as long as it answered. */
function spans({ from, to, seen, connected, silences = [] }: PastSession, thresholds: Thresholds, endMs: number): readonly Span[] {
  const lastMs = to ?? Math.max(endMs, seen);
  const heardMs = to === undefined && connected ? lastMs : seen;
  const quiet = [...silences, [heardMs, lastMs] as const];
  const found: Span[] = [];
  const add = (status: Span["status"], fromMs: number, toMs: number) => {
    if (toMs > fromMs) found.push({ status, fromMs, toMs });
  };
  let startMs = from;
  for (const [quietMs, soundMs] of quiet) {
    const idleMs = Math.min(soundMs, quietMs + thresholds.activeMs);
    const staleMs = Math.min(soundMs, quietMs + thresholds.idleMs);
    add("Active", startMs, idleMs);
    add("Idle", idleMs, staleMs);
    add("Stale", staleMs, soundMs);
    startMs = soundMs;
  }
  return found;
}

/** Returns the time that the instance was present within the window, in ms. */
export function presentMs(lane: Lane, { fromMs, toMs }: Window): number {
  const within = (span: Span) => Math.max(0, Math.min(span.toMs, toMs) - Math.max(span.fromMs, fromMs));
  return lane.spans.reduce((sum, span) => sum + within(span), 0);
}

/** A client that left. */
export interface SeenInstance {
  readonly key: string;
  readonly name: string;
  readonly seenMs: number;
}

/** Requests the clients whose latest session ended, those that were seen last first. */
export async function requestSeen(client: PresenceClient): Promise<readonly SeenInstance[]> {
  const { sessions, instances } = await requestPages(client, { latest: true });
  const gone = sessions.filter(({ to }) => to !== undefined);
  // Pages are ordered by the start of the sessions.
  return gone
    .map(({ key, seen }) => ({ key, name: instances[key]?.host || key, seenMs: seen }))
    .sort((a, b) => b.seenMs - a.seenMs);
}
