// The digest over all that was received (README of the vectors, "Digest").

import { sortedJson } from "./json.mjs";

/** What one script's clients received. */
export class Record {
  bootId;
  /** By connection, in order of opening. */
  #conns = new Map();

  open(conn) {
    this.#conns.set(conn, []);
  }

  push(received) {
    this.#conns.get(received.conn)?.push(received);
  }

  /** The record as text. */
  text(name, roster, version, context) {
    let text = `# ${name}\n`;
    for (const [conn, list] of this.#conns) {
      for (const received of list) text += `${conn} ${received.at} ${itemText(received)}\n`;
    }
    text += `roster ${sortedJson(roster)}\nversion ${version}\n`;
    for (const [conn, id] of sorted(context.conns)) text = text.replaceAll(id, () => `$conn:${conn}`);
    for (const [conn, nonce] of sorted(context.nonces)) text = text.replaceAll(nonce, () => `$nonce:${conn}`);
    return this.bootId === undefined ? text : text.replaceAll(this.bootId, () => "$boot");
  }
}

function sorted(map) {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function itemText({ kind, text, code, reason }) {
  if (kind === "text") return text;
  return kind === "ping" ? "ping" : `close ${code} ${reason}`;
}
