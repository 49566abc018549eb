/**
 * Includes the core's bytes in JavaScript, so that apps have nothing to fetch, copy or configure.
 *
 * They are in one file without a module system, which the ES and the CommonJS modules of this package share. It
 * stores the bytes under a registered symbol, compressed and in base64.
 */
import { inflateSync } from "fflate/browser";

import "../wasm/bytes.js";
import { VERSION } from "../version.js";
import { provide } from "./core.js";

/** Written by `scripts/build.mjs`. Two versions of this package on one page must not share bytes. */
const KEPT = Symbol.for(`openclaw-presence/core.wasm@${VERSION}`);

provide({
  read() {
    const { size, packed } = kept();
    return inflateSync(packed, { out: new Uint8Array(size) });
  },
  async load() {
    let inflating: DecompressionStream;
    try {
      inflating = new DecompressionStream("deflate-raw");
    } catch {
      // Older platforms lack `DecompressionStream`, or this format.
      return this.read();
    }
    return new Response(new Blob([kept().packed]).stream().pipeThrough(inflating)).arrayBuffer();
  },
});

function kept(): { readonly size: number; readonly packed: Uint8Array<ArrayBuffer> } {
  const [size, text] = (globalThis as unknown as { [KEPT]: readonly [number, string] })[KEPT];
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return { size, packed };
}
