// How large the package may be.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";

import { APPS, PACKAGE } from "../lib/install.mjs";

const KB = 1000;
const PACKED = 450 * KB;
const WASM = 110 * KB;
/** The module of the simulated gateway, which the demo page loads and the package does not contain. */
const SIMULATOR = 385 * KB;

export const budgets = [
  {
    name: "size: the tarball",
    run({ packed }) {
      const { size, unpackedSize, files } = packed;
      console.log(`packed ${size} bytes of at most ${PACKED}, unpacked ${unpackedSize}, ${files.length} files`);
      assert.ok(size <= PACKED, `${size} bytes packed; the budget is ${PACKED}`);
    },
  },
  {
    name: "size: the wasm",
    run: () => checkGzipped(join(APPS, "node_modules/openclaw-presence/dist/core.wasm"), WASM),
  },
  {
    name: "size: the wasm of the simulator",
    run: () => checkGzipped(join(PACKAGE, "dist/simulator.wasm"), SIMULATOR),
  },
  {
    name: "contents: no dependency, every promised file, no path of this machine",
    async run({ packed }) {
      const manifest = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8"));
      assert.equal(manifest.dependencies, undefined);
      const paths = packed.files.map(({ path }) => path);
      for (const wanted of ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "dist/core.wasm"]) {
        assert.ok(paths.includes(wanted), `${wanted} is missing`);
      }
      const wasm = readFileSync(join(APPS, "node_modules/openclaw-presence/dist/core.wasm"));
      assert.ok(!wasm.includes("/registry/"), "the wasm holds a path of the machine it was built on");
      const { module } = await WebAssembly.instantiate(wasm, {}).then(
        () => assert.fail("it imports its glue"),
        async () => ({ module: await WebAssembly.compile(wasm) }),
      );
      const sources = new Set(WebAssembly.Module.imports(module).map((imported) => imported.module));
      assert.deepEqual([...sources], ["./glue_bg.js"], "the wasm imports nothing but its glue");
    },
  },
];

function checkGzipped(path, budget) {
  const bytes = readFileSync(path);
  const size = gzipSync(bytes, { level: 9 }).length;
  console.log(`${basename(path)} ${bytes.length} bytes, gzipped ${size} of at most ${budget}`);
  assert.ok(size <= budget, `${size} bytes gzipped; the budget is ${budget}`);
}
