// A bare WebSocket that sends exactly what a test passes: recorded frames, old protocols, invalid input.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import WebSocket from "ws";

import { Log, within } from "./wait.mjs";

/** Opens a connection and waits for the challenge. The connection is closed when the test ends. */
export async function openRaw(gateway) {
  const raw = new RawClient(gateway.url);
  gateway.defer(() => raw.terminate());
  const { payload } = await raw.frames.find("challenge", (frame) => frame.event === "connect.challenge");
  raw.challenge = payload;
  return raw;
}

class RawClient {
  frames = new Log();
  challenge = null;
  #socket;
  #closed;

  constructor(url) {
    this.#socket = new WebSocket(url);
    this.#socket.on("message", (data) => this.frames.push(JSON.parse(data.toString())));
    this.#closed = once(this.#socket, "close").then(([code, reason]) => ({ code, reason: reason.toString() }));
  }

  /** Waits for the gateway's close frame. */
  closed() {
    return within("the gateway closes", this.#closed);
  }

  terminate() {
    this.#socket.terminate();
  }

  send(text) {
    this.#socket.send(typeof text === "string" ? text : JSON.stringify(text));
  }

  /** Sends a request frame unchanged and waits for its response. */
  async exchange(frame) {
    this.send(frame);
    return this.frames.find(`answer to ${frame.method}`, ({ type, id }) => type === "res" && id === frame.id);
  }

  request(method, params) {
    return this.exchange({ type: "req", id: randomUUID(), method, ...(params === undefined ? {} : { params }) });
  }
}
