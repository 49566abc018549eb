// The digest over all received items (README of the vectors, "Digest").

import { sortedJson } from "./json.mjs";

/** The items that one script's clients received. */
export class Record {
  bootId;
  /** By connection, in the order of opening. */
  #conns = new Map();

  open(conn) {
    this.#conns.set(conn, []);
  }

  push(received) {
    this.#conns.get(received.conn)?.push(received);
  }

  /** Returns the record as text. */
  text(name, roster, version, context) {
    let text = `# ${name}\n`;
    for (const [conn, list] of this.#conns) {
      for (const received of list) {
        // Pings are left out: they may overtake frames.
        if (received.kind !== "ping") text += `${conn} ${received.at} ${itemText(received)}\n`;
      }
    }
    text += `roster ${sortedJson(roster)}\nversion ${version}\n`;
    return withNames(text, [
      ...[...context.conns].map(([conn, id]) => [id, `$conn:${conn}`]),
      ...[...context.nonces].map(([conn, nonce]) => [nonce, `$nonce:${conn}`]),
      ...(this.bootId === undefined ? [] : [[this.bootId, "$boot"]]),
    ]);
  }
}

/** Replaces ids by names, all in one pass: there are hundreds of ids, and the text is long. */
function withNames(text, names) {
  if (names.length === 0) return text;
  const byId = new Map(names);
  const ids = [...byId.keys()].map((id) => id.replaceAll(/[^\w-]/g, String.raw`\$&`));
  return text.replaceAll(new RegExp(ids.join("|"), "g"), (id) => byId.get(id));
}

function itemText({ kind, text, code, reason }) {
  return kind === "text" ? text : `close ${code} ${reason}`;
}
