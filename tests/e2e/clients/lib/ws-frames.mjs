// Reads one direction of a WebSocket connection (RFC 6455) from a byte stream: first the HTTP head of the upgrade,
// then frames. It does not read extensions, because the gateway declines them.

const TEXT = 0x1;
const CONTINUATION = 0x0;
const CLOSE = 0x8;

export class WebSocketReader {
  #rest = Buffer.alloc(0);
  #upgraded = false;
  #parts = [];
  #handle;

  /** `handle` is called with {http}, {text} or {close: {code, reason}}, in the order in which they were sent. */
  constructor(handle) {
    this.#handle = handle;
  }

  push(bytes) {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#upgraded ? this.#readFrame() : this.#readHead()) {
      // Until the buffer contains no further complete piece.
    }
  }

  #readHead() {
    const end = this.#rest.indexOf("\r\n\r\n");
    if (end < 0) return false;
    this.#handle({ http: this.#rest.toString("latin1", 0, end) });
    this.#rest = this.#rest.subarray(end + 4);
    this.#upgraded = true;
    return true;
  }

  #readFrame() {
    const bytes = this.#rest;
    if (bytes.length < 2) return false;
    const masked = (bytes[1] & 0x80) !== 0;
    let length = bytes[1] & 0x7f;
    let at = 2;
    if (length === 126) {
      if (bytes.length < 4) return false;
      length = bytes.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      if (bytes.length < 10) return false;
      length = Number(bytes.readBigUInt64BE(2));
      at = 10;
    }
    const mask = masked ? bytes.subarray(at, at + 4) : null;
    if (masked) at += 4;
    if (bytes.length < at + length) return false;

    const payload = Buffer.from(bytes.subarray(at, at + length));
    if (mask) for (let i = 0; i < length; i += 1) payload[i] ^= mask[i & 3];
    this.#rest = bytes.subarray(at + length);
    this.#take(bytes[0] & 0x0f, (bytes[0] & 0x80) !== 0, payload);
    return true;
  }

  #take(opcode, final, payload) {
    if (opcode === TEXT || opcode === CONTINUATION) {
      this.#parts.push(payload);
      if (!final) return;
      const text = Buffer.concat(this.#parts).toString("utf8");
      this.#parts = [];
      this.#handle({ text });
    } else if (opcode === CLOSE) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : null;
      this.#handle({ close: { code, reason: payload.toString("utf8", 2) } });
    }
  }
}
