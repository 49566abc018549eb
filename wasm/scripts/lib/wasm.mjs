// From Rust to dist/core.wasm, its glue, and its bytes as text.
import { mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { deflateRawSync } from "node:zlib";

import { digest, DIST, fail, filesBelow, isDone, manifest, markDone, PACKAGE, ROOT, run, say, TARGET, versionOf, WORK, write } from "./project.mjs";

const PROFILE = "wasm";
const WASM_PACK = "0.15.1";
/** Must equal the crate's: the glue and the module talk a private language. */
const WASM_BINDGEN = /wasm-bindgen = \{ version = "=([\d.]+)"/.exec(readFileSync(join(PACKAGE, "Cargo.toml"), "utf8"))[1];
/** rustc compiled for size and inlined nothing; inlined here, it is three times as fast and hardly larger. Only what is
 * called once and not small stays by itself, and like stands beside like, both for gzip. */
const OPTIMISE = [
  ...["-O3", "--one-caller-inline-max-function-size=20", "--flexible-inline-max-function-size=20", "--reorder-functions-by-name"],
  ...["--strip-debug", "--strip-producers", "--strip-target-features"],
];

/** Enough to inline the readers of JSON: then the code for messages that none of them needs is left out. */
const RUSTC = ["-Cllvm-args=-inline-threshold=60"];

/** What is made of which crate: from which of its features, and into which files. */
const MODULES = [
  { name: "core", crate: "wasm", features: "client", glue: "glue", wasm: "core.wasm", text: "wasm/bytes.js" },
  { name: "simulator", crate: "wasm", features: "gateway", glue: "simulator/glue", wasm: "simulator.wasm" },
  // For the tests alone, which take it from where it is made.
  { name: "simulation", crate: "tests/conformance/simulation" },
];

export async function compileCore() {
  ensureTools();
  for (const module of MODULES) {
    const input = digest(sources(module), module.features ?? "", PROFILE, WASM_PACK, RUSTC.join(" "), OPTIMISE.join(" "), versionOf("rustc"), manifest.version);
    if (isDone(module.name, input, outputs(module))) continue;
    say(`compiling the ${module.name} to WASM`);
    compile(module);
    if (module.wasm) optimise(module);
    markDone(module.name, input);
  }
}

/** Everything that decides what cargo makes: asking cargo itself would compile two modules each time, for they
 * have one file name. */
function sources({ crate }) {
  const folders = ["core", `${crate}/src`].map((folder) => join(ROOT, folder));
  const files = folders.flatMap((folder) => filesBelow(folder).map((path) => join(folder, path)));
  files.push(...["Cargo.toml", "Cargo.lock", `${crate}/Cargo.toml`].map((path) => join(ROOT, path)));
  return digest(...files.map((file) => ({ file })));
}

/** The files that a module becomes: glue in two files, the module, and perhaps its text. */
function outputs(module) {
  if (!module.wasm) return madeBy(module);
  const glue = ["js", "d.ts"].map((ending) => join(PACKAGE, "ts", `${module.glue}.${ending}`));
  return [...glue, ...[module.wasm, module.text].filter(Boolean).map((path) => join(DIST, path))];
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

const packed = ({ name }) => join(WORK, name);
const madeBy = (module) => ["glue_bg.wasm", "glue.js", "glue.d.ts"].map((name) => join(packed(module), name));

function compile(module) {
  // Panic locations would hold the paths of this machine: the file would be another one on each.
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const flags = [`--remap-path-prefix=${ROOT}=`, `--remap-path-prefix=${cargoHome}/registry/src=`, ...RUSTC];
  const args = ["build", "--mode", "no-install", "--target", "web", "--no-pack", "--profile", PROFILE];
  const features = module.features ? ["--no-default-features", "--features", module.features] : [];
  run("wasm-pack", [...args, "--out-dir", packed(module), "--out-name", "glue", join(ROOT, module.crate), "--", ...features], {
    env: { CARGO_ENCODED_RUSTFLAGS: flags.join("\x1f"), CARGO_TARGET_DIR: TARGET },
  });
}

/** What the glue is for is said where it is made of; everybody would download it. */
function withoutComments(glue) {
  return glue.replace(/^ *\/\*\*[^]*?\*\/\n/gm, "");
}

/** Long texts are copied in by the engine; wasm-bindgen goes through them letter by letter before it asks it. */
function withFastTexts(glue) {
  const start = "    let len = arg.length;\n    let ptr = malloc(len, 1) >>> 0;\n";
  if (glue.split(start).length !== 2) fail("the glue copies texts in another way than it did: see withFastTexts");
  const fast =
    "    if (arg.length > 200) {\n        const most = arg.length * 3;\n        const at = malloc(most, 1) >>> 0;\n" +
    "        const { written } = cachedTextEncoder.encodeInto(arg, getUint8ArrayMemory0().subarray(at, at + most));\n" +
    "        WASM_VECTOR_LEN = written;\n        return realloc(at, most, written, 1) >>> 0;\n    }\n";
  return glue.replace(start, fast + start);
}

function optimise(module) {
  const [wasm, js, types] = madeBy(module);
  const [glue, glueTypes, output, text] = outputs(module);
  mkdirSync(DIST, { recursive: true });
  run("wasm-opt", [...OPTIMISE, "-o", output, wasm]);
  write(glue, withoutComments(withFastTexts(readFileSync(js, "utf8"))));
  // Disposal is the classes' own on top; here it would ask every user for a newer `lib`.
  write(glueTypes, withoutComments(readFileSync(types, "utf8")).replace(/^ *\[Symbol\.dispose\]\(\): void;\n/gm, ""));
  if (text) writeText(text, readFileSync(output));
}

/** The bytes as a script: neither import nor export, so that it is a module of both kinds. */
function writeText(path, bytes) {
  const name = `${manifest.name}/core.wasm@${manifest.version}`;
  const text = deflateRawSync(bytes, { level: 9, memLevel: 9 }).toString("base64");
  write(
    path,
    `// core.wasm, deflated, as base64, for load/inline.js and load/inline.cjs.\n` +
      `globalThis[Symbol.for("${name}")] = [\n  ${bytes.length},\n  "${text}",\n];\n`,
  );
  const folder = dirname(path);
  // Tells Node that the file may be required as well as imported.
  write(join(folder, "package.json"), '{ "type": "commonjs" }\n');
  write(join(folder, "bytes.d.ts"), readFileSync(join(PACKAGE, "ts/wasm/bytes.d.ts")));
}
