import type { PresenceClient, PresenceClientOptions } from "openclaw-presence";

/** Traffic counters of one client, from its start on and over all its connections. */
export class Health {
  connections = 0;
  framesIn = 0;
  framesOut = 0;
  bytesIn = 0;
  /** Whole lists that the client requested. */
  listRequests = 0;
  /** When the last frame arrived, on this machine's clock. */
  lastFrameAtMs: number | undefined;
  /** Duration of the last request, in ms. */
  latencyMs: number | undefined;

  /** A WebSocket class that counts. */
  readonly WebSocket = countingWebSocket(this);

  /** Measures the latency with one request; absent without a connection. */
  async measure(client: PresenceClient): Promise<void> {
    const startMs = performance.now();
    try {
      await client.request("health");
      this.latencyMs = performance.now() - startMs;
    } catch {
      this.latencyMs = undefined;
    }
  }
}

type WebSocketClass = NonNullable<PresenceClientOptions["WebSocket"]>;

const LIST_METHODS = /"method":"(?:system-presence|presence\.snapshot)"/;
const encoder = new TextEncoder();

function countingWebSocket(health: Health): WebSocketClass {
  const counting = class extends WebSocket {
    constructor(url: string) {
      super(url);
      this.addEventListener("open", () => health.connections++);
      this.addEventListener("message", ({ data }) => {
        health.framesIn++;
        health.bytesIn += encoder.encode(String(data)).length;
        health.lastFrameAtMs = Date.now();
      });
    }

    override send(text: string): void {
      health.framesOut++;
      if (LIST_METHODS.test(text)) health.listRequests++;
      super.send(text);
    }
  };
  // The package's type covers all platforms, whose events have fewer members than those of the DOM.
  return counting as unknown as WebSocketClass;
}
