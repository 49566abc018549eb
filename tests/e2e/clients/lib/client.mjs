// Wraps the real @openclaw/gateway-client, so that tests can wait for what it reports.

import { GatewayClient } from "@openclaw/gateway-client";

import { Log } from "./wait.mjs";

/** Starts a client, which is stopped when the test ends. */
export function startClient(gateway, options = {}) {
  const client = new TestClient(gateway, options);
  gateway.defer(() => client.stop());
  return client;
}

/** Starts a client and waits until the gateway has accepted it. */
export async function connectClient(gateway, options = {}) {
  const client = startClient(gateway, options);
  await client.hello();
  return client;
}

class TestClient {
  /** {event}, {hello}, {error}, {close}, {paused} or {gap}, in the order the client reported them. */
  log = new Log();
  #client;
  #hellos = 0;

  constructor(gateway, options) {
    this.#client = new GatewayClient({
      url: gateway.url,
      token: gateway.token,
      mode: "ui",
      clientName: "openclaw-macos",
      scopes: ["operator.read"],
      // No variables from the developer's environment.
      env: {},
      onEvent: (event) => this.log.push({ event }),
      onHelloOk: (hello) => this.log.push({ hello, nth: ++this.#hellos }),
      onConnectError: (error) => this.log.push({ error }),
      onReconnectPaused: (paused) => this.log.push({ paused }),
      onGap: (gap) => this.log.push({ gap }),
      onClose: (code, reason) => this.log.push({ close: { code, reason } }),
      ...options,
    });
    this.#client.start();
  }

  request(method, params) {
    return this.#client.request(method, params);
  }

  stop() {
    return this.#client.stopAndWait();
  }

  /** Waits for the hello of the n-th connection. */
  async hello(nth = 1) {
    return (await this.log.find(`hello ${nth}`, (item) => item.nth === nth)).hello;
  }

  /** Waits for the first presence event whose list `matches` accepts. */
  async presence(what, matches, limitMs) {
    const passes = ({ event }) => event?.event === "presence" && matches(event.payload.presence);
    const found = await this.log.find(what, passes, limitMs);
    return found.event;
  }

  get gaps() {
    return this.log.items.filter((item) => item.gap);
  }

  /** Returns the answer to `system-presence`. */
  roster() {
    return this.#client.request("system-presence", {});
  }
}

/** Returns the row of an instance, or undefined. */
export function rowOf(presence, instanceId) {
  return presence.find((entry) => entry.instanceId === instanceId);
}
