// Builds the package into dist/: `node scripts/build.mjs`.
//
//   Rust ──wasm-pack──► glue.js + wasm ──wasm-opt──► core.wasm ──► wasm/bytes.js (the same bytes as text)
//   TypeScript ──tsc──► checked ──tsdown──► *.js + *.d.ts (ES modules) and *.cjs + *.d.cts (CommonJS)
//
// Needs Node 22.18 or newer, which `cargo xtask build` provides. Rust is compiled again only when its sources or flags change. The same sources make the same
// files.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";

import { build } from "tsdown";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const ROOT = join(PACKAGE, "..");
const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
const DIST = join(PACKAGE, "dist");
const manifest = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8"));

const CORE = { name: "core", crate: "wasm", features: ["--features", "client"], glue: "glue" };
const SIMULATOR = { name: "simulator", crate: "wasm", features: ["--features", "gateway"], glue: "simulator/glue" };
/** For the tests, which load it from {@link TARGET}. */
const SIMULATION = { name: "simulation", crate: "tests/conformance/simulation", features: [] };

/** Dependencies that become part of the package. */
const BUNDLED = ["fflate", "lit", "lit-element", "lit-html", "@lit/reactive-element"];

/** Enough to inline the readers of JSON, which leaves out the code for messages that none of them needs; wasm-opt inlines
 * the rest. Panic locations must not contain the paths of this machine. */
const CARGO = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
const RUSTC = ["-Cllvm-args=-inline-threshold=60", `--remap-path-prefix=${ROOT}=`, `--remap-path-prefix=${CARGO}/registry/src=`];
const WASM_OPT = [
  ...["-O3", "--one-caller-inline-max-function-size=20", "--flexible-inline-max-function-size=20", "--reorder-functions-by-name"],
  ...["--strip-debug", "--strip-producers", "--strip-target-features"],
];

for (const module of [CORE, SIMULATOR, SIMULATION]) compile(module);
run("tsc", ["--noEmit"]);
rmSync(DIST, { recursive: true, force: true });
await emit();
for (const { name } of [CORE, SIMULATOR]) copyFileSync(join(folderOf(name), "optimised.wasm"), join(DIST, `${name}.wasm`));
writeBytes(readFileSync(join(DIST, "core.wasm")));
copyLicences();

function compile({ name, crate, features, glue }) {
  const folder = folderOf(name);
  const stamp = join(folder, "stamp");
  const sources = ["core", `${crate}/src`, `${crate}/Cargo.toml`, "Cargo.toml", "Cargo.lock"];
  const input = digest(sources, JSON.stringify([features, RUSTC, WASM_OPT]));
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== input) {
    const kind = ["--mode", "no-install", "--target", "web", "--no-pack", "--profile", "wasm", "--out-dir", folder, "--out-name", "glue"];
    const env = { CARGO_ENCODED_RUSTFLAGS: RUSTC.join("\x1f"), CARGO_TARGET_DIR: TARGET };
    run("wasm-pack", ["--log-level", "warn", "build", ...kind, join(ROOT, crate), "--", "--no-default-features", ...features], env);
    run("wasm-opt", [...WASM_OPT, "-o", join(folder, "optimised.wasm"), join(folder, "glue_bg.wasm")]);
    writeFileSync(stamp, input);
  }
  for (const end of glue ? [".js", ".d.ts"] : []) copyFileSync(join(folder, `glue${end}`), join(PACKAGE, "ts", glue + end));
}

/** One file a source, so that apps' bundlers keep only what is used. Editors show the comments of the types. No source maps:
 * for both kinds of module they take 203 kB of the tarball, whose limit is 450 kB, and files that are not minified can be
 * debugged without. */
async function emit() {
  await build({
    config: false, cwd: PACKAGE, entry: ["ts/**/*.ts", "!ts/**/*.d.ts"], root: "ts", unbundle: true,
    format: ["esm", "cjs"], fixedExtension: false, target: "es2022", platform: "neutral", dts: true, clean: false,
    deps: { neverBundle: [/^node:/, /wasm\/bytes\.js$/], onlyBundle: BUNDLED },
    alias: litForNode(),
    define: { PACKAGE_VERSION: JSON.stringify(manifest.version) },
    treeshake: { moduleSideEffects: hasEffects },
    // An import of a module whose constants are inlined would stay, and bundlers would warn of it.
    inputOptions: { optimization: { inlineConst: false } },
    outputOptions: (options) => ({
      ...options,
      comments: { legal: true, annotation: true, jsdoc: false },
      // npm publishes no folder of that name.
      entryFileNames: ({ name }) => options.entryFileNames.replace("[name]", name.replace("node_modules", "vendor")),
    }),
    logLevel: "warn", failOnWarn: true, suppressWarnings: /TypeScript 7.0 is deprecated/, checks: { bundlerTimings: false, moduleLevelDirective: false },
  });
}

/** Lit's builds for Node work in browsers too, and can be imported where there are no elements. */
function litForNode() {
  const packages = [["lit-html", "lit-html"], ["@lit/reactive-element", "reactive-element"]];
  const aliases = packages.map(([name, main]) => {
    const folder = join(PACKAGE, "node_modules", name, "node");
    return [[`${name}$`, join(folder, `${main}.js`)], [name, folder]];
  });
  return Object.fromEntries([["@lit-labs/ssr-dom-shim", join(PACKAGE, "ts/element/no-dom.ts")], ...aliases.flat()]);
}

/** Whether `sideEffects` in package.json lists the output of this source. */
function hasEffects(id) {
  return manifest.sideEffects.some((path) => id.includes(path.replace("./dist", "/ts").replace(/(js|\*)$/, "")));
}

/** The bytes as a script: neither import nor export, so that ES modules and CommonJS modules share one file. */
function writeBytes(bytes) {
  const text = deflateRawSync(bytes, { level: 9, memLevel: 9 }).toString("base64");
  const symbol = `Symbol.for("${manifest.name}/core.wasm@${manifest.version}")`;
  write("wasm/bytes.js", `// core.wasm, deflated, as base64, for load/inline.js.\nglobalThis[${symbol}] = [${bytes.length}, "${text}"];\n`);
  write("wasm/bytes.d.ts", "export {};\n");
  write("wasm/package.json", '{ "type": "commonjs" }\n');
}

/** The licences, also of what is bundled. */
function copyLicences() {
  for (const name of ["LICENSE", "LICENSE-MIT", "LICENSE-APACHE"]) copyFileSync(join(ROOT, name), join(PACKAGE, name));
  for (const name of BUNDLED) write(`vendor/${name}/LICENSE`, readFileSync(join(PACKAGE, "node_modules", name, "LICENSE")));
}

function folderOf(name) {
  return join(TARGET, "wasm-package", name);
}

function digest(paths, options) {
  const hash = createHash("sha256").update(options);
  for (const file of paths.flatMap((path) => filesBelow(join(ROOT, path)))) hash.update(file).update(readFileSync(file));
  return hash.digest("hex");
}

function filesBelow(path) {
  return statSync(path).isDirectory() ? readdirSync(path).sort().flatMap((name) => filesBelow(join(path, name))) : [path];
}

function write(path, contents) {
  mkdirSync(dirname(join(DIST, path)), { recursive: true });
  writeFileSync(join(DIST, path), contents);
}

/** Runs a program; tools that the project built come first. */
function run(program, args, env = {}) {
  const PATH = [join(ROOT, "target/tools/bin"), join(PACKAGE, "node_modules/.bin"), process.env.PATH].join(delimiter);
  const options = { cwd: PACKAGE, env: { ...process.env, PATH, ...env }, stdio: "inherit", shell: process.platform === "win32" };
  const { status, error } = spawnSync(program, args, options);
  if (status === 0) return;
  console.error(`wasm: ${program} failed${error ? `: ${error.message}` : ""}; \`cargo xtask build\` installs the tools`);
  process.exit(1);
}
