/**
 * The core's bytes inside JavaScript: nothing to fetch, copy or configure.
 *
 * They live in one file that needs no module system, so that the ES modules and the CommonJS modules of
 * this package share it: it leaves the text in a registered symbol.
 */
import "../wasm/bytes.js";
import { VERSION } from "../version.js";
import { provide } from "./core.js";

/** Written by `scripts/lib/wasm.mjs`. Two versions of this package on one page must not share their bytes. */
const TEXT = Symbol.for(`openclaw-presence/core.wasm@${VERSION}`);

provide(() => {
  const text = atob((globalThis as { [TEXT]?: string })[TEXT] ?? "");
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
});
