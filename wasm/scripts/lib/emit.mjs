// From TypeScript to dist/, once for each kind of module.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { digest, DIST, fail, filesBelow, isDone, manifest, markDone, PACKAGE, run, say, WORK, write } from "./project.mjs";

const SOURCE = join(PACKAGE, "ts");
const COMMON = join(WORK, "commonjs");
/** What wasm-bindgen made: JavaScript already. */
const GLUE = ["glue", "simulator/glue"];
/** The one file that both kinds share. */
const SHARED = "wasm/bytes.js";

export async function emit() {
  checkVersion();
  const sources = filesBelow(SOURCE).map((path) => ({ file: join(SOURCE, path) }));
  const input = digest(...sources, { file: join(PACKAGE, "tsconfig.json") }, { file: join(PACKAGE, "package-lock.json") });
  if (isDone("emit", input, entries())) return;
  say("emitting JavaScript and types");
  // What a source that is gone once made must not be published.
  for (const path of filesBelow(DIST)) {
    if (/\.(js|cjs|d\.ts|d\.cts)$/.test(path) && !path.startsWith("wasm/")) rmSync(join(DIST, path));
  }
  emitModules();
  emitCommonJs();
  markDone("emit", input);
}

function emitModules() {
  emitKind([], DIST);
}

/** The same again as CommonJS, under names that say so: `require("./x.js")` becomes `require("./x.cjs")`. */
function emitCommonJs() {
  rmSync(COMMON, { recursive: true, force: true });
  emitKind(["--module", "commonjs", "--verbatimModuleSyntax", "false"], COMMON);
  for (const path of filesBelow(COMMON)) {
    const renamed = path.replace(/\.d\.ts$/, ".d.cts").replace(/\.js$/, ".cjs");
    write(join(DIST, renamed), asCommon(readFileSync(join(COMMON, path), "utf8")));
  }
}

/** Types keep their comments, which editors show; JavaScript does without, which everybody downloads. */
function emitKind(flags, folder) {
  const out = ["--outDir", folder];
  run("tsc", ["--project", ".", ...flags, "--emitDeclarationOnly", ...out]);
  run("tsc", ["--project", ".", ...flags, "--declaration", "false", "--removeComments", ...out]);
  const glue = ["--ignoreConfig", "--target", "ES2022", "--module", "esnext", "--moduleResolution", "bundler", "--allowJs"];
  const files = GLUE.map((name) => join(SOURCE, `${name}.js`));
  run("tsc", [...glue, ...flags, "--types", "", "--removeComments", "--rootDir", SOURCE, ...out, ...files]);
  for (const name of GLUE) write(join(folder, `${name}.d.ts`), readFileSync(join(SOURCE, `${name}.d.ts`)));
}

function asCommon(text) {
  return text.replace(/(\brequire\(|\bfrom |\bimport\(|\bimport )(["'])(\.{1,2}\/[^"']+)\.js\2/g, (all, before, quote, path) =>
    `${path}.js`.endsWith(SHARED) ? all : `${before}${quote}${path}.cjs${quote}`,
  );
}

/** Every file that package.json promises. */
function entries() {
  const paths = [];
  const collect = (value) => {
    if (typeof value === "object") Object.values(value).forEach(collect);
    else if (!value.includes("*") && value.startsWith("./dist/")) paths.push(join(PACKAGE, value));
  };
  collect(manifest.exports);
  return paths;
}

function checkVersion() {
  const stated = /VERSION = "([^"]*)"/.exec(readFileSync(join(SOURCE, "version.ts"), "utf8"))?.[1];
  if (stated !== manifest.version) fail(`ts/version.ts says ${stated}, package.json ${manifest.version}`);
}
