// A recording proxy on loopback. Every test connects to the gateway through it, so that every frame that the
// gateway sends is checked, whichever client receives it. It forwards bytes unchanged.

import { connect, createServer } from "node:net";
import { once } from "node:events";

import { WebSocketReader } from "./ws-frames.mjs";

export class Tap {
  /** One item per accepted connection: {fromClient: [text], fromServer: [text], serverClose, clientClose}. */
  connections = [];
  #server = createServer((client) => this.#accept(client));
  #sockets = new Set();
  #upstreamPort;
  #observe;

  /** `observe(connection)` returns {client(text), server(text), serverClose(close)}, which are called for each frame. */
  constructor(upstreamPort, observe) {
    this.#upstreamPort = upstreamPort;
    this.#observe = observe;
  }

  async listen() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this.#server.address().port;
  }

  /** Forwards new connections to another port: the gateway restarted, and clients keep its address. */
  pointAt(port) {
    this.#upstreamPort = port;
  }

  /** Cuts all connections without a close frame, like a network failure. */
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
    // Each frame is recorded before it is forwarded: when a client has received a frame, the tap has recorded it.
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
