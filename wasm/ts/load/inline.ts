/**
 * The core's bytes inside JavaScript: nothing to fetch, copy or configure.
 *
 * They live in one file that needs no module system, so that the ES modules and the CommonJS modules of
 * this package share it: it leaves a text in a registered symbol, the bytes compressed and in base64.
 */
import { inflateSync } from "fflate/browser";

import "../wasm/bytes.js";
import { VERSION } from "../version.js";
import { provide } from "./core.js";

/** Written by `scripts/build.mjs`. Two versions of this package on one page must not share their bytes. */
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
      // Older platforms lack it, or this format.
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
