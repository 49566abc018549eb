// Installs the packed package in a temporary project.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** This folder. */
export const HERE = fileURLToPath(new URL("..", import.meta.url));
const ROOT = join(HERE, "../../..");
/** The package's source folder. */
export const PACKAGE = join(ROOT, "wasm");
/** Temporary files, outside of the sources. */
const WORK = join(ROOT, "target/consumers");
/** Folder of the consumers. The package is installed in it; the tools are found above it, in the workspace. */
export const APPS = join(WORK, "apps");

/** Builds, packs and installs the package in {@link APPS}. Returns the path and the metadata of the tarball. */
export function install() {
  run(process.execPath, ["scripts/build.mjs"], { cwd: PACKAGE });
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(APPS, { recursive: true });
  const [packed] = JSON.parse(npm(["pack", "--json", "--ignore-scripts", "--pack-destination", WORK], PACKAGE));
  const tarball = join(WORK, packed.filename);
  writeFileSync(join(APPS, "package.json"), '{ "private": true, "type": "module" }\n');
  npm(["install", "--offline", tarball], APPS);
  assertFound();
  return { tarball, packed };
}

/** The workspace has a link to the sources, under the package's name: apps must find the files of the tarball instead. */
function assertFound() {
  const found = createRequire(join(APPS, "app/main.js")).resolve("openclaw-presence/package.json");
  assert.equal(realpathSync(found), join(realpathSync(APPS), "node_modules/openclaw-presence/package.json"));
}

/** Makes a new copy of `apps/<name>`, with the files that all apps share. Returns its folder. */
export function app(name) {
  const folder = join(APPS, name);
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(HERE, "apps", name), folder, { recursive: true });
  for (const file of ["use.js", "live.js", "tested.js"]) cpSync(join(HERE, "apps", file), join(folder, file));
  return folder;
}

/** A program of the workspace. */
export function tool(name) {
  return join(ROOT, "node_modules/.bin", process.platform === "win32" ? `${name}.cmd` : name);
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
