// The real @openclaw/gateway-client, with what it reports turned into things a test can wait for.

import { GatewayClient } from "@openclaw/gateway-client";

import { Log } from "./wait.mjs";

/** Starts a client; it is stopped when the test ends. */
export function startClient(gateway, options = {}) {
  const client = new TestClient(gateway, options);
  gateway.defer(() => client.stop());
  return client;
}

/** The same, once the gateway has let it in. */
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
      // Nothing of the developer's own environment.
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

  /** The hello of its n-th connection. */
  async hello(nth = 1) {
    return (await this.log.find(`hello ${nth}`, (item) => item.nth === nth)).hello;
  }

  /** The first presence event whose list passes. */
  async presence(what, matches, limitMs) {
    const passes = ({ event }) => event?.event === "presence" && matches(event.payload.presence);
    const found = await this.log.find(what, passes, limitMs);
    return found.event;
  }

  get gaps() {
    return this.log.items.filter((item) => item.gap);
  }

  /** What `system-presence` answers. */
  roster() {
    return this.#client.request("system-presence", {});
  }
}

/** The row of an instance, or nothing. */
export function rowOf(presence, instanceId) {
  return presence.find((entry) => entry.instanceId === instanceId);
}
