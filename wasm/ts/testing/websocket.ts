import type { WebSocketConstructor, WebSocketLike } from "../websocket.js";

// Test runners with fake timers replace it after the imports.
const { queueMicrotask } = globalThis;

/** The client's end of a connection. */
export interface MemorySocket {
  readonly isOpen: boolean;
  send(text: string): void;
  close(): void;
}

/** What the gateway's end of a connection calls. */
export interface MemoryListener {
  ontext(text: string): void;
  onclose(code: number, reason: string): void;
}

/** A gateway in memory, as its clients see it. */
interface Reachable {
  /** Throws where nothing listens. */
  open(listener: MemoryListener): MemorySocket;
}

/**
 * Returns a WebSocket class whose sockets connect to a gateway in memory. As with real sockets, no event fires
 * synchronously.
 */
export function memoryWebSocket(gateway: Reachable): WebSocketConstructor {
  return class MemoryWebSocket implements WebSocketLike {
    onopen: WebSocketLike["onopen"] = null;
    onmessage: WebSocketLike["onmessage"] = null;
    onerror: WebSocketLike["onerror"] = null;
    onclose: WebSocketLike["onclose"] = null;
    #socket: MemorySocket | undefined;
    #isClosed = false;

    constructor() {
      queueMicrotask(() => this.#open());
    }

    send(text: string): void {
      queueMicrotask(() => {
        if (this.#socket?.isOpen) this.#socket.send(text);
      });
    }

    close(code = 1005, reason = ""): void {
      queueMicrotask(() => {
        this.#socket?.close();
        this.#end(code, reason);
      });
    }

    #open(): void {
      if (this.#isClosed) return;
      try {
        this.#socket = gateway.open({
          ontext: (data) => queueMicrotask(() => this.#isClosed || this.onmessage?.({ data })),
          onclose: (code, reason) => queueMicrotask(() => this.#end(code, reason)),
        });
      } catch {
        // The gateway is gone or unreachable.
        this.onerror?.({ message: "connection refused" });
        return this.#end(1006, "");
      }
      this.onopen?.({});
    }

    #end(code: number, reason: string): void {
      if (this.#isClosed) return;
      this.#isClosed = true;
      this.onclose?.({ code, reason });
    }
  };
}
