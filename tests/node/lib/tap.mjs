// A recording proxy on loopback: every test talks to the gateway through one, so every frame the
// gateway sends is seen and checked, whatever client it is for. It forwards bytes untouched.

import { connect, createServer } from "node:net";
import { once } from "node:events";

import { WebSocketReader } from "./ws-frames.mjs";

export class Tap {
  /** One per accepted connection: {fromClient: [text], fromServer: [text], serverClose, clientClose}. */
  connections = [];
  #server = createServer((client) => this.#accept(client));
  #sockets = new Set();
  #upstreamPort;
  #observe;

  /** `observe(connection)` returns {client(text), server(text), serverClose(close)}, called per frame. */
  constructor(upstreamPort, observe) {
    this.#upstreamPort = upstreamPort;
    this.#observe = observe;
  }

  async listen() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this.#server.address().port;
  }

  /** New connections go to another gateway from now on: a restart that keeps its address. */
  pointAt(port) {
    this.#upstreamPort = port;
  }

  /** Cuts every connection as a dying network does: no close frame. */
  cutAll() {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close() {
    this.cutAll();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(client) {
    const upstream = connect(this.#upstreamPort, "127.0.0.1");
    const connection = { fromClient: [], fromServer: [], clientClose: null, serverClose: null };
    this.connections.push(connection);
    const observer = this.#observe(connection);

    const fromClient = new WebSocketReader((piece) => {
      if (piece.text !== undefined) {
        connection.fromClient.push(piece.text);
        observer.client(piece.text);
      }
      if (piece.close) connection.clientClose = piece.close;
    });
    const fromServer = new WebSocketReader((piece) => {
      if (piece.text !== undefined) {
        connection.fromServer.push(piece.text);
        observer.server(piece.text);
      }
      if (piece.close) {
        connection.serverClose = piece.close;
        observer.serverClose(piece.close);
      }
    });
    // Observed before it is passed on: a client that has seen a frame can be sure the tap has.
    client.on("data", (bytes) => fromClient.push(bytes));
    upstream.on("data", (bytes) => fromServer.push(bytes));
    client.pipe(upstream);
    upstream.pipe(client);
    for (const [one, other] of [[client, upstream], [upstream, client]]) {
      one.setNoDelay(true);
      this.#sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroySoon();
      });
    }
  }
}
