import { systemClock, type Clock } from "../clock.js";
import { asPresenceError, PresenceError } from "../errors.js";
import { Waiters } from "../waiters.js";
import { errorOfPlain, type Call, type PlainError } from "./messages.js";

/** Maximum number of pending calls of a tab. */
export const MAX_CALLS = 64;
/** Maximum length of a call's parameters, in UTF-16 units of JSON. */
const MAX_PARAMS_CHARACTERS = 1_048_576;
/** The leader's own calls time out after 30 s: a leader that has not answered by then is frozen or gone. */
const TIMEOUT_MS = 35_000;

/** A call without its addressee and time. */
export type UnsentCall = Omit<Call, "leader" | "atMs">;

/** The calls of a tab that the leader executes. */
export class RemoteCalls {
  readonly #waiters = new Waiters<number>();
  readonly #clock: Clock;
  readonly #from: string;
  #last = 0;

  constructor(from: string, clock: Clock = systemClock) {
    this.#from = from;
    this.#clock = clock;
  }

  /** Number of pending calls. */
  get size(): number {
    return this.#waiters.size;
  }

  /** Creates a call, passes it to `post`, and waits for the answer. */
  async call(act: Call["act"], name: string, params: unknown, post: (call: UnsentCall) => void): Promise<unknown> {
    if (this.size >= MAX_CALLS) throw new PresenceError("TOO_MANY_REQUESTS", `${MAX_CALLS} calls wait for an answer`);
    const text = toJson(params);
    const id = (this.#last += 1);
    const answer = this.#waiters.wait(id);
    const late = new PresenceError("TIMEOUT", "the tab that holds the connection did not answer");
    const cancel = this.#clock.setTimer(() => this.#waiters.reject(id, late), TIMEOUT_MS);
    try {
      post({ type: "call", from: this.#from, id, act, name, params: text });
      return await answer;
    } finally {
      cancel();
      this.#waiters.forget(id);
    }
  }

  /** Settles a call with its answer. */
  answer(id: number, payload: unknown, error: PlainError | undefined): void {
    if (error) this.#waiters.reject(id, errorOfPlain(error));
    else this.#waiters.resolve(id, payload);
  }

  /** Rejects all pending calls. */
  rejectAll(error: PresenceError): void {
    this.#waiters.rejectAll(error);
  }
}

function toJson(params: unknown): string | undefined {
  try {
    const text = JSON.stringify(params) as string | undefined;
    if (text === undefined || text.length <= MAX_PARAMS_CHARACTERS) return text;
  } catch (error) {
    throw asPresenceError(error);
  }
  throw new PresenceError("INVALID_ARGUMENT", `invalid params: more than ${MAX_PARAMS_CHARACTERS} characters of JSON`);
}
