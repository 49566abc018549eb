import { chmodSync, closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";

import { randomId } from "../random.js";

/** Whether a file has usable content, was truncated while it was written, or belongs to another program. */
export type KeptState = "whole" | "broken" | "foreign";

/** Attempts before a conflicting file, or a race with another process, is an error. */
const MAX_TRIES = 8;

/**
 * Returns the text in the file `path`; if the file is missing or broken, writes the result of `make`.
 *
 * The file is written atomically, and several processes that start at once read one text. Permissions for other users
 * are removed.
 *
 * @throws if the file can neither be read nor written, or belongs to another program.
 */
export function keptText(path: string, state: (text: string) => KeptState, make: () => string): string {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const text = read(path);
    const found = text === undefined ? "absent" : state(text);
    if (found === "foreign") throw new Error(`${path} was not written by this package`);
    if (text !== undefined && found === "whole") {
      narrow(path);
      return text;
    }
    mkdirSync(dirname(path), { recursive: true });
    if (found === "broken") clear(path, (moved) => state(moved) === "broken");
    create(path, make());
  }
  throw new Error(`${path} was removed right after it was written`);
}

/** Creates the file atomically, readable by its owner only; `false` if it exists already. */
export function create(path: string, text: string): boolean {
  const draft = `${path}.${process.pid}.${randomId()}.tmp`;
  try {
    const file = openSync(draft, "wx", 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return place(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Renames the draft to `path`, unless that exists. */
function place(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    // On file systems without hard links, the last writer wins.
    if (read(path) !== undefined) return false;
    renameSync(draft, path);
    return true;
  }
}

/** Removes a broken file. Only one of several processes succeeds; a file that was replaced meanwhile is restored. */
export function clear(path: string, isBroken: (text: string) => boolean): void {
  const aside = `${path}.${process.pid}.${randomId()}.tmp`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  try {
    if (!isBroken(readFileSync(aside, "utf8"))) place(aside, path);
  } finally {
    rmSync(aside, { force: true });
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function narrow(path: string): void {
  if (process.platform === "win32") return;
  try {
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  } catch {
    // The file of another user: it can be read, but its permissions cannot be changed.
  }
}
