// Builds the page into dist/: `node build.mjs`. Static files, for any host and any folder.
//
// The package is imported as users import it: by its name, from node_modules.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const DIST = join(HERE, "dist");
const PAGES = ["index.html", "webchat.html"];
const MODULES = ["src/main.ts", "webchat/webchat.ts", "src/styles/main.css", "webchat/webchat.css", "src/icon.svg"];
const FIRST = "src/theme-first.ts";

/** `source:<path>` is the text of a file of this folder. */
const sources = {
  name: "sources",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^source:/ }, ({ path }) => ({ path: join(HERE, path.slice("source:".length)), namespace: "source" }));
    onLoad({ filter: /.*/, namespace: "source" }, async ({ path }) => ({ contents: await readFile(path, "utf8"), loader: "text", watchFiles: [path] }));
  },
};

const common = {
  absWorkingDir: HERE,
  outdir: DIST,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".svg": "copy", ".wasm": "file" },
  bundle: true,
  target: "es2022",
  minify: true,
  sourcemap: true,
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  define: { WEBCHAT_PAGE: JSON.stringify("webchat.html") },
  plugins: [sources],
  logLevel: "warning",
};

await rm(DIST, { recursive: true, force: true });
await mkdir(DIST);
const builds = await Promise.all([
  build({ ...common, entryPoints: MODULES, format: "esm", splitting: true }),
  // It runs before the first paint, so it is not a module, which would run later.
  build({ ...common, entryPoints: [FIRST], format: "iife" }),
]);
const outputs = builds.flatMap(({ metafile }) => Object.entries(metafile.outputs));

/** The built file of each source. */
const made = new Map();
for (const [output, { entryPoint, inputs }] of outputs) {
  const source = entryPoint ?? (output.endsWith(".svg") ? Object.keys(inputs)[0] : undefined);
  if (source && !output.endsWith(".map")) made.set(source, basename(output));
}

for (const page of PAGES) {
  let html = await readFile(join(HERE, page), "utf8");
  for (const [source, output] of made) html = html.replaceAll(`"${source}"`, `"${output}"`);
  const left = /(?:src|href)="((?:src|webchat)\/[^"]*)"/.exec(html);
  if (left) throw new Error(`${page} refers to ${left[1]}, which is not built`);
  await writeFile(join(DIST, page), html);
}
// A gateway answers this path itself; on other hosts this file says that no gateway serves the page.
await writeFile(join(DIST, "gateway.json"), '{"gateway":false}\n');

const bytes = outputs.reduce((sum, [output, { bytes }]) => sum + (output.endsWith(".map") ? 0 : bytes), 0);
console.log(`web-demo: ${relative(process.cwd(), DIST)}, ${Math.round(bytes / 1024)} KB`);
