/**
 * For tests of apps: a gateway in memory whose roster the test sets, and a clock that stands still.
 *
 * @packageDocumentation
 */
import type { PresenceClientOptions } from "./options.js";
import { memoryWebSocket, type MemoryListener, type MemorySocket } from "./testing/websocket.js";
import type { PresenceEntry } from "./types.js";
import { VirtualClock } from "./virtual-clock.js";

export { VirtualClock };

const TICK_MS = 30_000;

/** A connected client. */
interface Connection {
  readonly listener: MemoryListener;
  /** Number of the last event; `undefined` before the handshake is done. */
  seq: number | undefined;
}

/** The members of a request frame that are read. */
interface Request {
  readonly id: string;
  readonly method: string;
  readonly params?: { readonly scopes?: readonly string[] };
}

/**
 * A gateway without a network whose roster is what the test sets. Clients are real clients, made with {@link options}.
 *
 * ```ts
 * const gateway = new TestGateway();
 * const client = new PresenceClient(gateway.options).start();
 * gateway.entries = [{ host: "studio", instanceId: "mac-1", reason: "connect" }];
 * await gateway.clock.advance(0); // everything that is due now happens
 * client.roster.rows[0]?.status; // "Active"
 * ```
 */
export class TestGateway {
  /** The clock of the gateway and its clients. */
  readonly clock = new VirtualClock();
  /** Options of a client of this gateway; it keeps nothing in files or in the browser's storage. */
  readonly options: PresenceClientOptions = Object.freeze({
    url: "ws://test",
    WebSocket: memoryWebSocket({ open: (listener) => this.#open(listener) }),
    clock: this.clock,
    seed: 1,
    instanceId: "test-client",
    deviceKey: false,
    beacons: false,
  });
  /** The code with which the gateway refuses new connections, such as `AUTH_TOKEN_MISMATCH`. */
  refusal: string | undefined;
  /**
   * Answers the app's requests, also with a promise; an error that it throws, or a rejection, refuses the request.
   * @default an empty object for every method
   */
  answer: (method: string, params: unknown) => unknown = () => ({});
  readonly #connections = new Set<Connection>();
  #entries: readonly PresenceEntry[] = [];
  #version = 1;
  #isReachable = true;

  constructor() {
    this.#tick();
  }

  /** The roster; setting it sends it to the clients. An entry without `ts` gets the time at which it is set. */
  get entries(): readonly PresenceEntry[] {
    return this.#entries;
  }

  set entries(entries: readonly PresenceEntry[]) {
    this.#entries = entries.map((entry) => ({ ts: this.clock.wallMs(), ...entry }));
    this.#version += 1;
    this.#broadcast("presence", { presence: this.#entries });
  }

  /** Whether clients reach the gateway; `false` ends their connections, and they try again. */
  get isReachable(): boolean {
    return this.#isReachable;
  }

  set isReachable(isReachable: boolean) {
    this.#isReachable = isReachable;
    if (isReachable) return;
    for (const { listener } of this.#connections) listener.onclose(1006, "");
    this.#connections.clear();
  }

  #open(listener: MemoryListener): MemorySocket {
    if (!this.#isReachable) throw new Error("unreachable");
    const connection: Connection = { listener, seq: undefined };
    this.#connections.add(connection);
    send(listener, { type: "event", event: "connect.challenge", payload: { nonce: "test", ts: this.clock.wallMs() } });
    const isOpen = () => this.#connections.has(connection);
    return {
      get isOpen() {
        return isOpen();
      },
      send: (text) => void this.#respond(connection, JSON.parse(text) as Request),
      close: () => void this.#connections.delete(connection),
    };
  }

  async #respond(connection: Connection, { id, method, params }: Request): Promise<void> {
    const respond = (outcome: object) => send(connection.listener, { type: "res", id, ...outcome });
    try {
      if (method === "connect") {
        const payload = this.#hello(params);
        connection.seq = 0;
        respond({ ok: true, payload });
      } else if (method === "system-presence") respond({ ok: true, payload: this.#entries });
      else respond({ ok: true, payload: await this.answer(method, params) });
    } catch (error) {
      const { code = "INVALID_REQUEST", message = "refused" } = (error ?? {}) as { readonly code?: string; readonly message?: string };
      respond({ ok: false, error: { code: "INVALID_REQUEST", message, details: { code } } });
    }
  }

  #hello(params: Request["params"]): object {
    if (this.refusal !== undefined) throw Object.assign(new Error("refused by the test"), { code: this.refusal });
    return {
      type: "hello-ok",
      protocol: 4,
      server: { version: "test", connId: "test" },
      features: { methods: ["system-presence"], events: ["presence", "tick"] },
      snapshot: { presence: this.#entries, stateVersion: this.#stateVersion() },
      auth: { role: "operator", scopes: params?.scopes ?? [] },
      policy: { maxPayload: 1_000_000, maxBufferedBytes: 1_000_000, tickIntervalMs: TICK_MS },
    };
  }

  #tick(): void {
    this.#broadcast("tick", { ts: this.clock.wallMs() });
    this.clock.setTimer(() => this.#tick(), TICK_MS);
  }

  #broadcast(event: string, payload: unknown): void {
    for (const connection of this.#connections) {
      if (connection.seq === undefined) continue;
      connection.seq += 1;
      send(connection.listener, { type: "event", event, payload, seq: connection.seq, stateVersion: this.#stateVersion() });
    }
  }

  #stateVersion(): object {
    return { presence: this.#version, health: 1 };
  }
}

function send(listener: MemoryListener, frame: object): void {
  listener.ontext(JSON.stringify(frame));
}
