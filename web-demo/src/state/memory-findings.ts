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
  /** The connection of the request; answers over another one are dropped. */
  #connId: string | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
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
    if (connId !== this.#connId) {
      this.#connId = connId;
      this.#isAsking = false;
      clearTimeout(this.#timer);
    }
    // Without a connection the findings belong to the rows that were last listed.
    if (connection.phase !== "live") return;
    if (!connection.canRead || !connection.methods.includes(METHOD)) return this.#set(undefined);
    this.#isOutdated = true;
    if (!this.#isAsking) this.#plan(client, PAUSE_MS);
  }

  /** Discards the findings of a gateway. */
  leave(): void {
    clearTimeout(this.#timer);
    this.#connId = undefined;
    this.#isAsking = false;
    this.#askedMs = Number.NEGATIVE_INFINITY;
    this.#answer = undefined;
  }

  /** Schedules the next request this long after the last one. */
  #plan(client: PresenceClient, afterMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(client), Math.max(0, this.#askedMs + afterMs - performance.now()));
  }

  async #ask(client: PresenceClient): Promise<void> {
    const connId = this.#connId;
    this.#isAsking = true;
    this.#isOutdated = false;
    this.#askedMs = performance.now();
    const answer = await client.request(METHOD, undefined).catch(() => undefined);
    if (connId !== this.#connId) return;
    this.#isAsking = false;
    this.#set(answer);
    this.#plan(client, this.#isOutdated ? PAUSE_MS : REFRESH_MS);
  }

  #set(answer: Answer | undefined): void {
    const isSame = JSON.stringify(answer?.findings) === JSON.stringify(this.found);
    if (isSame && (answer?.findingsLeftOut ?? 0) === this.leftOut) return;
    this.#answer = answer;
    this.notify();
  }
}
