import { systemClock, type Clock } from "./clock.js";
import { DISPOSE } from "./disposable.js";
import { asPresenceError, freed, PresenceError } from "./errors.js";
import type { DeviceQuestion } from "./simulator/glue.js";
import { simulator, type WasmGateway } from "./simulator/load.js";
import type { PresenceEntry } from "./types.js";
import { verifyDevice } from "./gateway/device.js";
import { isOriginAllowed } from "./gateway/origin.js";
import { simulatedWebSocket } from "./gateway/websocket.js";
import type { WebSocketConstructor } from "./websocket.js";

/** What a simulated gateway is made from; everything has the real gateway's default. */
export interface SimulatedGatewayOptions {
  /** Its clocks and timer; give a `VirtualClock` to move time by hand. */
  clock?: Clock;
  /** How long a row lives after its last proof of life, in ms. @default 300000 */
  ttlMs?: number;
  /** Most rows, its own included. @default 200 */
  maxEntries?: number;
  /** Changes within so many ms are told together; 0: each at once. @default 50 */
  windowMs?: number;
  /** Modes whose clients make no row. @default ["cli"] */
  ephemeralModes?: readonly string[];
  /** The secret that clients must know. @default none */
  auth?: { readonly mode: "token" | "password"; readonly secret: string } | { readonly mode: "none" };
  /** Origins of pages that may connect; `*`: all. A client without an origin always may. */
  allowedOrigins?: readonly string[];
  /** Bounds and intervals. */
  limits?: SimulatedLimits;
  /** Version in its hello. */
  serverVersion?: string;
  /** Identifies one run of it. */
  bootId?: string;
  /** Its own row. */
  self?: PresenceEntry;
}

/** Bounds and intervals of a simulated gateway, in ms and bytes. */
export interface SimulatedLimits {
  /** Time for the handshake. @default 15000 */
  handshakeMs?: number;
  /** Interval of ticks. @default 30000 */
  tickIntervalMs?: number;
  /** Longest ping interval; a quarter of the TTL if that is less. @default 25000 */
  pingIntervalMs?: number;
  /** Longest time without an accepted byte. @default 20000 */
  stallMs?: number;
  /** Largest frame before the handshake. @default 65536 */
  preauthFrameBytes?: number;
  /** Largest frame after it. @default 1048576 */
  payloadBytes?: number;
  /** Most bytes of undelivered responses. @default 1048576 */
  bufferedBytes?: number;
  /** Calls in a row that may be refused for lack of rights. @default 10 */
  unauthorizedCalls?: number;
}

/** Where a simulated client comes from, and what it is told. */
export interface SimulatedClient {
  /** Its address. @default "192.0.2.1" */
  ip?: string;
  /** The Origin of its page. */
  origin?: string;
  /** The id of the person behind it, as a trusted proxy states it. */
  user?: string;
  /** A text frame arrives. */
  ontext?: (text: string) => void;
  /** A ping arrives; it is answered by itself, see {@link SimulatedSocket.isResponsive}. */
  onping?: () => void;
  /** The gateway ended the connection. */
  onclose?: (code: number, reason: string) => void;
}

/** One client's end of a connection to a simulated gateway. */
export interface SimulatedSocket {
  /** Whether pings are answered; `false` for a client whose machine sleeps. */
  isResponsive: boolean;
  /** Whether it reads nothing for now. */
  isPaused: boolean;
  /** Whether neither side ended it. */
  readonly isOpen: boolean;
  /** Sends a text frame. */
  send(text: string): void;
  /** Answers a ping by hand. */
  pong(): void;
  /** Ends it: with a good-bye or because the network is gone is all the same to the gateway. */
  close(): void;
}

const DEFAULT_IP = "192.0.2.1";

/**
 * A whole gateway without a network: the core's server half, for playgrounds and tests. Clients connect by its
 * {@link WebSocket}, or by {@link open} where frames are sent by hand.
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

  /** A WebSocket class whose sockets all lead to this gateway, whatever their URL. */
  readonly WebSocket: WebSocketConstructor;

  /**
   * @throws {PresenceError} `NOT_READY`: `await initSimulator(url)` first. `INVALID_ARGUMENT` names the bad option.
   */
  constructor(options: SimulatedGatewayOptions = {}) {
    const { clock = systemClock, allowedOrigins = ["*"], ...config } = options;
    this.#clock = clock;
    this.#allowedOrigins = allowedOrigins;
    const Gateway = simulator().Gateway;
    try {
      this.#wasm = new Gateway(JSON.stringify(config), clock.ageMs(), clock.wallMs());
    } catch (error) {
      throw asPresenceError(error);
    }
    this.WebSocket = simulatedWebSocket(this);
    this.#serve();
  }

  /** Opens a connection. What the gateway says at once is told before this returns. */
  open(client: SimulatedClient = {}): SimulatedSocket {
    const wasm = this.#alive();
    const isAllowed = isOriginAllowed(client.origin, client.ip ?? DEFAULT_IP, this.#allowedOrigins);
    const id = wasm.open(client.ip ?? DEFAULT_IP, client.user, isAllowed, this.#clock.ageMs(), this.#clock.wallMs());
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

  /** The roster as `system-presence` answers it, newest first. */
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
   * From now on `connect` requests wait for their judgement, as where secrets are checked elsewhere; `false` judges
   * those that wait.
   */
  holdHandshakes(isHolding: boolean): void {
    this.#act((wasm, age, wall) => wasm.hold(isHolding, age, wall));
  }

  /** Announces its end and closes all connections. */
  shutdown(reason = "gateway stopping"): void {
    this.#act((wasm, age, wall) => wasm.shutdown(reason, age, wall));
  }

  /** Device signatures are verified in the background; this waits until that is done. */
  async settled(): Promise<void> {
    while (this.#verifying.size > 0) await Promise.all(this.#verifying);
  }

  /** Ends it as if its process died, and gives its memory back; twice does nothing. */
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

  /** Does all that the gateway wants done. What is told may send again: then the outer call goes on. */
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

  /** Returns whether there was one to answer. */
  #answerPings(): boolean {
    const pongs = this.#pongs;
    this.#pongs = [];
    for (const socket of pongs) socket.pong();
    return pongs.length > 0;
  }

  #verify(id: number, question: DeviceQuestion): void {
    // Without WebCrypto, on plain http pages, nothing can be verified.
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
    // Weak: a gateway that is forgotten does not tick for ever.
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

/** What a socket does to its gateway. */
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
