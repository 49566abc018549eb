import type { FindingReport, PresenceClient } from "openclaw-presence";

const METHOD = "presence.explain";
/** Shortest time from one question to the next, in ms: a list can change twenty times a second. */
const PAUSE_MS = 5_000;
/** Time until the next question where nothing changes in the list, in ms: what a gateway remembers changes too. */
const REFRESH_MS = 30_000;

interface Answer {
  readonly findings: readonly FindingReport[];
  readonly findingsLeftOut?: number;
}

/** What a gateway finds in its memory, which is more than its list shows. Gateways of others have no such memory. */
export class MemoryFindings {
  #answer: Answer | undefined;
  #client: PresenceClient | undefined;
  /** The connection that is asked; an answer over another one is dropped. */
  #connId: string | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #isAsking = false;
  #isOutdated = false;

  /** @param tell They became others. */
  constructor(readonly tell: () => void) {}

  /** The findings; absent where the list is all that is known. */
  get found(): readonly FindingReport[] | undefined {
    return this.#answer?.findings;
  }

  /** Number of findings that had no room in the gateway's answer. */
  get leftOut(): number {
    return this.#answer?.findingsLeftOut ?? 0;
  }

  /** Something happened to the connection or the list of this client. */
  look(client: PresenceClient): void {
    const { connection } = client;
    const connId = connection.phase === "live" ? connection.connId : undefined;
    if (client !== this.#client || connId !== this.#connId) {
      this.#client = client;
      this.#connId = connId;
      this.#isAsking = false;
      this.#cancel();
    }
    // While there is no connection, what was found goes with the rows that were listed.
    if (connection.phase !== "live") return;
    if (!connection.canRead || !connection.methods.includes(METHOD)) return this.#set(undefined);
    this.#isOutdated = true;
    if (!this.#isAsking) this.#plan(PAUSE_MS);
  }

  /** The gateway is left. */
  leave(): void {
    this.#cancel();
    this.#client = undefined;
    this.#connId = undefined;
    this.#isAsking = false;
    this.#askedMs = Number.NEGATIVE_INFINITY;
    this.#answer = undefined;
  }

  /** Asks so long after the last question, if not sooner. */
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
    this.tell();
  }
}
