import type { FindingReport, PresenceClient } from "openclaw-presence";

const METHOD = "presence.explain";
/** Minimum interval of requests, in ms: a list can change twenty times a second. */
const PAUSE_MS = 5_000;
/** Interval of requests without a change of the list, in ms: a gateway's memory changes too. */
const REFRESH_MS = 30_000;

interface Answer {
  readonly findings: readonly FindingReport[];
  readonly findingsLeftOut?: number;
}

/** Findings from a gateway's memory, which finds more than its list alone. OpenClaw's gateways have no such memory. */
export class MemoryFindings {
  #answer: Answer | undefined;
  #client: PresenceClient | undefined;
  /** The connection of the request; answers over another one are dropped. */
  #connId: string | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #isAsking = false;
  #isOutdated = false;

  /** @param notify is called when the findings change. */
  constructor(readonly notify: () => void) {}

  /** The findings; absent where only the list is available. */
  get found(): readonly FindingReport[] | undefined {
    return this.#answer?.findings;
  }

  /** Number of findings omitted from the gateway's answer for lack of room. */
  get leftOut(): number {
    return this.#answer?.findingsLeftOut ?? 0;
  }

  /** Handles a change of the client's connection or list. */
  look(client: PresenceClient): void {
    const { connection } = client;
    const connId = connection.phase === "live" ? connection.connId : undefined;
    if (client !== this.#client || connId !== this.#connId) {
      this.#client = client;
      this.#connId = connId;
      this.#isAsking = false;
      this.#cancel();
    }
    // Without a connection the findings belong to the rows that were last listed.
    if (connection.phase !== "live") return;
    if (!connection.canRead || !connection.methods.includes(METHOD)) return this.#set(undefined);
    this.#isOutdated = true;
    if (!this.#isAsking) this.#plan(PAUSE_MS);
  }

  /** Discards the findings of a gateway. */
  leave(): void {
    this.#cancel();
    this.#client = undefined;
    this.#connId = undefined;
    this.#isAsking = false;
    this.#askedMs = Number.NEGATIVE_INFINITY;
    this.#answer = undefined;
  }

  /** Schedules a request this long after the last one, unless an earlier one is scheduled. */
  #plan(afterMs: number): void {
    const dueMs = Math.max(performance.now(), this.#askedMs + afterMs);
    if (dueMs >= this.#dueMs) return;
    this.#cancel();
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => void this.#ask(), dueMs - performance.now());
  }

  #cancel(): void {
    clearTimeout(this.#timer);
    this.#dueMs = Number.POSITIVE_INFINITY;
  }

  async #ask(): Promise<void> {
    const client = this.#client;
    const connId = this.#connId;
    if (!client || connId === undefined) return;
    this.#cancel();
    this.#isAsking = true;
    this.#isOutdated = false;
    this.#askedMs = performance.now();
    const answer = await client.request(METHOD, undefined).catch(() => undefined);
    if (client !== this.#client || connId !== this.#connId) return;
    this.#isAsking = false;
    this.#set(answer);
    this.#plan(this.#isOutdated ? PAUSE_MS : REFRESH_MS);
  }

  #set(answer: Answer | undefined): void {
    const isSame = JSON.stringify(answer?.findings) === JSON.stringify(this.found);
    if (isSame && (answer?.findingsLeftOut ?? 0) === this.leftOut) return;
    this.#answer = answer;
    this.notify();
  }
}
