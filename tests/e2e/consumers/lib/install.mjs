// Installs all tools and the packed package in a temporary project.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** This folder. */
export const HERE = fileURLToPath(new URL("..", import.meta.url));
const ROOT = join(HERE, "../../..");
/** The package's source folder. */
export const PACKAGE = join(ROOT, "wasm");
/** The tools, outside of the sources. */
export const WORK = join(ROOT, "target/consumers");
/** Folder of the consumers. The package is installed in it; the tools are found in its parent, {@link WORK}. */
export const APPS = join(WORK, "apps");

/** Builds, packs and installs the package in {@link APPS}. Returns the path and the metadata of the tarball. */
export function install() {
  run(process.execPath, ["scripts/build.mjs"], { cwd: PACKAGE });
  installTools();
  const [packed] = JSON.parse(npm(["pack", "--json", "--ignore-scripts", "--pack-destination", WORK], PACKAGE));
  const tarball = join(WORK, packed.filename);
  rmSync(APPS, { recursive: true, force: true });
  mkdirSync(APPS, { recursive: true });
  writeFileSync(join(APPS, "package.json"), '{ "private": true, "type": "module" }\n');
  npm(["install", "--offline", tarball], APPS);
  return { tarball, packed };
}

/** All consumers share one installation; a changed lock file replaces it. */
function installTools() {
  const stamp = join(WORK, "node_modules/.installed-from");
  const lock = readFileSync(join(HERE, "package-lock.json"), "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  console.log("consumers: installing bundlers and frameworks (first time: about 1 min)");
  mkdirSync(WORK, { recursive: true });
  for (const name of ["package.json", "package-lock.json", ".npmrc"]) cpSync(join(HERE, name), join(WORK, name));
  // Not `npm ci`, which fails if the registry lacks a bundler's binary, even one for another system.
  npm(["install"], WORK);
  writeFileSync(stamp, lock);
}

/** Makes a new copy of `apps/<name>`, with the files that all apps share. Returns its folder. */
export function app(name) {
  const folder = join(APPS, name);
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(HERE, "apps", name), folder, { recursive: true });
  for (const file of ["use.js", "live.js", "tested.js"]) cpSync(join(HERE, "apps", file), join(folder, file));
  return folder;
}

/** A program of the shared installation. */
export function tool(name) {
  return join(WORK, "node_modules/.bin", process.platform === "win32" ? `${name}.cmd` : name);
}

/** Runs a program to its end and returns what it printed; fails with all of it. */
export function run(program, args, { cwd, env = {} }) {
  const options = { cwd, env: { ...process.env, ...env }, encoding: "utf8", shell: process.platform === "win32", maxBuffer: 1e9 };
  const { status, stdout, stderr, error } = spawnSync(program, args, options);
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

function npm(args, cwd) {
  return run(process.platform === "win32" ? "npm.cmd" : "npm", args, {
    cwd,
    env: {
      npm_config_cache: join(ROOT, "target/tools/npm-cache"),
      npm_config_ignore_scripts: "true",
      npm_config_audit: "false",
      npm_config_fund: "false",
      npm_config_update_notifier: "false",
      npm_config_loglevel: "error",
    },
  });
}
