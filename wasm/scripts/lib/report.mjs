// How large things are.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { DIST, say } from "./project.mjs";

export function report() {
  for (const name of ["core.wasm", "wasm/bytes.js", "simulator.wasm"]) {
    const bytes = readFileSync(join(DIST, name));
    say(`${name}: ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped`);
  }
}
