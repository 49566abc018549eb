// Builds the package into dist/: `node scripts/build.mjs`.
//
//   Rust ──wasm-pack──► glue.js + wasm ──wasm-opt──► core.wasm ──► wasm/bytes.js (the same bytes as text)
//   TypeScript ──tsc──► *.js + *.d.ts (ES modules) and *.cjs + *.d.cts (CommonJS)
//
// A step whose input is what it was the last time is skipped; what is made twice is the same twice.
import { emit } from "./lib/emit.mjs";
import { compileCore } from "./lib/wasm.mjs";
import { copyExtras } from "./lib/extras.mjs";
import { report } from "./lib/report.mjs";

const started = performance.now();
await compileCore();
await emit();
await copyExtras();
report();
console.log(`wasm: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
