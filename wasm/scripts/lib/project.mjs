// Where things are, and small helpers of the build.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** This package. */
export const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));
/** The checkout. */
export const ROOT = join(PACKAGE, "..");
/** What cargo makes. */
export const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
/** What lies between the steps. */
export const WORK = join(TARGET, "wasm-package");
/** What is published. */
export const DIST = join(PACKAGE, "dist");

export const manifest = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8"));

/** The build cannot go on; the message says what to do. */
export function fail(message) {
  console.error(`wasm: ${message}`);
  process.exit(1);
}

export function say(message) {
  console.log(`wasm: ${message}`);
}

/** Tools that the project built for itself come before those of the machine. */
const PATH = [join(ROOT, "target/tools/bin"), join(PACKAGE, "node_modules/.bin"), process.env.PATH].join(delimiter);

/** Runs a program; its output is shown only if it fails. */
export function run(program, args, { cwd = PACKAGE, env = {} } = {}) {
  const options = { cwd, env: { ...process.env, PATH, ...env }, encoding: "utf8", shell: process.platform === "win32" };
  const { status, stdout, stderr, error } = spawnSync(program, args, options);
  if (error) fail(`cannot run ${program}: ${error.message}`);
  if (status !== 0) {
    process.stderr.write(stdout + stderr);
    fail(`\`${program} ${args.join(" ")}\` failed`);
  }
  return stdout;
}

/** What `<program> --version` says, or nothing. */
export function versionOf(program) {
  const options = { env: { ...process.env, PATH }, encoding: "utf8", shell: process.platform === "win32" };
  return /\d+(\.\d+)*/.exec(spawnSync(program, ["--version"], options).stdout ?? "")?.[0];
}

/** A digest of texts and of files' contents (`{ file }`). */
export function digest(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) {
    const bytes = typeof part === "string" ? part : readFileSync(part.file);
    hash.update(`${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex");
}

/** Whether step `name` was last done from the same input, and `outputs` are still there. */
export function isDone(name, input, outputs) {
  const stamp = join(WORK, `${name}.stamp`);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === input && outputs.every(existsSync);
}

export function markDone(name, input) {
  write(join(WORK, `${name}.stamp`), input);
}

/** Writes a file, unless it is already so: then everything that looks at times can rest, too. */
export function write(path, contents) {
  const bytes = Buffer.from(contents);
  if (existsSync(path) && readFileSync(path).equals(bytes)) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

/** All files below a folder, as sorted paths relative to it with slashes. */
export function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1).replaceAll("\\", "/"))
    .sort();
}
