// From Rust to dist/core.wasm, its glue, and its bytes as text.
import { mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { digest, DIST, fail, isDone, manifest, markDone, PACKAGE, ROOT, run, say, TARGET, versionOf, WORK, write } from "./project.mjs";

const PROFILE = "wasm";
const WASM_PACK = "0.15.1";
/** Must equal the crate's: the glue and the module talk a private language. */
const WASM_BINDGEN = /wasm-bindgen = \{ version = "=([\d.]+)"/.exec(readFileSync(join(PACKAGE, "Cargo.toml"), "utf8"))[1];
const OPTIMISE = ["-Oz", "--converge", "--strip-debug", "--strip-producers", "--strip-target-features"];

const FROM_PACK = join(WORK, "pack");
const CORE = join(DIST, "core.wasm");
const GLUE = [join(PACKAGE, "ts/glue.js"), join(PACKAGE, "ts/glue.d.ts")];
const TEXT = join(DIST, "wasm/bytes.js");

export async function compileCore() {
  ensureTools();
  say("compiling the core to WASM");
  compile();
  optimise();
}

function ensureTools() {
  for (const [tool, wanted] of [["wasm-pack", WASM_PACK], ["wasm-bindgen", WASM_BINDGEN]]) {
    const found = versionOf(tool);
    if (found === wanted) continue;
    const crate = tool === "wasm-bindgen" ? "wasm-bindgen-cli" : tool;
    fail(
      `needs ${tool} ${wanted} and found ${found ?? "none"}: \`cargo xtask build\` installs it, ` +
        `or \`cargo install --root target/tools ${crate} --version =${wanted}\``,
    );
  }
  if (!versionOf("wasm-opt")) fail("needs wasm-opt: run `npm ci` in wasm/");
}

/** cargo and wasm-pack see for themselves what has changed. */
function compile() {
  // Panic locations would hold the paths of this machine: the file would be another one on each.
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const flags = [`--remap-path-prefix=${ROOT}=`, `--remap-path-prefix=${cargoHome}/registry/src=`];
  const args = ["build", "--mode", "no-install", "--target", "web", "--no-pack", "--profile", PROFILE];
  run("wasm-pack", [...args, "--out-dir", FROM_PACK, "--out-name", "glue", PACKAGE], {
    env: { CARGO_ENCODED_RUSTFLAGS: flags.join("\x1f"), CARGO_TARGET_DIR: TARGET },
  });
}

function optimise() {
  const [wasm, js, types] = ["glue_bg.wasm", "glue.js", "glue.d.ts"].map((name) => join(FROM_PACK, name));
  const input = digest({ file: wasm }, { file: js }, { file: types }, OPTIMISE.join(" "), versionOf("wasm-opt"), manifest.version);
  if (isDone("optimise", input, [CORE, TEXT, ...GLUE])) return;
  say("optimising");
  mkdirSync(DIST, { recursive: true });
  run("wasm-opt", [...OPTIMISE, "-o", CORE, wasm]);
  write(GLUE[0], readFileSync(js));
  // Disposal is the classes' own on top; here it would ask every user for a newer `lib`.
  write(GLUE[1], readFileSync(types, "utf8").replace(/^ *\[Symbol\.dispose\]\(\): void;\n/gm, ""));
  write(TEXT, bytesAsText(readFileSync(CORE)));
  // Neither import nor export: the file is a module of both kinds, and this tells Node that it may be.
  write(join(DIST, "wasm/package.json"), '{ "type": "commonjs" }\n');
  write(join(DIST, "wasm/bytes.d.ts"), readFileSync(join(PACKAGE, "ts/wasm/bytes.d.ts")));
  markDone("optimise", input);
}

function bytesAsText(bytes) {
  const name = `${manifest.name}/core.wasm@${manifest.version}`;
  return (
    `// core.wasm as base64, for load/inline.js and load/inline.cjs.\n` +
    `globalThis[Symbol.for("${name}")] =\n  "${bytes.toString("base64")}";\n`
  );
}
