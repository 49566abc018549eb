import type { Clock } from "../clock.js";
import type { Engine } from "../engine.js";
import { asPresenceError, PresenceError } from "../errors.js";
import { MAX_CALLS } from "./remote-calls.js";
import { plainError, type Call, type Message } from "./messages.js";

/** Calls older than this are dropped, in ms: the caller may have called another leader instead. */
const LATE_MS = 10_000;
/** Maximum number of concurrent calls, of all tabs. */
const MAX_SERVED_CALLS = 4 * MAX_CALLS;

/** Executes the calls of other tabs. */
export class CallServer {
  readonly #engine: Engine;
  readonly #leader: string;
  readonly #clock: Clock;
  readonly #post: (answer: Message) => void;
  #served = 0;

  constructor(engine: Engine, leader: string, clock: Clock, post: (answer: Message) => void) {
    this.#engine = engine;
    this.#leader = leader;
    this.#clock = clock;
    this.#post = post;
  }

  /** Executes a call and posts its answer, unless it is late or addressed to another leader. */
  async serve(call: Call): Promise<void> {
    if (call.leader !== this.#leader || this.#clock.wallMs() - call.atMs > LATE_MS) return;
    const [type, to, id] = ["answer" as const, call.from, call.id];
    this.#served += 1;
    try {
      if (this.#served > MAX_SERVED_CALLS) throw new PresenceError("TOO_MANY_REQUESTS", `${MAX_SERVED_CALLS} calls of other tabs wait`);
      this.#post({ type, to, id, payload: await this.#carryOut(call) });
    } catch (error) {
      this.#post({ type, to, id, error: plainError(asPresenceError(error)) });
    } finally {
      this.#served -= 1;
    }
  }

  #carryOut({ act, name, params }: Call): unknown {
    switch (act) {
      case "request":
        return this.#engine.request(name, params === undefined ? undefined : JSON.parse(params));
      case "beacon":
        return this.#engine.beacon(name);
      case "explain":
        return this.#engine.explain(name);
      case "start":
        return this.#engine.start();
      case "reconnect":
        return this.#engine.reconnect({});
    }
  }
}
