/**
 * Includes the core's bytes in JavaScript, so that apps have nothing to fetch, copy or configure.
 *
 * They are in one file without a module system, which the ES and the CommonJS modules of this package share. It
 * stores the bytes under a registered symbol, compressed and in base64.
 */
import { gunzipSync } from "fflate/browser";

import "../wasm/bytes.js";
import { VERSION } from "../version.js";
import { provide } from "./core.js";

/** Written by `scripts/build.mjs`. Two versions of this package on one page must not share bytes. */
const KEPT = Symbol.for(`openclaw-presence/core.wasm@${VERSION}`);

provide({
  read: () => gunzipSync(compressed()),
  async load() {
    // Older platforms lack it.
    if (typeof DecompressionStream === "undefined") return this.read();
    return new Response(new Blob([compressed()]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  },
});

function compressed(): Uint8Array<ArrayBuffer> {
  const text = (globalThis as unknown as { [KEPT]: string })[KEPT];
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
