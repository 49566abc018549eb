// Builds the package into dist/: `node scripts/build.mjs`.
//
//   Rust ──wasm-pack──► glue.js + core.wasm ──zopfli──► wasm/bytes.js (the same bytes as text)
//   TypeScript ──tsc──► checked ──tsdown──► *.js + *.d.ts (ES modules) and *.cjs + *.d.cts (CommonJS)
//
// `cargo xtask build` provides Node and the tools. Rust is compiled again only when its sources or this script changed. The
// same sources make the same files.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";

import { BUNDLED } from "../tsdown.config.mjs";

const PACKAGE = join(import.meta.dirname, "..");
const ROOT = join(PACKAGE, "..");
const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
const DIST = join(PACKAGE, "dist");
const MODULES = join(ROOT, "node_modules");
const CORE = join(TARGET, "wasm-package/core");
const manifest = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8"));

/** Flags of rustc. The threshold is just high enough to inline the JSON readers, which removes the code of unused error
 * messages; wasm-opt inlines the rest. Panic locations must not contain paths of this machine. */
const CARGO = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
const RUSTC = ["-Cllvm-args=-inline-threshold=60", `--remap-path-prefix=${ROOT}=`, `--remap-path-prefix=${CARGO}/registry/src=`];

compile({ name: "core", crate: "wasm", features: ["--features", "client"], glue: "." });
compile({ name: "simulator", crate: "wasm", features: ["--features", "gateway"], glue: "simulator" });
// For the tests, which load it from there.
compile({ name: "simulation", crate: "tests/conformance/simulation", features: [] });
run("tsc", ["--noEmit"]);
run("tsdown", ["--log-level", "warn"]);
for (const name of ["core", "simulator"]) cpSync(join(TARGET, "wasm-package", name, "glue_bg.wasm"), join(DIST, `${name}.wasm`));
writeBytes(readFileSync(join(CORE, "glue_bg.wasm.gz"), "base64"));
for (const name of ["LICENSE", "LICENSE-MIT", "LICENSE-APACHE"]) cpSync(join(ROOT, name), join(PACKAGE, name));
for (const name of BUNDLED) cpSync(join(MODULES, name, "LICENSE"), join(DIST, "vendor", name, "LICENSE"));

function compile({ name, crate, features, glue }) {
  const folder = join(TARGET, "wasm-package", name);
  const stamp = join(folder, "stamp");
  const sources = ["core", crate].flatMap((path) => [`${path}/Cargo.toml`, `${path}/src/**/*.rs`]);
  const hash = createHash("sha256");
  for (const path of globSync(["Cargo.*", "wasm/package.json", "wasm/scripts/*", ...sources], { cwd: ROOT }).sort()) {
    hash.update(path).update(readFileSync(join(ROOT, path)));
  }
  const digest = hash.digest("hex");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== digest) {
    const kind = ["--mode", "no-install", "--target", "web", "--no-pack", "--profile", "wasm", "--out-dir", folder, "--out-name", "glue"];
    const env = { CARGO_ENCODED_RUSTFLAGS: RUSTC.join("\x1f"), CARGO_TARGET_DIR: TARGET };
    // wasm-pack optimises every module in the folder.
    rmSync(folder, { recursive: true, force: true });
    run("wasm-pack", ["--log-level", "warn", "build", ...kind, join(ROOT, crate), "--", "--no-default-features", ...features], env);
    if (folder === CORE) run("zopfli", [join(folder, "glue_bg.wasm")]);
    writeFileSync(stamp, digest);
  }
  for (const file of glue ? ["glue.js", "glue.d.ts"] : []) cpSync(join(folder, file), join(PACKAGE, "ts", glue, file));
}

/** The bytes as a script: neither import nor export, so that ES modules and CommonJS modules share one file. */
function writeBytes(text) {
  const key = `Symbol.for("${manifest.name}/core.wasm@${manifest.version}")`;
  mkdirSync(join(DIST, "wasm"), { recursive: true });
  writeFileSync(join(DIST, "wasm/bytes.js"), `// core.wasm, compressed with gzip, as base64, for load/inline.js.\nglobalThis[${key}] = "${text}";\n`);
  writeFileSync(join(DIST, "wasm/bytes.d.ts"), "export {};\n");
  writeFileSync(join(DIST, "wasm/package.json"), '{ "type": "commonjs" }\n');
}

/** Runs a program with this Node; tools that the project built come first. */
function run(program, args, env = {}) {
  const folders = [dirname(process.execPath), join(ROOT, "target/tools/bin"), join(MODULES, ".bin")];
  const PATH = [...folders, process.env.PATH].join(delimiter);
  const options = { cwd: PACKAGE, env: { ...process.env, PATH, ...env }, stdio: "inherit", shell: process.platform === "win32" };
  const { status, error } = spawnSync(program, args, options);
  if (status === 0) return;
  console.error(`wasm: ${program} failed${error ? `: ${error.message}` : ""}; \`cargo xtask build\` installs the tools`);
  process.exit(1);
}
