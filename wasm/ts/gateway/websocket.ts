import type { WebSocketConstructor, WebSocketLike } from "../websocket.js";
import type { SimulatedClient, SimulatedSocket } from "./socket.js";

/** A simulated gateway, as its clients see it. */
interface Reachable {
  open(client: SimulatedClient): SimulatedSocket;
}

/**
 * Returns a WebSocket class whose sockets connect to a simulated gateway. As with real sockets, no event fires
 * synchronously.
 */
export function simulatedWebSocket(gateway: Reachable): WebSocketConstructor {
  return class SimulatedWebSocket implements WebSocketLike {
    onopen: WebSocketLike["onopen"] = null;
    onmessage: WebSocketLike["onmessage"] = null;
    onerror: WebSocketLike["onerror"] = null;
    onclose: WebSocketLike["onclose"] = null;
    #socket: SimulatedSocket | undefined;
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
        // The gateway was freed and no longer listens.
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
