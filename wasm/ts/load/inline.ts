/**
 * The core's bytes inside JavaScript: nothing to fetch, copy or configure.
 *
 * They live in one file that needs no module system, so that the ES modules and the CommonJS modules of
 * this package share it: it leaves a text in a registered symbol, the bytes compressed and in base64.
 */
import "../wasm/bytes.js";
import { VERSION } from "../version.js";
import { provide } from "./core.js";
import { inflate } from "./inflate.js";

/** Written by `scripts/lib/wasm.mjs`. Two versions of this package on one page must not share their bytes. */
const KEPT = Symbol.for(`openclaw-presence/core.wasm@${VERSION}`);

provide(() => {
  const [size, text] = (globalThis as unknown as { [KEPT]: readonly [number, string] })[KEPT];
  const packed = atob(text);
  const bytes = new Uint8Array(packed.length);
  for (let at = 0; at < packed.length; at++) bytes[at] = packed.charCodeAt(at);
  return inflate(bytes, size);
});
