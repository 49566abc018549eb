import { PresenceError } from "./errors.js";
import type { WebSocketConstructor, WebSocketLike } from "./websocket.js";

/** The listener of a {@link Socket}; never called after `closed`. */
export interface SocketListener {
  opened(): void;
  text(frame: string): void;
  /** Called when the connection ended. `why`: the platform's error message, which browsers withhold. */
  closed(code: number, reason: string, why: string | undefined): void;
}

/** Returns the WebSocket class to use. */
export function webSocketClass(given: WebSocketConstructor | undefined): WebSocketConstructor {
  const found = given ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (found) return found;
  const remedy = 'Install the npm package "ws" and pass its WebSocket: new PresenceClient({ WebSocket })';
  throw new PresenceError("NO_WEBSOCKET", `this platform has no WebSocket. ${remedy}`, { remedy });
}

/** The address of a gateway. */
export interface Address {
  /** The URL of the socket: `ws:` or `wss:`. */
  readonly url: string;
  /** The URL without its query, for messages. */
  readonly shown: string;
  /** The token in the link that the gateway prints (`#token=...`). */
  readonly token: string | undefined;
}

const DEFAULT_URL = "ws://127.0.0.1:18789";

/** One more than the core accepts, so that it closes the connection. Longer frames are cut: WASM memory never shrinks. */
const MAX_FRAME_CHARACTERS = 32 * 1024 * 1024 + 1;

const PROTOCOLS: ReadonlyMap<string, string> = new Map([
  ["http:", "ws:"],
  ["https:", "wss:"],
  ["ws:", "ws:"],
  ["wss:", "wss:"],
]);

/**
 * Parses an address as users paste it; by default it is that of a gateway on this machine.
 *
 * @throws {PresenceError} `INVALID_ARGUMENT`. The message does not contain the URL, which may contain a secret.
 */
export function gatewayAddress(url: string | undefined): Address {
  let parsed: URL;
  try {
    parsed = new URL(url ?? DEFAULT_URL);
  } catch {
    throw new PresenceError("INVALID_ARGUMENT", `invalid url: use one such as ${DEFAULT_URL}`);
  }
  const protocol = PROTOCOLS.get(parsed.protocol);
  if (!protocol) {
    throw new PresenceError("INVALID_ARGUMENT", `invalid url: ${parsed.protocol} is not ws:, wss:, http: or https:`);
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw new PresenceError("INVALID_ARGUMENT", "invalid url: it has a user name or password: use the option `password`");
  }
  // Plus signs are literal.
  const token = new URLSearchParams(parsed.hash.slice(1).replaceAll("+", "%2B")).get("token") ?? undefined;
  parsed.protocol = protocol;
  // Browsers reject fragments.
  parsed.hash = "";
  return { url: parsed.href, shown: parsed.origin + parsed.pathname, token };
}

/** A connection that is opening, open or closing. After `close` it dispatches no more text. */
export class Socket {
  #socket: WebSocketLike | undefined;

  /** @throws {PresenceError} `REFUSED` if the platform does not allow this connection. */
  constructor({ url, shown }: Address, WebSocket: WebSocketConstructor, listener: SocketListener) {
    let socket: WebSocketLike;
    try {
      socket = new WebSocket(url);
    } catch {
      const remedy = "Pages from https can only connect to wss: addresses, or to this machine.";
      throw new PresenceError("REFUSED", `the browser does not connect to ${shown}`, { remedy });
    }
    this.#socket = socket;
    let why: string | undefined;
    socket.onopen = () => listener.opened();
    // The protocol has no binary frames.
    socket.onmessage = ({ data }: { readonly data: unknown }) =>
      typeof data === "string" && listener.text(data.slice(0, MAX_FRAME_CHARACTERS));
    socket.onerror = (event: { message?: unknown } | undefined) => {
      if (typeof event?.message === "string" && event.message !== "") why = event.message;
    };
    socket.onclose = ({ code, reason }: { readonly code: number; readonly reason: string }) => {
      this.#forget();
      listener.closed(code, reason, why);
    };
  }

  send(text: string): void {
    try {
      this.#socket?.send(text);
    } catch {
      // The socket is closing already; `closed` follows.
    }
  }

  /** Ends the connection. */
  close(code: number, reason: string): void {
    const socket = this.#forget();
    try {
      socket?.close(permittedCode(code), reason);
    } catch {
      // The socket never opened.
    }
  }

  #forget(): WebSocketLike | undefined {
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return undefined;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // `ws` throws an error event without a listener, and dispatches one when it is closed while connecting.
    socket.onerror = () => {};
    return socket;
  }
}

/** Pages may close only with 1000 and application codes: 1008 becomes 4008. */
function permittedCode(code: number): number {
  return code === 1000 || code >= 3_000 ? code : 3_000 + code;
}
