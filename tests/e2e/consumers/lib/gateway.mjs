// A minimal gateway for the intercepted sockets of pages: it answers the handshake with a list of two rows.

const now = Date.now();
const HELLO = {
  type: "hello-ok",
  protocol: 4,
  server: { version: "1.0.0", connId: "consumer" },
  features: { methods: ["system-presence"], events: ["presence", "tick"] },
  snapshot: {
    presence: [
      { host: "gateway-host", mode: "gateway", reason: "self", ts: now },
      { host: "Ana", instanceId: "ana", reason: "connect", ts: now - 1_000 },
    ],
    stateVersion: { presence: 1, health: 1 },
  },
  auth: { role: "operator", scopes: ["operator.read"] },
  policy: { maxPayload: 1_000_000, maxBufferedBytes: 1_000_000, tickIntervalMs: 30_000 },
};

/** Whether an address has the default port of gateways, to which the pages connect. */
export const isGateway = (url) => new URL(url).port === "18789";

/** Answers a page's socket. */
export function answer(socket) {
  const send = (frame) => socket.send(JSON.stringify(frame));
  socket.onMessage((text) => {
    const { id, method } = JSON.parse(text);
    send({ type: "res", id, ok: true, payload: method === "connect" ? HELLO : { ok: true } });
  });
  send({ type: "event", event: "connect.challenge", payload: { nonce: "nonce", ts: now } });
}
