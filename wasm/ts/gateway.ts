import { systemClock, type Clock } from "./clock.js";
import { DISPOSE } from "./disposable.js";
import { asPresenceError, freed, PresenceError } from "./errors.js";
import type { DeviceQuestion } from "./simulator/glue.js";
import { simulator, type WasmGateway } from "./simulator/load.js";
import { verifyDevice } from "./gateway/device.js";
import { checkGatewayOptions } from "./gateway/known-options.js";
import type { SimulatedGatewayOptions } from "./gateway/options.js";
import { isOriginAllowed } from "./gateway/origin.js";
import type { SimulatedClient, SimulatedSocket } from "./gateway/socket.js";
import { memoryWebSocket } from "./testing/websocket.js";
import type { PresenceEntry } from "./types.js";
import type { WebSocketConstructor } from "./websocket.js";

export type { SimulatedGatewayOptions, SimulatedLimits } from "./gateway/options.js";
export type { SimulatedClient, SimulatedSocket } from "./gateway/socket.js";

const DEFAULT_IP = "192.0.2.1";

/**
 * A whole gateway without a network: the core's server half, for playgrounds and tests. Clients connect through its
 * {@link WebSocket}, or through {@link open} to send frames directly.
 *
 * ```ts
 * const clock = new VirtualClock();
 * const gateway = new SimulatedGateway({ clock });
 * const client = new PresenceClient({ url: "ws://simulated", WebSocket: gateway.WebSocket, clock }).start();
 * await clock.advance(1_000);
 * client.getSnapshot().rows; // the gateway and the client
 * ```
 */
export class SimulatedGateway {
  readonly #clock: Clock;
  readonly #allowedOrigins: readonly string[];
  #wasm: WasmGateway | undefined;
  readonly #sockets = new Map<number, Socket>();
  #pongs: Socket[] = [];
  #isServing = false;
  #timerAt: number | undefined;
  #cancelTimer: (() => void) | undefined;
  readonly #verifying = new Set<Promise<void>>();

  /** A WebSocket class whose sockets all connect to this gateway, whatever their URL. */
  readonly WebSocket: WebSocketConstructor;

  /**
   * @throws {PresenceError} `NOT_READY`: `await initSimulator(url)` first. `INVALID_ARGUMENT` for an invalid or
   * unknown option; the message names it.
   */
  constructor(options: SimulatedGatewayOptions = {}) {
    checkGatewayOptions(options);
    const { clock = systemClock, allowedOrigins = ["*"], ...config } = options;
    this.#clock = clock;
    this.#allowedOrigins = allowedOrigins;
    const Gateway = simulator().Gateway;
    try {
      this.#wasm = new Gateway(JSON.stringify(config), clock.ageMs(), clock.wallMs());
    } catch (error) {
      throw asPresenceError(error);
    }
    this.WebSocket = memoryWebSocket(this);
    this.#serve();
  }

  /** Opens a connection. The gateway's first frames are delivered before this returns. */
  open(client: SimulatedClient = {}): SimulatedSocket {
    const wasm = this.#alive();
    const { ip = DEFAULT_IP, origin, user } = client;
    const refusedOrigin = isOriginAllowed(origin, ip, this.#allowedOrigins) ? undefined : origin;
    const id = wasm.open(ip, user, refusedOrigin, this.#clock.ageMs(), this.#clock.wallMs());
    const socket = new Socket(client, {
      send: (text) => this.#act((wasm, age, wall) => wasm.text(id, text, age, wall)),
      pong: () => this.#act((wasm, age, wall) => wasm.pong(id, age, wall)),
      close: () => {
        this.#sockets.delete(id);
        this.#act((wasm, age, wall) => wasm.close(id, age, wall));
      },
      serve: () => this.#serve(),
    });
    this.#sockets.set(id, socket);
    this.#serve();
    return socket;
  }

  /** The roster as `system-presence` returns it, newest first. */
  list(): readonly PresenceEntry[] {
    const list = this.#alive().list(this.#clock.ageMs(), this.#clock.wallMs());
    this.#serve();
    return JSON.parse(list) as PresenceEntry[];
  }

  /** The presence version. */
  get version(): number {
    return this.#alive().version();
  }

  /** Number of rows, its own included. */
  get size(): number {
    return this.#alive().rows();
  }

  /** Number of clients that completed the handshake. */
  get connections(): number {
    return this.#alive().connections();
  }

  /**
   * Sets whether `connect` requests wait, as they would for a slow check of secrets; `false` checks the waiting
   * requests.
   */
  holdHandshakes(isHolding: boolean): void {
    this.#act((wasm, age, wall) => wasm.hold(isHolding, age, wall));
  }

  /** Announces the shutdown and closes all connections. */
  shutdown(reason = "gateway stopping"): void {
    this.#act((wasm, age, wall) => wasm.shutdown(reason, age, wall));
  }

  /** Waits until the device signatures, which are verified in the background, are verified. */
  async settled(): Promise<void> {
    while (this.#verifying.size > 0) await Promise.all(this.#verifying);
  }

  /** Stops it like a crashed process and frees its memory; a second call does nothing. */
  free(): void {
    this.#cancelTimer?.();
    this.#wasm?.free();
    this.#wasm = undefined;
    const sockets = [...this.#sockets.values()];
    this.#sockets.clear();
    for (const socket of sockets) {
      socket.isOpen = false;
      socket.client.onclose?.(1006, "");
    }
  }

  [DISPOSE](): void {
    this.free();
  }

  #alive(): WasmGateway {
    if (!this.#wasm) throw freed("gateway");
    return this.#wasm;
  }

  #act(act: (wasm: WasmGateway, ageMs: number, wallMs: number) => void): void {
    act(this.#alive(), this.#clock.ageMs(), this.#clock.wallMs());
    this.#serve();
  }

  /** Executes the gateway's outputs. A callback may send again; the outer call then continues with it. */
  #serve(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    try {
      do {
        this.#poll();
        this.#deliver();
      } while (this.#answerPings());
    } finally {
      this.#isServing = false;
    }
    this.#setTimer();
  }

  #poll(): void {
    for (let event = this.#wasm?.poll(); event; event = this.#wasm?.poll()) {
      const socket = this.#sockets.get(event.socket);
      if (event.type === "ping" && socket) {
        socket.client.onping?.();
        if (socket.isResponsive && !socket.isPaused) this.#pongs.push(socket);
      } else if (event.type === "verify") this.#verify(event.socket, event.question);
    }
  }

  #deliver(): void {
    for (const [id, socket] of this.#sockets) {
      while (this.#wasm && socket.isOpen && !socket.isPaused) {
        const taken = this.#wasm.take(id);
        if (!taken) break;
        if (taken.type === "text") {
          socket.client.ontext?.(taken.text);
          continue;
        }
        this.#sockets.delete(id);
        socket.isOpen = false;
        this.#wasm.close(id, this.#clock.ageMs(), this.#clock.wallMs());
        socket.client.onclose?.(taken.code, taken.reason);
      }
    }
  }

  /** Returns whether there was a ping to answer. */
  #answerPings(): boolean {
    const pongs = this.#pongs;
    this.#pongs = [];
    for (const socket of pongs) socket.pong();
    return pongs.length > 0;
  }

  #verify(id: number, question: DeviceQuestion): void {
    // Nothing can be verified without WebCrypto, as on plain http pages.
    const outcome = verifyDevice(question).catch(() => "signature-invalid");
    const verifying = outcome.then((outcome) => {
      this.#verifying.delete(verifying);
      if (this.#wasm) this.#act((wasm, age, wall) => wasm.verified(id, outcome, age, wall));
    });
    this.#verifying.add(verifying);
  }

  #setTimer(): void {
    const at = this.#wasm?.timeout();
    if (at === this.#timerAt) return;
    this.#cancelTimer?.();
    this.#timerAt = at;
    this.#cancelTimer = undefined;
    if (at === undefined) return;
    // Weak, so that an unreferenced gateway does not tick forever.
    const weak = new WeakRef(this);
    const fire = () => {
      const gateway = weak.deref();
      if (gateway) gateway.#fire();
    };
    this.#cancelTimer = this.#clock.setTimer(fire, at - this.#clock.ageMs());
  }

  #fire(): void {
    this.#timerAt = undefined;
    if (this.#wasm) this.#act((wasm, age, wall) => wasm.advance(age, wall));
  }
}

/** The gateway's side of a socket. */
interface Line {
  send(text: string): void;
  pong(): void;
  close(): void;
  serve(): void;
}

class Socket implements SimulatedSocket {
  isResponsive = true;
  isOpen = true;
  readonly client: SimulatedClient;
  readonly #line: Line;
  #isPaused = false;

  constructor(client: SimulatedClient, line: Line) {
    this.client = client;
    this.#line = line;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  set isPaused(isPaused: boolean) {
    this.#isPaused = isPaused;
    if (!isPaused && this.isOpen) this.#line.serve();
  }

  send(text: string): void {
    if (!this.isOpen) throw new PresenceError("CLOSED", "this connection is closed");
    this.#line.send(text);
  }

  pong(): void {
    if (this.isOpen) this.#line.pong();
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#line.close();
  }
}
